"""An agent that goes in circles is told so, then a fresh session takes over, then its task is blocked with a reason."""

import asyncio
import shutil
from pathlib import Path

import pytest

from specloom.domain.events import agents
from specloom.domain.runs import RunOutcome
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import USER, hosted, session
from tests.integration.stage import (
    ONE,
    Json,
    attempt,
    command,
    ended,
    events_of,
    first_message,
    project,
    read,
    says,
    script,
    staged,
    start,
    task,
    turn,
    until_event,
    write,
)

HOLDS = "test -f a.txt"
NEXT = "# Hand-over: 01/1, attempt 1, session 2"
SUMMARY = session("summary", "What remains to be done?", turns=[turn(says("Nothing was found."))])
TOLD = "(specloom: "


def one_task(tmp_path: Path) -> Path:
    root = project(tmp_path / "p", task(1, HOLDS))
    (root / "b.txt").write_text("A\n")
    return root


def first(*turns: Json) -> Json:
    return attempt(1, *turns, not_first="# Hand-over")


async def steps(runtime: ProjectRuntime) -> list[tuple[str, str]]:
    return [(event.circle.value, event.step) for event in await events_of(runtime, agents.NoProgressSeen)]


async def test_agent_that_repeats_itself_is_told_then_replaced_then_blocked(tmp_path: Path) -> None:
    same = turn(command("true"))
    loops = [*[same] * 5, turn(command("true"), expect=TOLD), *[same] * 3]
    sessions = first(*loops), SUMMARY, session("second", NEXT, turns=[same] * 5)
    async with staged(one_task(tmp_path), *sessions) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.INCOMPLETE
        assert await steps(runtime) == [("repeats", "nudge"), ("repeats", "session"), ("repeats", "block")]
        record = runtime.state.record(ONE)
        assert record.state is TaskState.BLOCKED
        assert record.reason.startswith("no progress: 4 turns in a row repeated calls")
        assert "ended: no progress: 4 turns in a row repeated calls" in first_message(server, "second")


async def test_edits_back_and_forth_are_found_and_a_hint_may_be_all_that_it_takes(tmp_path: Path) -> None:
    there, back = turn(write("b.txt", "B\n")), turn(write("b.txt", "A\n"))
    loops = [turn(read("b.txt")), there, back, there, back, there]
    ends = [turn(write("a.txt", "a\n"), expect=TOLD), turn(says())]
    async with staged(one_task(tmp_path), first(*loops, *ends)) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert await steps(runtime) == [("ping-pong", "nudge")]


async def test_turns_without_a_call_are_found(tmp_path: Path) -> None:
    # An answer that is sent back to be gone on with counts as one for the script.
    paused = turn(says("Hm."), stop="pause_turn")
    async with staged(one_task(tmp_path), first(paused, paused, turn(write("a.txt", "a\n")), turn(says()))) as (
        runtime,
        _,
    ):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert await steps(runtime) == [("empty", "nudge")]


async def test_turns_that_the_endpoint_pauses_for_ever_come_to_an_end(tmp_path: Path) -> None:
    paused = turn(says("Hm."), stop="pause_turn")
    sessions = first(*[paused] * 3), SUMMARY, session("second", NEXT, turns=[paused] * 2)
    async with staged(one_task(tmp_path), *sessions) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.INCOMPLETE
        assert await steps(runtime) == [("empty", "nudge"), ("empty", "session"), ("empty", "block")]
        assert runtime.state.record(ONE).state is TaskState.BLOCKED
        assert server.total == 10, "three turns each time, and the summary"


def job(text: str) -> Json:
    """A call that starts one."""
    return {"tool": "run_command", "input": {"command": text, "blocking": False}}


async def test_who_waits_for_a_job_that_has_ended_is_told(tmp_path: Path) -> None:
    # It is over before the first look, or looks that wait for it would not count.
    begins = [turn(job("echo done > done.log")), turn(command("sleep 1"))]
    looks = [turn(command("sleep 0.01; cat done.log"))] * 8
    ends = [turn(write("a.txt", "a\n")), turn(says())]
    async with staged(one_task(tmp_path), first(*begins, *looks, *ends)) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert await steps(runtime) == [("repeats", "nudge")]


WORK: dict[str, list[Json]] = {
    "polling a job": [
        turn(job("until [ -e b.txt.go ]; do read -t 1; done")),
        *[turn({"tool": "command_jobs", "input": {"action": "list"}})] * 8,
    ],
    "a test after each edit": [
        item for number in range(4) for item in (turn(write("b.txt", f"{number}\n")), turn(command("grep -c x b.txt")))
    ],
    "reading many files": [turn(read(f"f{number}.txt")) for number in range(8)],
    "git status between edits": [
        item for number in range(4) for item in (turn(write("b.txt", f"{number}\n")), turn(command("echo clean")))
    ],
    "looking at what a quiet job prints": [
        turn(job("until [ -e b.txt.go ]; do read -t 1; done > quiet.log")),
        *[turn(command("tail -n 3 quiet.log"))] * 8,
    ],
    "waiting for something outside": [turn(command("sleep 0.01; echo not yet"))] * 8,
}


@pytest.mark.parametrize("name", WORK)
async def test_work_that_looks_like_a_circle_is_left_alone(tmp_path: Path, name: str) -> None:
    root = one_task(tmp_path)
    for number in range(8):
        (root / f"f{number}.txt").write_text(f"{number}\n")
    async with staged(root, first(*WORK[name], turn(write("a.txt", "a\n")), turn(says()))) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert await steps(runtime) == []


async def test_patience_is_not_renewed_by_a_crash(tmp_path: Path) -> None:
    """The state is copied right after the agent was told; the process that goes on counts from there."""
    root, copy = one_task(tmp_path), tmp_path / "after"
    same = turn(read("b.txt"))
    loops = [*[same] * 5, turn(read("b.txt"), hold="on"), *[same] * 3]
    sessions = first(*loops), SUMMARY, session("second", NEXT, turns=[turn(write("a.txt", "a\n")), turn(says())])
    async with ScriptedServer(script(*sessions), keep=None) as server:
        async with hosted(root, server) as runtime:
            await start(runtime)
            await until_event(runtime, agents.NoProgressSeen)
            await until_event(runtime, agents.TurnRequested, lambda event: event.turn == 6)
            await asyncio.to_thread(shutil.copytree, root, copy)
            await runtime.cancel(USER)
        server.release("on")
        async with hosted(copy, server) as runtime:
            await runtime.resume(USER, unattended=True)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
            assert await steps(runtime) == [("repeats", "nudge"), ("repeats", "session")]
