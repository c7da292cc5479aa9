"""Pause, cancel and close at every moment of an attempt: nothing is left half, and a later run goes on."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from specloom.domain.events import agents, proof, runs, tasks
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunOutcome, RunState, Scope
from specloom.domain.states import TaskState
from specloom.engine.api import Question
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from specloom.workspace.ports import EditResult, FileChange, NotApplied, Refusal
from tests.integration.projects import USER, hosted
from tests.integration.shells import gone
from tests.integration.stage import (
    DEADLINE,
    ONE,
    TWO,
    attempt,
    command,
    ended,
    events_of,
    project,
    run_of,
    says,
    script,
    staged,
    start,
    task,
    turn,
    until,
    until_event,
    until_file,
    write,
)

HOLDS = "test -f a.txt"
WRITES = turn(write("a.txt", "a\n"))
CLAIMS = turn(says())
BIG = "0123456789abcde\n" * 200_000
SLEEPS = "echo $$ > pid; sleep 300"
ASKS = turn(command("touch asked"), hold="asking")
"""Not said before nobody answers in the person's place any more."""


class SilentClient:
    """A person who is there and does not answer."""

    id = "silent"
    final = False

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def ask(self, question: Question) -> str | None:
        del question
        self.asked.set()
        await asyncio.Event().wait()
        return None

    async def tell(self, level: str, message: str) -> None: ...

    async def apply(self, change: FileChange) -> EditResult:
        return NotApplied(Refusal.CLIENT_REFUSED, change.path, None)

    async def save(self, paths: tuple[str, ...], deadline: float) -> tuple[str, ...]:
        del deadline
        return paths


async def pauses(runtime: ProjectRuntime) -> None:
    """Orders a pause and waits until it is one."""
    assert not isinstance(await runtime.pause(USER), Rejected)
    await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)


async def cancels(runtime: ProjectRuntime) -> None:
    """Orders the end of the run, which has come when this returns."""
    assert not isinstance(await runtime.cancel(USER), Rejected)
    run = run_of(runtime.state)
    assert (run.state, run.outcome) == (RunState.FINISHED, RunOutcome.CANCELLED)


async def test_a_pause_comes_at_the_turn_boundary_and_nothing_new_starts(tmp_path: Path) -> None:
    held = turn(write("a.txt", "a\n"), hold="writing")
    async with staged(project(tmp_path / "p", task(1, HOLDS)), attempt(1, held, CLAIMS)) as (runtime, server):
        await start(runtime)
        assert await server.until(lambda known: known.total == 1, DEADLINE)
        await runtime.pause(USER)
        assert run_of(runtime.state).state is RunState.PAUSING
        server.release("writing")
        await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        assert (tmp_path / "p" / "a.txt").read_text() == "a\n", "the turn in flight ends as it began"
        assert [event.turn for event in await events_of(runtime, agents.TurnFinished)] == [1]
        assert server.total == 1
        await runtime.resume(USER)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert (server.total, server.repeats) == (2, 0)
        assert len(await events_of(runtime, agents.SessionStarted)) == 1


async def test_a_pause_between_claim_and_verification_starts_no_command(tmp_path: Path) -> None:
    held = turn(says(), hold="claim")
    async with staged(project(tmp_path / "p", task(1, HOLDS)), attempt(1, WRITES, held)) as (runtime, server):
        await start(runtime)
        assert await server.until(lambda known: known.total == 2, DEADLINE)
        await runtime.pause(USER)
        server.release("claim")
        await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        phases = [event.phase for event in await events_of(runtime, proof.CheckRequested)]
        assert phases == [proof.CheckPhase.BEFORE]
        await runtime.resume(USER)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


