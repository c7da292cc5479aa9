"""`specloom run` as a process: what it does, says, and exits with."""

import json
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from specloom.cli.failures import Exit
from specloom.llm.scripted import ScriptedServer
from tests.cli.conftest import (
    BOTH_TASKS,
    DEADLINE,
    REQUIREMENTS,
    SPECLOOM,
    Project,
    Running,
    json_lines,
    until,
    write_session,
)
from tests.cli.plans import plan_script

Start = Callable[..., ScriptedServer]
SUMMARY_KEYS = ["type", "tasks", "turns", "usage", "wall_s"]
TASK_KEYS = ["total", "done", "failed", "blocked", "skipped", "pending"]
USAGE_KEYS = ["input", "output", "cacheRead", "cacheWrite", "costUsd"]


def model(server: ScriptedServer) -> tuple[str, ...]:
    """Options that make the command use it."""
    return ("--model", "scripted-1", "--base-url", server.base_url)


def held() -> dict[str, Any]:
    """Both tasks; the first answer does not begin before `go`."""
    script: dict[str, Any] = json.loads(json.dumps(BOTH_TASKS))
    script["sessions"][0]["turns"][0]["hold"] = "go"
    return script


def summary_of(stdout: str) -> dict[str, Any]:
    """The last line, whose form scripts rely on."""
    *events, summary = json_lines(stdout)
    assert all({"type", "seq", "at"} <= event.keys() for event in events)
    assert list(summary) == SUMMARY_KEYS
    assert summary["type"] == "summary"
    assert list(summary["tasks"]) == TASK_KEYS
    assert list(summary["usage"]) == USAGE_KEYS
    total, *rest = summary["tasks"].values()
    assert total == sum(rest)
    return summary


def test_a_run_ends_with_proven_tasks_and_status_0(project: Project, scripted: Start) -> None:
    server = scripted(BOTH_TASKS)
    done = project.specloom("run", "--yes", *model(server))
    assert done.returncode == Exit.OK, done.stderr
    assert (project.root / "farewell.txt").read_text() == "goodbye\n"
    assert "✓ 01/1.1 Write the greeting: proven" in done.stdout
    assert "2/2 done · 4 turns" in done.stdout
    assert "cost unknown" in done.stdout
    assert "\x1b" not in done.stdout
    server.check()


def test_json_is_events_and_a_summary_and_nothing_else(project: Project, scripted: Start) -> None:
    done = project.specloom("run", "--yes", "--json", *model(scripted(BOTH_TASKS)))
    assert done.returncode == Exit.OK, done.stderr
    summary = summary_of(done.stdout)
    assert summary["tasks"] == {"total": 2, "done": 2, "failed": 0, "blocked": 0, "skipped": 0, "pending": 0}
    assert summary["turns"] == 4
    assert summary["usage"]["output"] > 0
    events = json_lines(done.stdout)[:-1]
    assert [event["seq"] for event in events] == sorted({event["seq"] for event in events})
    assert {"runStarted", "taskStarted", "taskDone", "runFinished"} <= {event["type"] for event in events}


def test_a_scope_limits_the_run_and_the_summary(project: Project, scripted: Start) -> None:
    server = scripted({"sessions": BOTH_TASKS["sessions"][:1]})
    done = project.specloom("run", "01/1.1", "--yes", "--json", *model(server))
    assert done.returncode == Exit.OK, done.stderr
    assert summary_of(done.stdout)["tasks"]["total"] == 1
    assert not (project.root / "farewell.txt").exists()


def test_nobody_to_ask_denies_and_says_so(project: Project, scripted: Start) -> None:
    done = project.specloom("run", *model(scripted(BOTH_TASKS)))
    assert done.returncode == Exit.INCOMPLETE
    assert "--yes" in done.stdout
    assert "2 blocked" in done.stdout or "1 blocked" in done.stdout
    assert not (project.root / "greeting.txt").exists()


