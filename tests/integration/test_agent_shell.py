"""An agent's shell in a run: it lasts from turn to turn, tells of its jobs, and is gone before anything is verified."""

from pathlib import Path
from typing import Any

import psutil

from specloom.domain.runs import Budget, Scope
from specloom.domain.states import TaskState
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.killing import working
from tests.integration.projects import USER, hosted, run
from tests.integration.shells import until, words_of
from tests.integration.stage import (
    DEADLINE,
    ONE,
    attempt,
    command,
    project,
    read,
    says,
    script,
    task,
    turn,
    until_file,
    write,
)
from tests.integration.test_engine_crash import resumes


def job(text: str) -> dict[str, Any]:
    """A call that starts a job."""
    return {"tool": "run_command", "input": {"command": text, "blocking": False}}


def sleeping() -> set[str]:
    """The last word of each process below ours."""
    lines = [words_of(child) for child in psutil.Process().children(recursive=True)]
    return {words[-1] for words in lines if words}


async def test_shell_lasts_from_turn_to_turn_and_ends_before_verification(tmp_path: Path) -> None:
    fresh = '[ -z "$MINE" ] && [ "$(basename $PWD)" = p ] && ! pgrep -f "^sleep 278[.]5"'
    root = project(tmp_path / "p", task(1, fresh))
    turns = (
        turn(command("mkdir sub; cd sub; export MINE=1; sleep 278.5 &")),
        turn(command("basename $PWD; echo mine=$MINE"), expect="the shell is now in sub"),
        turn(says(), expect="sub\nmine=1"),
    )
    async with ScriptedServer(script(attempt(1, *turns))) as server, hosted(root, server) as runtime:
        await run(runtime, Scope("task", ONE))
        assert runtime.state.record(ONE).state is TaskState.DONE
        server.check()


async def test_each_attempt_begins_with_a_fresh_shell(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f done.txt"))
    first = attempt(1, turn(command("mkdir sub; cd sub; export MINE=1")), turn(says()))
    second = attempt(
        1, turn(command("basename $PWD; echo mine=$MINE; touch done.txt")), turn(says(), expect="p\nmine=\n"), at=2
    )
    async with ScriptedServer(script(first, second)) as server, hosted(root, server) as runtime:
        await run(runtime, Scope("task", ONE))
        assert runtime.state.record(ONE).state is TaskState.DONE
        server.check()


async def test_end_of_a_job_is_told_with_the_next_result_of_any_tool(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f made.txt"))
    (root / "a.txt").write_text("a\n")
    turns = (
        turn(job("until [ -e go ]; do sleep 0.05; done; touch made.txt; exit 7")),
        turn(command("touch go; until [ -e made.txt ]; do sleep 0.05; done; sleep 2"), expect="job 1 was started"),
        turn(read("a.txt")),
        turn(says()),
    )
    async with ScriptedServer(script(attempt(1, *turns))) as server, hosted(root, server) as runtime:
        await run(runtime, Scope("task", ONE))
        told = str(server.requests[-1].body)
        assert "(job 1 (`until [ -e go ]" in told
        assert told.count("ended with exit code 7; its output: ") == 1
        assert runtime.state.record(ONE).state is TaskState.DONE


async def test_what_a_job_changes_between_commands_is_in_the_change_set(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "grep -q late late.txt"))
    (root / "late.txt").write_text("before\n")
    (root / "mine.txt").write_text("one\n")
    turns = (
        turn(job("until [ -e mine.new ]; do sleep 0.02; done; echo late >late.txt; touch written")),
        turn(write("mine.new", "new\n")),
        turn(command("until [ -e written ]; do sleep 0.02; done")),
        turn(says()),
    )
    async with ScriptedServer(script(attempt(1, *turns))) as server, hosted(root, server) as runtime:
        await run(runtime, Scope("task", ONE))
        diff = await runtime.diff(ONE)
        assert "-before\n+late" in diff
        assert diff.count("+++ b/mine.new") == 1
        server.check()


async def test_what_a_job_changes_after_the_last_command_is_in_the_change_set_too(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "true"))
    (root / "late.txt").write_text("before\n")
    turns = (turn(job("trap 'echo at the end >late.txt; exit' TERM; touch up; while :; do sleep 0.05; done")),)
    wait = turn(command("until [ -e up ]; do sleep 0.02; done"))
    async with (
        ScriptedServer(script(attempt(1, *turns, wait, turn(says())))) as server,
        hosted(root, server) as runtime,
    ):
        await run(runtime, Scope("task", ONE))
        assert "-before\n+at the end" in await runtime.diff(ONE)


async def test_cancelled_run_leaves_no_process_of_its_agent(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f no.txt"))
    turns = (turn(job("sleep 277")), turn(command("sleep 276 & touch up; wait")))
    async with ScriptedServer(script(attempt(1, *turns))) as server, hosted(root, server) as runtime:
        await runtime.start_run(Scope("task", ONE), Budget(), USER, unattended=True)
        await until_file(root / "up")
        # What was started first need not be there first.
        await until(lambda: {"276", "277"} <= sleeping())
        await runtime.cancel(USER)
        assert not {"276", "277"} & sleeping()


async def test_logs_of_commands_stand_in_the_state_folder_for_nobody_else(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "true"))
    turns = (turn(command("echo to the log")), turn(says()))
    async with ScriptedServer(script(attempt(1, *turns))) as server, hosted(root, server) as runtime:
        await run(runtime, Scope("task", ONE))
    (log,) = (root / ".specloom" / "sessions").glob("*/outputs/1.log")
    assert log.read_text() == "to the log\n"
    assert log.stat().st_mode & 0o777 == 0o600
    assert {path.stat().st_mode & 0o777 for path in (log.parent, log.parent.parent)} == {0o700}


async def test_first_answer_after_a_restart_says_that_the_shell_is_fresh(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "true"))
    turns = (
        turn(command("mkdir sub; cd sub; export MINE=1")),
        turn(command("touch held"), hold="answer", hold_after_events=2),
        turn(command("basename $PWD; echo mine=$MINE"), expect="Specloom was restarted: this is a fresh shell"),
        turn(says(), expect="exit code 0\np\nmine="),
    )
    async with ScriptedServer(script(attempt(1, *turns))) as server:
        process = await working(root, server.base_url)
        assert await server.until(lambda known: known.total == 2, DEADLINE)
        process.kill()
        await process.wait()
        server.release("answer")
        async with hosted(root, server) as runtime:
            await resumes(runtime)
            assert runtime.state.record(ONE).state is TaskState.DONE
        server.check()