async def test_a_run_paused_and_closed_goes_on_in_the_same_session(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    held = turn(write("a.txt", "a\n"), hold="writing")
    async with ScriptedServer(script(attempt(1, held, CLAIMS))) as server:
        async with hosted(root, server) as runtime:
            await start(runtime)
            assert await server.until(lambda known: known.total == 1, DEADLINE)
            await runtime.pause(USER)
            server.release("writing")
            await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        async with hosted(root, server) as runtime:
            assert run_of(runtime.state).state is RunState.PAUSED
            assert run_of(runtime.state).turns == 1
            await runtime.resume(USER, unattended=True)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
            assert len(await events_of(runtime, agents.SessionStarted)) == 1
        assert (server.total, server.repeats) == (2, 0)
        server.check()


Moment = Callable[[ProjectRuntime, ScriptedServer, Path], Awaitable[None]]


async def _in_a_stream(runtime: ProjectRuntime, server: ScriptedServer, root: Path) -> None:
    del runtime, root
    assert await server.until(lambda known: known.total == 1, DEADLINE)


async def _in_a_command(runtime: ProjectRuntime, server: ScriptedServer, root: Path) -> None:
    del runtime, server
    await until_file(root / "pid", lambda text: text.endswith("\n"))


async def _in_verification(runtime: ProjectRuntime, server: ScriptedServer, root: Path) -> None:
    del server
    await until_event(runtime, proof.CheckRequested, lambda event: event.phase is proof.CheckPhase.AFTER)
    await until_file(root / "pid", lambda text: text.endswith("\n"))


async def _in_a_question(runtime: ProjectRuntime, server: ScriptedServer, root: Path) -> None:
    del server, root
    await until(runtime, lambda state: any(asked.kind == "command" for asked in state.approvals.values()))


async def _in_the_first_look(runtime: ProjectRuntime, server: ScriptedServer, root: Path) -> None:
    del server
    await until_event(runtime, tasks.TaskStarted)
    await until_file(root / "pid", lambda text: text.endswith("\n"))


SLOW = f"if [ -f a.txt ] && [ ! -f again ]; then {SLEEPS}; fi; test -f a.txt"
SLOW_BEFORE = f"if [ ! -f again ]; then {SLEEPS}; fi; test -f a.txt"

MOMENTS: dict[str, tuple[Moment, str, list[dict[str, Any]]]] = {
    "model stream": (_in_a_stream, HOLDS, [turn(write("a.txt", "a\n"), hold="writing", hold_after_events=3)]),
    "command": (_in_a_command, HOLDS, [turn(command(SLEEPS))]),
    "verification": (_in_verification, SLOW, [WRITES, CLAIMS]),
    "question": (_in_a_question, HOLDS, [ASKS]),
    "first look": (_in_the_first_look, SLOW_BEFORE, []),
}


@asynccontextmanager
async def stopped_at(name: str, root: Path, server: ScriptedServer) -> AsyncGenerator[ProjectRuntime]:
    """A runtime whose run is at the named moment."""
    async with hosted(root, server) as runtime:
        client = SilentClient()
        with runtime.attach(client):
            answer = await runtime.start_run(Scope(), Budget(), USER, unattended=True)
            assert not isinstance(answer, Rejected)
            if name == "question":
                await until_event(runtime, agents.ApprovalAnswered)
                runtime.engine.desk.unattended = False
                server.release("asking")
                async with asyncio.timeout(DEADLINE):
                    await client.asked.wait()
            await MOMENTS[name][0](runtime, server, root)
            yield runtime


def staged_at(name: str, root: Path) -> tuple[Path, list[dict[str, Any]]]:
    """The project and the sessions of a moment; the second attempt does it without ado."""
    _, verify, turns = MOMENTS[name]
    sessions = [attempt(1, *turns)] if turns else []
    again = attempt(
        1,
        {"branches": [WRITES | {"not_expect": "\na.txt"}, turn(says("It is there."))]},
        turn(says(), optional=False) | {"optional": True},
        at=2,
    )
    return project(root, task(1, verify)), [*sessions, again]


def is_gone(root: Path) -> bool:
    """Whether the process that wrote its id has ended."""
    file = root / "pid"
    if not file.exists():
        return True
    return gone(int(file.read_text()))


@pytest.mark.parametrize("name", MOMENTS)
async def test_a_cancelled_run_leaves_nothing_running_and_the_next_goes_on(tmp_path: Path, name: str) -> None:
    root, sessions = staged_at(name, tmp_path / "p")
    async with ScriptedServer(script(*sessions)) as server:
        async with stopped_at(name, root, server) as runtime:
            await cancels(runtime)
            assert is_gone(root)
            state = runtime.state
            assert state.state_of(ONE) is TaskState.READY
            assert (len(state.checks), len(state.edits), len(state.approvals)) == (0, 0, 0)
            assert all(session.outcome for session in state.sessions.values())
            (root / "again").touch()
            await start(runtime)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        server.check()


@pytest.mark.parametrize("name", MOMENTS)
async def test_a_closed_runtime_reopens_paused_and_goes_on(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specloom.engine.runtime.CLOSE_DEADLINE", 0.5)
    root, sessions = staged_at(name, tmp_path / "p")
    sessions = sessions[:-1] or [attempt(1, WRITES, CLAIMS)]
    if name == "command":
        turns = [turn(command(SLEEPS)), turn(write("a.txt", "a\n"), expect="outcome is unknown"), CLAIMS]
        sessions = [attempt(1, *turns)]
    elif name == "question":
        # A command that nobody has allowed yet cannot have run: it is asked for again, and then run.
        sessions = [attempt(1, ASKS, turn(write("a.txt", "a\n"), expect="exit code 0"), CLAIMS)]
    elif name == "model stream":
        sessions = [attempt(1, MOMENTS[name][2][0], CLAIMS)]
    async with ScriptedServer(script(*sessions)) as server:
        async with stopped_at(name, root, server):
            pass
        assert is_gone(root)
        (root / "again").touch()
        server.release("writing")
        async with hosted(root, server) as runtime:
            run = run_of(runtime.state)
            assert (run.state, run.reason) == (RunState.PAUSED, "Specloom was closed")
            await runtime.resume(USER, unattended=True)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
            assert runtime.state.record(ONE).attempts == 1
            evidence = runtime.evidence(ONE)
            assert [(item.command, item.exit_code, item.discriminating) for item in evidence] == [
                (MOMENTS[name][1], 0, True)
            ]
        server.check()


async def test_a_cancelled_write_is_whole_or_not_there(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    async with staged(root, attempt(1, turn(write("a.txt", BIG)), turn(says()) | {"optional": True})) as (runtime, _):
        await start(runtime)
        await until_event(runtime, proof.EditRequested)
        await cancels(runtime)
        file = root / "a.txt"
        assert not file.exists() or file.read_text() == BIG
        assert not [
            name for name in root.iterdir() if name.name not in {"a.txt", "specs", "requirements.md", ".specloom"}
        ]
        assert len(runtime.state.edits) == 0
        settled = await events_of(runtime, proof.EditSettled)
        assert [event.applied for event in settled] == [file.exists()]
        assert runtime.state.state_of(ONE) is TaskState.READY


async def test_a_cancelled_attempt_keeps_its_change_set(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    held = turn(says(), hold="claim")
    async with staged(root, attempt(1, WRITES, held)) as (runtime, server):
        await start(runtime)
        assert await server.until(lambda known: known.total == 2, DEADLINE)
        await cancels(runtime)
        assert "+a" in await runtime.diff(ONE)


async def test_a_paused_run_is_cancelled(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS), task(2, "true"))
    held = turn(write("a.txt", "a\n"), hold="writing")
    async with staged(root, attempt(1, held), strict=False) as (runtime, server):
        await start(runtime)
        assert await server.until(lambda known: known.total == 1, DEADLINE)
        await runtime.pause(USER)
        server.release("writing")
        await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        await cancels(runtime)
        assert [runtime.state.state_of(name) for name in (ONE, TWO)] == [TaskState.READY, TaskState.PENDING]
        assert server.total == 1


async def test_a_run_that_is_cancelled_before_it_took_up_its_attempt_leaves_none(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    held = turn(write("a.txt", "a\n"), hold="never")
    async with staged(root, attempt(1, held), strict=False) as (runtime, server):
        await start(runtime)
        assert await server.until(lambda known: known.total == 1)
        await runtime.pause(USER, at_once=True)
        await ended(runtime)
        assert not isinstance(await runtime.resume(USER, unattended=True), Rejected)
        await cancels(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.CANCELLED
        assert runtime.state.record(ONE).attempt is None
        assert all(session.outcome for session in runtime.state.sessions.values())


async def test_a_run_that_an_earlier_process_left_is_cancelled(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    async with ScriptedServer(script(attempt(1, turn(write("a.txt", "a\n"), hold="writing")))) as server:
        async with hosted(root, server) as runtime:
            await start(runtime)
            assert await server.until(lambda known: known.total == 1, DEADLINE)
            await runtime.pause(USER)
            server.release("writing")
            await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        async with hosted(root, server) as runtime:
            await cancels(runtime)
            assert runtime.state.state_of(ONE) is TaskState.READY
            assert len(await events_of(runtime, runs.RunFinished)) == 1
            assert all(session.outcome for session in runtime.state.sessions.values())