def test_a_task_that_fails_gives_status_1_and_names_the_next_step(project: Project, scripted: Start) -> None:
    (project.root / "specloom.toml").write_text("[limits]\nattempts = 1\n")
    server = scripted({"sessions": [write_session("01/1.1", "greeting.txt", "good day\n")]})
    done = project.specloom("run", "--yes", *model(server))
    assert done.returncode == Exit.INCOMPLETE
    assert "verification failed: `grep -q hello greeting.txt` ended with 1" in done.stdout
    assert "`specloom run 01/1.1` tries a failed task again" in done.stdout
    assert "0/2 done, 1 failed, 1 blocked" in done.stdout


def test_a_second_attempt_is_told_and_counted(project: Project, scripted: Start) -> None:
    first = write_session("01/1.1", "greeting.txt", "good day\n")
    second = write_session("01/1.1", "greeting.txt", "hello\n", attempt=2)
    second["turns"][0]["answer"][1] = {
        "tool": "edit_file",
        "input": {
            "path": "greeting.txt",
            "edits": [
                {"start_line": 1, "start_text": "good day", "end_line": 1, "end_text": "good day", "new_text": "hello"}
            ],
        },
    }
    second["turns"].insert(0, {"answer": [{"tool": "read_file", "input": {"path": "greeting.txt"}}]})
    server = scripted({"sessions": [first, second]})
    done = project.specloom("run", "01/1.1", "--yes", *model(server))
    assert done.returncode == Exit.OK, done.stdout + done.stderr
    assert "(attempt 2)" in done.stdout
    assert "this attempt failed" in done.stdout
    server.check()


def test_a_used_up_budget_gives_status_3(project: Project, scripted: Start) -> None:
    (project.root / "specloom.toml").write_text("[prices.scripted-1]\ninput = 1000000.0\noutput = 1000000.0\n")
    done = project.specloom("run", "--yes", "--budget-usd", "0.01", "--json", *model(scripted(BOTH_TASKS)))
    assert done.returncode == Exit.BUDGET, done.stderr
    summary = summary_of(done.stdout)
    assert summary["usage"]["costUsd"] > 0.01
    assert summary["tasks"]["pending"] > 0


def test_a_budget_in_money_that_could_not_hold_is_refused_before_anything_is_asked(
    project: Project, scripted: Start
) -> None:
    server = scripted(BOTH_TASKS)
    done = project.specloom("run", "--yes", "--budget-usd", "0.01", *model(server))
    assert done.returncode == Exit.USAGE, done.stderr
    assert "price of scripted-1 is not known" in done.stderr
    assert "[budget]" in done.stderr
    assert server.total == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_settles_pauses_and_the_next_run_goes_on(
    project: Project,
    scripted: Start,
    running: Callable[[Project], Callable[..., Running]],
    number: signal.Signals,
) -> None:
    server = scripted(held())
    command = running(project)("run", "--yes", *model(server))
    until(lambda: server.total == 1, "the first request")
    command.interrupt(number)
    command.wait_for("the model has not begun to answer")
    # Nobody lets the model answer: the command must not wait for it.
    assert command.end() == Exit.INTERRUPTED
    assert "next: `specloom run` goes on where it was" in command.lines
    assert project.specloom("tasks", "--state", "done").stdout == "no task is done\n"
    server.release("go")

    again = project.specloom("run", "--yes", *model(server))
    assert again.returncode == Exit.OK, again.stdout + again.stderr
    assert "going on with the run of the whole project that an earlier process left" in again.stdout
    assert "2/2 done" in again.stdout
    server.check()


