"""`status`, `tasks` and `events`: they read the log, and only read."""

import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specloom.cli.failures import Exit
from specloom.llm.scripted import ScriptedServer
from tests.cli.conftest import (
    BOTH_TASKS,
    DEADLINE,
    SPECLOOM,
    Project,
    Running,
    json_lines,
    new_project,
    until,
    write_session,
)
from tests.cli.test_run import model

Start = Callable[..., ScriptedServer]
READERS = (["status"], ["tasks"], ["events"])


@pytest.mark.parametrize("words", READERS)
def test_a_folder_without_a_log_is_told_so_kindly_and_left_alone(empty: Project, words: list[str]) -> None:
    done = empty.specloom(*words)
    assert (done.returncode, done.stderr) == (Exit.OK, "")
    assert "nothing planned yet" in done.stdout
    assert "specloom plan" in done.stdout
    assert list(empty.root.iterdir()) == []


def test_where_nothing_is_wanted_yet_the_next_step_is_to_write_it_down(empty: Project) -> None:
    assert "write what is wanted into requirements.md, one item a line, then `specloom plan`" in " ".join(
        empty.specloom("status").stdout.split()
    )
    (empty.root / "requirements.md").write_text("- R1 It SHALL work.\n")
    assert "write what is wanted" not in empty.specloom("status").stdout


def test_boxes_that_were_ticked_before_are_not_told_as_proven(project: Project) -> None:
    (spec,) = (project.root / "specs").iterdir()
    spec.write_text(spec.read_text().replace("- [ ]", "- [x]"))
    assert "2/2 done (2 found ticked, not proven here)" in project.specloom("status").stdout


@pytest.mark.parametrize("words", [["tasks", "--json"], ["events", "--json"]])
def test_a_folder_without_a_log_gives_no_json_lines(empty: Project, words: list[str]) -> None:
    done = empty.specloom(*words)
    assert (done.returncode, done.stdout, done.stderr) == (Exit.OK, "", "")


@pytest.fixture(scope="module")
def half_done_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One task proven, the other failed: nobody may change it."""
    project = new_project(tmp_path_factory.mktemp("half-done"))
    (project.root / "specloom.toml").write_text("[limits]\nattempts = 1\n")
    sessions = [BOTH_TASKS["sessions"][0], write_session("01/1.2", "farewell.txt", "so long\n")]
    server = ScriptedServer({"sessions": sessions})
    server.start()
    try:
        done = project.specloom("run", "--yes", *model(server))
    finally:
        server.stop()
    assert done.returncode == Exit.INCOMPLETE, done.stdout + done.stderr
    return project


@pytest.fixture
def half_done(half_done_once: Project, tmp_path: Path) -> Project:
    """One task proven, the other failed: a copy of one's own."""
    root = tmp_path / "greeter"
    shutil.copytree(half_done_once.root, root)
    return Project(root, half_done_once.environment)


def test_status_tells_counts_failures_and_the_next_step(half_done: Project) -> None:
    done = half_done.specloom("status")
    assert done.returncode == Exit.OK
    lines = {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in done.stdout.splitlines() if " " in line}
    assert lines["tasks"] == "1/2 done, 1 failed"
    assert lines["failed"].startswith("01/1.2: ")
    assert lines["next"].startswith("`specloom run 01/1.2` tries a failed task again")
    assert lines["run"].startswith("incomplete")


def test_status_tells_what_was_changed_by_hand_while_nothing_ran(project: Project, scripted: Start) -> None:
    document, spec = project.root / "requirements.md", project.root / "specs" / "01-greeting.md"
    assert project.specloom("run", "--yes", *model(scripted(BOTH_TASKS))).returncode == Exit.OK
    calm = project.specloom("status").stdout
    assert "changed" not in calm
    assert "stale" not in calm
    was = document.read_text()
    (project.root / "greeting.txt").write_text("hello you\n")
    document.write_text(was.replace("says goodbye", "says farewell"))
    spec.write_text(spec.read_text() + "- [ ] 2 Rest\n")
    (project.root / "specloom.toml").write_text("colour = 3\n")
    lines = [" ".join(line.split()) for line in project.specloom("status").stdout.splitlines()]
    assert "stale 01/1.1: greeting.txt changed since; a run verifies it once more" in lines
    assert "stale 01/1.2: requirement R1.2 changed since; a run verifies it once more" in lines
    assert "changed requirements.md, specs/01-greeting.md; the next plan or run reads it" in lines
    assert any(line.startswith("problem specloom.toml:1:1: error: `colour`") for line in lines)
    assert json_lines(project.specloom("status", "--json").stdout)[0]["changed"] == [
        "requirements.md",
        "specs/01-greeting.md",
    ]
    (project.root / "greeting.txt").write_text("hello\n")
    document.write_text(was)
    assert "stale" not in project.specloom("status").stdout


