"""`logs`: records of real processes, filtered, followed over files, and never with what somebody wrote."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from specloom.cli.failures import Exit
from specloom.llm.scripted import ScriptedServer
from specloom.logs.place import files_in
from tests.cli.conftest import BOTH_TASKS, DEADLINE, Project, Running, json_lines
from tests.cli.test_run import model

MANY = range(60_000)
MEASURED = """
import sys
from specloom.__main__ import main
main(sys.argv[1:])
# Not what `getrusage` tells, in which the process counts that this one came from.
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(peak, file=sys.stderr)
"""
"""Tells its peak memory in KiB."""
Start = Callable[..., ScriptedServer]
WRITTEN = ("I write greeting.txt now", "hello", "shall hold a file", "goodbye")
"""What user and model say in the story."""


def ran(project: Project, scripted: Start, folder: Path, **environment: str) -> None:
    """A whole run with its log in `folder`."""
    project.environment |= {"SPECLOOM_LOG_DIR": str(folder), **environment}
    done = project.specloom("run", "--yes", *model(scripted(BOTH_TASKS)))
    assert done.returncode == Exit.OK, done.stderr


def whole(folder: Path) -> str:
    """All that was logged."""
    return "".join(file.path.read_text() for file in files_in(folder))


def test_run_is_told_with_its_turns_and_tools_and_without_its_words(
    project: Project, scripted: Start, tmp_path: Path
) -> None:
    ran(project, scripted, tmp_path / "logs", SPECLOOM_LOG_LEVEL="DEBUG")
    assert [word for word in WRITTEN if word.lower() in whole(tmp_path / "logs").lower()] == []
    told = project.specloom("logs")
    assert (told.returncode, told.stderr) == (Exit.OK, "")
    for part in (
        "run started",
        "turn 1 answered  model=",
        "tool write_file done",
        "run ended: completed",
        "run ends with",
    ):
        assert part in told.stdout, part
    of_task = json_lines(project.specloom("logs", "--json", "--task", "01/1.2", "--level", "debug").stdout)
    assert {record["task"] for record in of_task} == {"01/1.2"}
    session = next(record["session"] for record in of_task if record["session"])
    assert {
        record["session"] for record in json_lines(project.specloom("logs", "--json", "--session", session[:30]).stdout)
    } == {session}
    assert json_lines(project.specloom("logs", "--json", "--level", "ERROR").stdout) == []


def test_words_are_there_for_whoever_switched_that_on(project: Project, scripted: Start, tmp_path: Path) -> None:
    ran(project, scripted, tmp_path / "logs", SPECLOOM_LOG_CONTENT="1")
    assert "I write greeting.txt now" in whole(tmp_path / "logs")


def test_records_of_other_folders_levels_and_days_are_left_out(empty: Project, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    empty.environment["SPECLOOM_LOG_DIR"] = str(logs)
    here, there = str(empty.root.resolve()), "/elsewhere"

    def record(number: int, workspace: str, level: str = "INFO", at: str = "2026-01-01T00:00:00.000Z") -> str:
        return json.dumps({"at": at, "level": level, "workspace": workspace, "message": f"record {number}"}) + "\n"

    (logs / "2026-01-01.jsonl").write_text(record(1, here) + '{"at": "2026-01-01T00:0' + "\n[]\n" + record(2, there))
    (logs / "2026-01-01.1.jsonl").write_text(record(3, "", "ERROR") + record(4, here, "DEBUG"))
    (logs / "2026-01-02.jsonl").write_text(record(5, here, at="9999-01-01T00:00:00.000Z") + '{"torn')

    def shown(*words: str) -> list[int]:
        return [int(item["message"].split()[1]) for item in json_lines(empty.specloom("logs", "--json", *words).stdout)]

    assert shown() == [1, 3, 5]
    assert shown("--all") == [1, 2, 3, 5]
    assert shown("--level", "debug") == [1, 3, 4, 5]
    assert shown("--level", "ERROR") == [3]
    assert shown("--since", "2h") == [5]
    assert "nothing to show" in empty.specloom("logs", "--task", "01/9").stderr
    assert empty.specloom("logs", "--since", "soon").returncode == Exit.USAGE


def test_following_goes_on_over_files_and_takes_a_line_when_it_is_whole(
    empty: Project, running: Callable[[Project], Callable[..., Running]], tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    empty.environment["SPECLOOM_LOG_DIR"] = str(logs)
    first, second = logs / "2026-01-01.jsonl", logs / "2026-01-01.1.jsonl"
    first.write_text('{"level": "INFO", "message": "one"}\n')
    following = running(empty)("logs", "--follow")
    following.wait_for("one")
    with first.open("a") as file:
        file.write('{"level": "INFO", "mess')
        file.flush()
        second.write_text('{"level": "INFO", "message": "two"}\n')
        following.wait_for("two")
        file.write('age": "three"}\n')
    following.wait_for("three")
    following.interrupt(signal.SIGINT)
    assert following.end() == Exit.OK
    assert len(following.lines) == 3


def test_records_without_number_are_shown_as_they_are_read(empty: Project, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    empty.environment["SPECLOOM_LOG_DIR"] = str(logs)
    for day in (1, 2):
        records = ({"at": f"2026-01-0{day}T{number:06}", "level": "INFO", "message": "x" * 500} for number in MANY)
        (logs / f"2026-01-0{day}.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "logs", "--all", "--json"],
        cwd=empty.root,
        env=empty.environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    shown = [record["at"] for record in json_lines(done.stdout)]
    assert (len(shown), shown) == (2 * len(MANY), sorted(shown))
    # Kept together they would take more than a KiB each.
    assert int(done.stderr.splitlines()[-1]) < 100_000