def test_an_interrupt_does_not_wait_for_another_try(
    project: Project, scripted: Start, running: Callable[[Project], Callable[..., Running]]
) -> None:
    script: dict[str, Any] = json.loads(json.dumps(BOTH_TASKS))
    script["sessions"][0]["turns"][0]["fault"] = {"status": 429, "retry_after": "60", "times": 1}
    server = scripted(script)
    command = running(project)("run", "--yes", *model(server))
    command.wait_for("asking again in 1:00")
    command.interrupt()
    # Which is waited for less long than the minute.
    assert command.end() == Exit.INTERRUPTED
    again = project.specloom("run", "--yes", *model(server))
    assert again.returncode == Exit.OK, again.stdout + again.stderr


def test_an_interrupt_ends_a_plan_whose_model_says_nothing(
    empty: Project, scripted: Start, running: Callable[[Project], Callable[..., Running]]
) -> None:
    (empty.root / "requirements.md").write_text(REQUIREMENTS)
    script = plan_script()
    script["sessions"][0]["turns"][0]["hold"] = "go"
    server = scripted(script)
    command = running(empty)("plan", *model(server))
    until(lambda: server.total == 1, "the first request")
    command.interrupt()
    assert command.end() == Exit.INTERRUPTED
    assert any("plan failed" in line for line in command.lines)
    server.release("go")
    assert empty.specloom("plan", *model(server)).returncode == Exit.OK


def test_a_second_interrupt_ends_it_now_and_nothing_is_lost(
    project: Project, scripted: Start, running: Callable[[Project], Callable[..., Running]]
) -> None:
    script: dict[str, Any] = json.loads(json.dumps(BOTH_TASKS))
    slow = {"answer": [{"tool": "run_command", "input": {"command": "sleep 300"}}]}
    script["sessions"][0]["turns"].insert(0, slow)
    server = scripted(script)
    command = running(project)("run", "--yes", *model(server))
    command.wait_for("$ sleep 300")
    command.interrupt()
    command.wait_for("pausing: what is in flight ends first")
    command.interrupt()
    assert command.end() == Exit.INTERRUPTED
    assert "Traceback" not in "\n".join(command.errors)

    again = project.specloom("run", "--yes", *model(server))
    assert again.returncode == Exit.OK, again.stdout + again.stderr
    assert "2/2 done" in again.stdout


def test_reading_works_while_a_run_holds_the_lock(
    project: Project, scripted: Start, running: Callable[[Project], Callable[..., Running]]
) -> None:
    script: dict[str, Any] = json.loads(json.dumps(BOTH_TASKS))
    script["sessions"][1]["turns"][0]["hold"] = "go"
    server = scripted(script)
    command = running(project)("run", "--yes", *model(server))
    until(lambda: server.total == 3, "the second task")
    tasks = json_lines(project.specloom("tasks", "--json").stdout)
    assert [(task["id"], task["state"], task["proven"]) for task in tasks] == [
        ("01/1.1", "done", True),
        ("01/1.2", "in_progress", False),
    ]
    status = project.specloom("status")
    assert status.returncode == 0
    assert "running" in status.stdout
    assert "1/2 done" in status.stdout
    events = json_lines(project.specloom("events", "--json").stdout)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    second = project.specloom("run", "--yes", *model(server))
    assert (second.returncode, second.stdout) == (Exit.USAGE, "")
    assert "in use by specloom run" in second.stderr
    server.release("go")
    assert command.end() == Exit.OK


def test_a_reader_that_goes_away_ends_the_run_quietly(project: Project, scripted: Start) -> None:
    script: dict[str, Any] = json.loads(json.dumps(BOTH_TASKS))
    script["sessions"][0]["turns"][0]["hold"] = "go"
    server = scripted(script)
    with subprocess.Popen(
        [SPECLOOM, "run", "--yes", "--json", *model(server)],
        cwd=project.root,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        assert server.wait(lambda served: served.total == 1, DEADLINE)
        command.stdout.close()
        server.release("go")
        assert command.wait(DEADLINE) == Exit.INTERRUPTED
        assert command.stderr.read() == b""
    assert "goes on where it was" in project.specloom("status").stdout