def test_status_in_json_is_one_object(half_done: Project) -> None:
    (status,) = json_lines(half_done.specloom("status", "--json").stdout)
    assert status["type"] == "status"
    assert status["tasks"] == {"total": 2, "done": 1, "failed": 1, "blocked": 0, "skipped": 0, "pending": 0}
    assert status["run"]["outcome"] == "incomplete"
    assert list(status["usage"]) == ["input", "output", "cacheRead", "cacheWrite", "costUsd"]
    assert status["specs"] == [{"id": "01", "title": "Greeting", "done": 1, "total": 2, "generating": False}]


def test_tasks_can_be_chosen_by_state_and_spec(half_done: Project) -> None:
    assert "✗ 01/1.2 Write the farewell  failed: " in half_done.specloom("tasks", "--state", "failed").stdout
    assert half_done.specloom("tasks", "--state", "blocked").stdout == "no task is blocked\n"
    (failed,) = json_lines(half_done.specloom("tasks", "--state", "failed", "--json").stdout)
    assert (failed["id"], failed["state"], failed["verify"]) == ("01/1.2", "failed", ["grep -q goodbye farewell.txt"])
    unknown = half_done.specloom("tasks", "--spec", "02")
    assert unknown.returncode == Exit.USAGE
    assert unknown.stderr == "specloom: there is no spec '02'; did you mean 01?\n"


def test_events_are_complete_and_can_begin_anywhere(half_done: Project) -> None:
    everything = json_lines(half_done.specloom("events", "--json").stdout)
    assert [event["seq"] for event in everything] == list(range(1, len(everything) + 1))
    later = json_lines(half_done.specloom("events", "--json", "--since", "10").stdout)
    assert later == everything[10:]
    lines = half_done.specloom("events").stdout.splitlines()
    assert len(lines) == len(everything)
    assert any("CheckSettled" in line and "exitCode=0" in line for line in lines)


def test_following_shows_what_comes_and_ends_with_an_interrupt(
    half_done: Project, scripted: Start, running: Callable[[Project], Callable[..., Running]]
) -> None:
    follower = running(half_done)("events", "--follow", "--json")
    follower.wait_for('"type":"runFinished"')
    known = len(follower.lines)
    session = write_session("01/1.2", "farewell.txt", "goodbye\n")
    session["turns"].insert(0, {"answer": [{"tool": "read_file", "input": {"path": "farewell.txt"}}]})
    done = half_done.specloom("run", "01/1.2", "--yes", *model(scripted({"sessions": [session]})))
    assert done.returncode == Exit.OK, done.stdout + done.stderr
    follower.wait_for('"proven":true,"evidence":[{"kind":"command"')
    until_end = json_lines(half_done.specloom("events", "--json").stdout)
    follower.wait_for(f'"seq":{len(until_end)},')
    follower.interrupt(signal.SIGINT)
    assert follower.end() == Exit.OK
    followed: list[dict[str, Any]] = json_lines("\n".join(follower.lines))
    assert followed == until_end
    assert len(followed) > known


def test_a_killed_run_is_told_as_stopped_and_no_longer_followed(
    project: Project, scripted: Start, running: Callable[[Project], Callable[..., Running]]
) -> None:
    session = dict(BOTH_TASKS["sessions"][0])
    first, second = session["turns"]
    session["turns"] = [{**first, "hold": "never"}, second]
    server = scripted({"sessions": [session]})
    worker = running(project)("run", "01/1.1", "--yes", *model(server))
    until(lambda: server.total == 1, "the first request")
    follower = running(project)("events", "--follow")
    follower.wait_for("TaskStarted")
    (working,) = json_lines(project.specloom("status", "--json").stdout)
    assert working["writer"] == f"specloom run in greeter (pid {worker.process.pid})"
    assert "`specloom attach` shows the run" in working["next"]

    worker.interrupt(signal.SIGKILL)
    assert follower.end() == Exit.OK
    assert follower.errors == ["specloom: stopped; `specloom run` goes on where it was"]
    said = project.specloom("status").stdout
    assert "stopped, task 01/1.1" in said
    assert "`specloom run` goes on where it was" in said
    assert "--follow" not in said


