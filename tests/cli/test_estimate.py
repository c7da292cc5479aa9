"""`specloom run --estimate`: what a run will probably cost, before anything is asked or written."""

from collections.abc import Callable

from specloom.cli.failures import Exit
from specloom.llm.scripted import ScriptedServer
from tests.cli.conftest import BOTH_TASKS, REQUIREMENTS, SPEC, Project, json_lines
from tests.cli.test_run import model

Start = Callable[..., ScriptedServer]
KEYS = [
    *("type", "scope", "tasks", "held", "rechecked", "unplanned", "planned", "basis", "samples", "model"),
    *("turns", "input", "output", "cached", "costUsd"),
]


def test_without_a_key_and_before_any_run_the_shipped_examples_stand_in(project: Project) -> None:
    done = project.specloom("run", "--estimate", "--json", "--model", "claude-opus-5-5")
    assert done.returncode == Exit.OK, done.stderr
    (told,) = json_lines(done.stdout)
    assert list(told) == KEYS
    assert (told["type"], told["tasks"], told["planned"], told["basis"]) == ("estimate", 2, True, "examples")
    assert 0 < told["costUsd"]["low"] <= told["costUsd"]["likely"] <= told["costUsd"]["high"]
    assert sorted(path.name for path in project.root.iterdir()) == ["requirements.md", "specs"]


def test_an_unknown_price_is_told_as_unknown_and_the_tokens_are_given(project: Project) -> None:
    done = project.specloom("run", "01/1.2", "--estimate", "--model", "house-model")
    assert done.returncode == Exit.OK, done.stderr
    assert "task 01/1.2: 1 task left" in done.stdout
    assert "k) in, " in done.stdout
    assert "unknown: no price is known for house-model" in done.stdout
    assert "$" not in done.stdout


def test_before_a_plan_the_tasks_are_guessed_from_the_requirements(empty: Project) -> None:
    (empty.root / "requirements.md").write_text(REQUIREMENTS)
    done = empty.specloom("run", "--estimate")
    assert done.returncode == Exit.OK, done.stderr
    assert "about 2 tasks after planning" in done.stdout


def test_what_was_done_is_left_out_and_what_was_written_since_counts(project: Project, scripted: Start) -> None:
    server = scripted(BOTH_TASKS)
    assert project.specloom("run", "--yes", *model(server)).returncode == Exit.OK
    assert "nothing left to do" in project.specloom("run", "--estimate").stdout
    (project.root / "greeting.txt").write_text("hello!\n")
    assert "the whole project: 1 proof to verify again" in project.specloom("run", "--estimate").stdout
    (project.root / "greeting.txt").write_text("hello\n")
    (project.root / "specs" / "02-more.md").write_text(SPEC.replace('"01"', '"02"').replace("[R1.1, R1.2]", "[R1.1]"))
    before = server.total
    done = project.specloom("run", "--estimate", *model(server))
    assert "the whole project: 2 tasks left" in done.stdout
    assert server.total == before
    wrong = project.specloom("run", "03", "--estimate")
    assert wrong.returncode == Exit.USAGE
    assert "there is no spec or task '03'" in wrong.stderr
