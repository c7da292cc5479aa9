"""What a person at a terminal sees and is asked."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from specloom.cli.failures import Exit
from specloom.llm.scripted import ScriptedServer
from tests.cli.conftest import BOTH_TASKS, DEADLINE, REQUIREMENTS, Project
from tests.cli.plans import plan_script
from tests.cli.terminals import HIDE, SHOW, Terminal, terminals
from tests.cli.test_run import model

Start = Callable[..., ScriptedServer]


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    with terminals() as start:
        yield start


def held(task: int, turn: int, **rest: Any) -> dict[str, Any]:
    """Both tasks, with one answer that waits for `go`."""
    script: dict[str, Any] = json.loads(json.dumps(BOTH_TASKS))
    script["sessions"][task]["turns"][turn].update(hold="go", **rest)
    return script


def begun() -> dict[str, Any]:
    """The same; the first words of the first answer come before the wait."""
    return held(0, 0, hold_after_events=4)


def test_the_picture_shows_tree_agent_cost_and_goes_away(
    project: Project, scripted: Start, terminal: Callable[..., Terminal]
) -> None:
    server = scripted(held(1, 0))
    screen = terminal(project, "run", "--yes", *model(server))
    screen.wait_for("executor 01/1.2  waiting for the model")
    screen.wait_for("1/2 done · ")
    screen.wait_for("cost unknown")
    screen.wait_for("✓ 1.1 Write the greeting  proven")
    server.release("go")
    assert screen.end() == Exit.OK
    assert screen.text.rstrip().endswith("run completed")
    assert screen.raw.count(HIDE) == screen.raw.count(SHOW) > 0


def test_a_command_is_asked_for_word_by_word_and_a_no_is_kept(
    project: Project, scripted: Start, terminal: Callable[..., Terminal]
) -> None:
    script: dict[str, Any] = json.loads(json.dumps(BOTH_TASKS))
    script["sessions"][0]["turns"].insert(
        0, {"answer": [{"tool": "run_command", "input": {"command": "touch made-by-command"}}]}
    )
    screen = terminal(project, "run", "01/1.1", *model(scripted(script)))
    screen.wait_for("grep -q hello greeting.txt")
    screen.wait_for("[y]es / [n]o: ")
    screen.type("y\n")
    screen.wait_for("    touch made-by-command")
    screen.type("perhaps\n")
    screen.type("n\n")
    assert screen.end() == Exit.OK
    assert not (project.root / "made-by-command").exists()
    assert (project.root / "greeting.txt").read_text() == "hello\n"


def test_a_proposal_that_is_declined_is_not_run(
    project: Project, scripted: Start, terminal: Callable[..., Terminal]
) -> None:
    screen = terminal(project, "run", *model(scripted(BOTH_TASKS)))
    screen.wait_for("[y]es / [n]o: ")
    screen.type("n\n")
    assert screen.end() == Exit.INCOMPLETE
    assert "blocked" in screen.text
    assert not (project.root / "greeting.txt").exists()


def test_control_characters_of_a_repository_do_not_reach_the_terminal(
    project: Project, scripted: Start, terminal: Callable[..., Terminal]
) -> None:
    spec = project.root / "specs" / "01-greeting.md"
    spec.write_text(spec.read_text().replace("grep -q hello", "grep -q \x1b]0;owned\x07\x1b[2Jhello"))
    screen = terminal(project, "run", "01/1.1", *model(scripted(BOTH_TASKS)))
    screen.wait_for("[y]es / [n]o: ")
    screen.type("n\n")
    screen.end()
    assert "owned" in screen.text
    assert "\x1b]0;owned" not in screen.raw
    assert "\x1b[2J" not in screen.raw


def test_ctrl_c_lets_an_answer_end_that_comes_in_and_leaves_the_terminal_as_it_was(
    project: Project, scripted: Start, terminal: Callable[..., Terminal]
) -> None:
    server = scripted(begun())
    screen = terminal(project, "run", "--yes", *model(server))
    screen.wait_for("I write greeting.txt")
    screen.type("\x03")
    screen.wait_for("what is in flight ends first; Ctrl-C again ends it now")
    server.release("go")
    assert screen.end() == Exit.INTERRUPTED
    assert (project.root / "greeting.txt").read_text() == "hello\n"
    assert "next: `specloom run` goes on where it was" in screen.text
    assert screen.raw.rindex(SHOW) > screen.raw.rindex(HIDE)


def test_ctrl_c_does_not_wait_for_a_model_that_says_nothing(
    project: Project, scripted: Start, terminal: Callable[..., Terminal]
) -> None:
    server = scripted(held(0, 0))
    screen = terminal(project, "run", "--yes", *model(server))
    assert server.wait(lambda served: served.total == 1, DEADLINE)
    screen.type("\x03")
    assert screen.end() == Exit.INTERRUPTED
    assert "paused: paused" not in screen.text
    assert "next: `specloom run` goes on where it was" in screen.text


def test_ctrl_c_at_a_question_is_a_no_and_pauses(
    project: Project, scripted: Start, terminal: Callable[..., Terminal]
) -> None:
    screen = terminal(project, "run", *model(scripted(BOTH_TASKS)))
    screen.wait_for("[y]es / [n]o: ")
    screen.type("\x03")
    assert screen.end() == Exit.INTERRUPTED
    assert not (project.root / "greeting.txt").exists()


def test_a_second_ctrl_c_gives_the_terminal_back_at_once(
    project: Project, scripted: Start, terminal: Callable[..., Terminal]
) -> None:
    screen = terminal(project, "run", "--yes", *model(scripted(begun())))
    screen.wait_for("I write greeting.txt")
    screen.type("\x03")
    screen.wait_for("Ctrl-C again ends it now")
    screen.type("\x03")
    assert screen.end() == Exit.INTERRUPTED
    assert "`specloom run` goes on where the log ends" in screen.text
    assert screen.raw.rindex(SHOW) > screen.raw.rindex(HIDE)


def test_a_plan_shows_its_specs_while_they_are_written(
    empty: Project, scripted: Start, terminal: Callable[..., Terminal]
) -> None:
    (empty.root / "requirements.md").write_text(REQUIREMENTS)
    script = plan_script()
    script["sessions"][1]["turns"][0].update(hold="go", hold_after_events=6)
    server = scripted(script)
    screen = terminal(empty, "plan", *model(server))
    screen.wait_for("01 Greeting  writing")
    screen.wait_for("Somebody reads greeting.txt")
    server.release("go")
    assert screen.end() == Exit.OK
    assert "specs/01-greeting.md" in screen.text


@pytest.mark.parametrize("columns", [40, 120])
def test_no_line_of_the_picture_is_wider_than_the_terminal(
    project: Project, scripted: Start, terminal: Callable[..., Terminal], columns: int
) -> None:
    server = scripted(held(1, 0))
    screen = terminal(project, "run", "--yes", *model(server), columns=columns, rows=12)
    screen.wait_for("executor 01/1.2")
    server.release("go")
    assert screen.end() == Exit.OK
    picture = screen.text.partition("2/2 done · 4 turns")[0]
    assert max(len(line) for line in picture.splitlines()) <= columns


def test_an_error_is_broken_between_words(empty: Project, terminal: Callable[..., Terminal]) -> None:
    (empty.root / "requirements.md").write_text("- R1 It SHALL work.\n")
    screen = terminal(empty, "run", columns=60)
    assert screen.end() == Exit.USAGE
    lines = screen.text.strip().splitlines()
    assert len(lines) > 2
    assert max(map(len, lines)) <= 60
    assert " ".join(lines).endswith(
        "or name a local endpoint with --base-url or `base_url` under [models.default] in specloom.toml"
    )


def test_no_colour_is_sent_when_none_is_wanted(
    project: Project, scripted: Start, terminal: Callable[..., Terminal]
) -> None:
    project.environment["NO_COLOR"] = "1"
    screen = terminal(project, "run", "--yes", *model(scripted(BOTH_TASKS)))
    assert screen.end() == Exit.OK
    assert "\x1b[32m" not in screen.raw
    assert "\x1b[36m" not in screen.raw