def test_a_reader_that_goes_away_is_no_failure(half_done: Project) -> None:
    with subprocess.Popen(
        [SPECLOOM, "events", "--follow"],
        cwd=half_done.root,
        env=half_done.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.readline()
        command.stdout.close()
        (half_done.root / "requirements.md").write_text("# Other\n\n- R9.1 The project SHALL be other.\n")
        half_done.specloom("run", "--yes", "--model", "m", "--base-url", "http://127.0.0.1:9")
        assert command.wait(DEADLINE) == Exit.OK
        assert command.stderr.read() == b""


def in_shell(project: Project, command: str) -> subprocess.CompletedProcess[str]:
    """A command line of a shell, which may close descriptors."""
    return subprocess.run(
        ["sh", "-c", command],
        cwd=project.root,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


@pytest.mark.parametrize("words", [*READERS, ["run"], ["status", "--json"]])
def test_a_closed_standard_output_is_one_line_and_status_2(half_done: Project, words: list[str]) -> None:
    done = in_shell(half_done, f"specloom {' '.join(words)} >&-")
    assert done.returncode == Exit.USAGE
    assert done.stderr == "specloom: standard output is closed; leave it open, or send it to /dev/null\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("words", [*READERS, ["status", "--json"]])
def test_a_full_disk_behind_standard_output_is_one_line_and_status_2(half_done: Project, words: list[str]) -> None:
    done = in_shell(half_done, f"specloom {' '.join(words)} >/dev/full")
    assert done.returncode == Exit.USAGE
    assert done.stderr.startswith("specloom: standard output cannot be written: No space left on device; ")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("words", ["--help", "--version", "run --help"])
@pytest.mark.parametrize("buffered", [True, False])
def test_help_that_cannot_be_written_is_one_line_and_status_2(empty: Project, words: str, buffered: bool) -> None:
    empty.environment["PYTHONUNBUFFERED"] = "" if buffered else "1"
    done = in_shell(empty, f"specloom {words} >/dev/full")
    assert done.returncode == Exit.USAGE
    assert done.stderr.startswith("specloom: standard output cannot be written: No space left on device; ")
    assert done.stderr.count("\n") == 1
    assert "standard output is closed" in in_shell(empty, f"specloom {words} >&-").stderr


@pytest.mark.parametrize("words", ["--help", "status", "status --json", "tasks", "events --json", "doctor --offline"])
def test_a_reader_that_takes_one_line_is_no_fault(half_done: Project, words: str) -> None:
    done = in_shell(half_done, f"specloom {words} | true")
    assert (done.returncode, done.stderr) == (Exit.OK, "")


@pytest.mark.parametrize("words", ["bogus", "", "run --budget-usd x", "status --workspace nowhere"])
@pytest.mark.parametrize("errors", ["2>/dev/full", "2>&-"])
def test_an_error_that_nobody_can_be_told_is_still_status_2(empty: Project, words: str, errors: str) -> None:
    done = in_shell(empty, f"specloom {words} {errors}")
    assert (done.returncode, done.stdout, done.stderr) == (Exit.USAGE, "", "")


def test_closed_input_and_errors_are_in_nobodys_way(half_done: Project) -> None:
    done = in_shell(half_done, "specloom status <&- 2>&-")
    assert (done.returncode, "1/2 done" in done.stdout) == (Exit.OK, True)


def test_a_log_in_a_folder_that_only_the_settings_propose_is_named(half_done: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (half_done.root / ".specloom").rename(elsewhere)
    (half_done.root / "specloom.toml").write_text(f'state_dir = "{elsewhere}"\n')
    done = half_done.specloom("status")
    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    assert f"set SPECLOOM_STATE_DIR={elsewhere} to read it" in done.stderr
    half_done.environment["SPECLOOM_STATE_DIR"] = str(elsewhere)
    assert "1/2 done" in half_done.specloom("status").stdout


def test_nothing_is_written_by_reading(half_done: Project) -> None:
    state = half_done.root / ".specloom"
    before = {path: path.stat().st_mtime_ns for path in state.rglob("*.db")}
    for words in READERS:
        assert half_done.specloom(*words).returncode == Exit.OK
    assert {path: path.stat().st_mtime_ns for path in state.rglob("*.db")} == before
