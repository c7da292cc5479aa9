"""Orders at moments that nobody chose: whatever comes when, the log and the world agree at the end."""

import asyncio
import contextlib
import random
from pathlib import Path

import pytest

from specloom.domain import commands as c
from specloom.domain.events import agents, proof, runs, tasks
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunState, Scope
from specloom.domain.states import TaskState
from specloom.engine.api import Published
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.conftest import TIER
from tests.integration.projects import USER, hosted
from tests.integration.stage import (
    DEADLINE,
    ONE,
    THREE,
    TWO,
    command,
    project,
    says,
    script,
    session,
    task,
    turn,
    until,
    write,
)

SEEDS = range(4) if TIER == "test" else range(200)
NAMES = (ONE, TWO, THREE)
ORDERS = 8
MOST_EVENTS = 12
"""Between two orders."""


def plays(number: int) -> list[dict[str, object]]:
    """Sessions enough for every attempt that an order may cost; each may begin at any of its turns."""
    file = f"{number}.txt"
    steps = [turn(write(file, f"{number}\n")), turn(command(f"echo {number} >> ran.txt")), turn(says())]
    return [session(f"{number} at {at}", f"# Task 01/{number} (attempt {at})", turns=[*steps]) for at in range(1, 40)]


async def some_events(runtime: ProjectRuntime, most: int) -> None:
    """Returns after so many events, or when nothing more happens."""
    left, quiet = most, asyncio.Event()

    def heard(published: Published, state: ProjectState) -> None:
        nonlocal left
        del published, state
        left -= 1
        if left <= 0:
            quiet.set()

    with runtime.listen(heard), contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await quiet.wait()


async def order(runtime: ProjectRuntime, chance: random.Random) -> None:
    """Something that a person might do; a refusal is an answer too. A client may hang up before it is answered."""
    name = chance.choice(NAMES)
    choices = [
        lambda: runtime.start_run(Scope(), Budget(), USER, unattended=True),
        lambda: runtime.pause(USER),
        lambda: runtime.pause(USER, at_once=True),
        lambda: runtime.resume(USER, unattended=True),
        lambda: runtime.cancel(USER),
        lambda: runtime.change_task(chance.choice([c.RetryTask, c.ResetTask, c.UnblockTask])(name), USER),
    ]
    asked = asyncio.create_task(chance.choice(choices)())
    if chance.random() < 0.25:
        await asyncio.wait([asked], timeout=chance.random() / 200)
        asked.cancel()
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(asked, return_exceptions=True)
    if not asked.cancelled() and asked.exception() is not None:
        raise asked.exception() or AssertionError


async def settles(runtime: ProjectRuntime) -> None:
    """From wherever it stands the run is brought to its end."""
    async with asyncio.timeout(DEADLINE * 2):
        for _ in range(6):
            run = runtime.state.run
            if run is None or run.state is RunState.FINISHED:
                answer = await runtime.start_run(Scope(), Budget(), USER, unattended=True)
            else:
                answer = await runtime.resume(USER, unattended=True)
            if isinstance(answer, Rejected) and runtime.state.run is not None and runtime.state.run.active:
                await runtime.cancel(USER)
            await until(runtime, lambda state: state.run is not None and not state.run.active)
            await runtime.wait_idle()
            left = [name for name in NAMES if runtime.state.record(name).state is not TaskState.DONE]
            if not left:
                return
            for name in left:
                # A write that was cut off is not done twice unasked, so a task may use up its tries.
                await runtime.change_task(c.RetryTask(name), USER)
    raise AssertionError({name: runtime.state.record(name) for name in NAMES})


def check_log(log: tuple[Published, ...]) -> None:
    """One attempt at a time, one end of each run, and an answer to each request."""
    flying: set[str] = set()
    asked: set[str] = set()
    for item in log:
        match item.event:
            case tasks.TaskStarted(attempt=attempt):
                flying.add(attempt)
            case tasks.TaskDone(attempt=str(attempt)) | tasks.TaskReleased(attempt=attempt):
                flying.discard(attempt)
            case tasks.AttemptFailed(attempt=attempt):
                flying.discard(attempt)
            case proof.EditRequested():
                asked.add(item.event.edit)
            case proof.CheckRequested():
                asked.add(item.event.check)
            case proof.EditSettled():
                asked.remove(item.event.edit)
            case proof.CheckSettled():
                asked.remove(item.event.check)
            case _:
                pass
        assert len(flying) <= 1, f"two attempts at once at {item.seq}"
    assert (flying, asked) == (set(), set())
    started = [item.event.run for item in log if isinstance(item.event, runs.RunStarted)]
    finished = [item.event.run for item in log if isinstance(item.event, runs.RunFinished)]
    assert finished == started
    check_calls(log)


def check_calls(log: tuple[Published, ...]) -> None:
    """No call is made twice, but for one that a pause cut off while it did nothing but ask."""
    made: set[str] = set()
    did_nothing: set[str] = set()
    last = ""
    for item in log:
        match item.event:
            case agents.ToolRequested(call=call):
                assert call not in made or call in did_nothing, f"{call} is made twice, at {item.seq}"
                did_nothing.discard(call)
                made.add(call)
                last = call
            case agents.ApprovalAnswered(allowed=False, rule="cancelled"):
                did_nothing.add(last)
            case agents.ApprovalAnswered() | agents.ToolSettled():
                did_nothing.discard(last)
            case _:
                pass


@pytest.mark.parametrize("seed", SEEDS)
async def test_orders_at_any_moment_leave_one_truth(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    root = project(tmp_path / "p", *(task(number, f"grep -qx {number} {number}.txt") for number in (1, 2, 3)))
    async with ScriptedServer(script(*plays(1), *plays(2), *plays(3)), keep=None) as server:
        async with hosted(root, server) as runtime:
            for _ in range(ORDERS):
                await order(runtime, chance)
                await some_events(runtime, chance.randrange(MOST_EVENTS))
            await settles(runtime)
            state, log = runtime.state, await runtime.events(0, 100_000)
        assert server.failures == []
    check_log(log)
    again = EMPTY
    for item in log:
        again = evolve(again, item.event, item.at, item.seq)
    assert (again.tasks, again.run, again.sessions, again.edits, again.checks) == (
        state.tasks,
        state.run,
        state.sessions,
        state.edits,
        state.checks,
    )
    assert [item.seq for item in log] == list(range(1, len(log) + 1))
    assert (root / "specs" / "01-steps.md").read_text().count("- [x]") == 3
    assert all((root / f"{number}.txt").read_text() == f"{number}\n" for number in (1, 2, 3))
