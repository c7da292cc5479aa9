"""Orders and events: one id is one effect, events come in order to everybody, one process hosts a root."""

import asyncio
from pathlib import Path

import pytest

from specloom.domain.commands import SkipTask
from specloom.domain.events import Event, agents, runs, tasks
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunOutcome, RunState, Scope
from specloom.domain.states import TaskState
from specloom.engine.api import Accepted, OutputChunk, Published
from specloom.llm.scripted.server import ScriptedServer
from specloom.store.errors import StoreLockedError
from tests.integration.projects import USER, hosted, opened
from tests.integration.stage import (
    DEADLINE,
    ONE,
    TWO,
    attempt,
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
    write,
)

WRITES, CLAIMS = turn(write("a.txt", "a\n")), turn(says())
HOLDS = "test -f a.txt"


def accepted(answer: Accepted | Rejected) -> Accepted:
    """The answer, which must be an acceptance."""
    assert isinstance(answer, Accepted), answer
    return answer


async def test_a_run_ordered_twice_under_one_id_is_one_run_also_after_a_restart(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    async with ScriptedServer(script(attempt(1, WRITES, CLAIMS))) as server:
        async with hosted(root, server) as runtime:
            orders = [runtime.start_run(Scope(), Budget(), USER, "order-1", unattended=True) for _ in range(3)]
            answers = [accepted(answer) for answer in await asyncio.gather(*orders)]
            assert sorted(answer.repeated for answer in answers) == [False, True, True]
            assert len({answer.id for answer in answers}) == 1
            assert (await ended(runtime)).id == answers[0].id
            assert len(await events_of(runtime, runs.RunStarted)) == 1
        async with hosted(root, server) as runtime:
            again = accepted(await runtime.start_run(Scope(), Budget(), USER, "order-1", unattended=True))
            assert (again.repeated, again.id) == (True, answers[0].id)
            assert run_of(runtime.state).state is RunState.FINISHED
            assert len(await events_of(runtime, runs.RunStarted)) == 1
        server.check()


async def test_an_order_that_changed_nothing_changes_nothing_when_it_comes_again(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    held = turn(write("a.txt", "a\n"), hold="writing")
    async with staged(root, attempt(1, held, CLAIMS)) as (runtime, server):
        await start(runtime)
        assert await server.until(lambda known: known.total == 1, DEADLINE)
        assert not accepted(await runtime.pause(USER, "first")).repeated
        assert not accepted(await runtime.pause(USER, "second")).repeated
        server.release("writing")
        await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        accepted(await runtime.resume(USER, "go on"))
        assert accepted(await runtime.pause(USER, "second")).repeated
        assert accepted(await runtime.resume(USER, "go on")).repeated
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert len(await events_of(runtime, runs.RunPausing)) == 1


async def test_a_task_skipped_twice_under_one_id_is_skipped_once(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS), task(2, HOLDS))
    async with staged(root) as (runtime, server):
        assert not accepted(await runtime.change_task(SkipTask(ONE, "later"), USER, "skip-1")).repeated
        assert accepted(await runtime.change_task(SkipTask(ONE, "later"), USER, "skip-1")).repeated
        refused = await runtime.change_task(SkipTask(ONE, "later"), USER, "skip-2")
        assert isinstance(refused, Rejected)
        assert refused.code == "illegal-transition"
        assert len(await events_of(runtime, tasks.TaskSkipped)) == 1
        del server
    async with ScriptedServer(script()) as server, hosted(root, server) as runtime:
        assert accepted(await runtime.change_task(SkipTask(ONE, "later"), USER, "skip-1")).repeated
        assert runtime.state.state_of(TWO).value == "ready"


async def test_a_plan_ordered_twice_under_one_id_is_one_plan(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    async with staged(root, strict=False) as (runtime, _):
        first = accepted(await runtime.plan(None, "", USER, "plan-1"))
        again = accepted(await runtime.plan(None, "", USER, "plan-1"))
        assert (again.repeated, again.id) == (True, first.id)
        await runtime.wait_idle()


async def test_a_refused_order_may_be_given_again(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    async with staged(root, attempt(1, WRITES, CLAIMS)) as (runtime, _):
        assert isinstance(await runtime.pause(USER, "early"), Rejected)
        unknown = await runtime.start_run(Scope("task", "01/9"), Budget(), USER, "typo")
        assert isinstance(unknown, Rejected)
        assert not accepted(await runtime.start_run(Scope(), Budget(), USER, "typo", unattended=True)).repeated
        await ended(runtime)


async def test_listeners_hear_every_event_once_and_in_order_after_it_is_committed(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    heard: list[tuple[int, int, Event]] = []

    def listen(published: Published, state: ProjectState) -> None:
        heard.append((published.seq, state.seq, published.event))

    async with staged(root, attempt(1, WRITES, CLAIMS)) as (runtime, _):
        with runtime.listen(listen) as since:
            await start(runtime)
            await ended(runtime)
            # Events of the agent, of the project and of a person come from several sides at once.
            await asyncio.gather(*(runtime.refresh() for _ in range(5)), runtime.change_task(SkipTask(ONE), USER))
        committed = await runtime.events(since, 10_000)
    assert [seq for seq, _, _ in heard] == [item.seq for item in committed]
    assert [seq for seq, _, _ in heard] == list(range(since + 1, since + 1 + len(heard)))
    assert all(seq == state for seq, state, _ in heard)
    assert [event for _, _, event in heard] == [item.event for item in committed]


async def test_a_listener_that_raises_disturbs_neither_the_run_nor_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    heard: list[int] = []
    chunks: list[OutputChunk] = []

    def fails(published: Published, state: ProjectState) -> None:
        raise RuntimeError(f"a client with a bug at {published.seq} of {state.seq}")

    def chokes(chunk: OutputChunk) -> None:
        raise RuntimeError(f"a client that cannot show {chunk}")

    def shows(chunk: OutputChunk) -> None:
        chunks.append(chunk)

    def listen(published: Published, state: ProjectState) -> None:
        del state
        heard.append(published.seq)

    async with staged(root, attempt(1, WRITES, CLAIMS)) as (runtime, _):
        with (
            runtime.listen(fails),
            runtime.watch_output(chokes),
            runtime.listen(listen) as since,
            runtime.watch_output(shows),
        ):
            await start(runtime)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert heard == list(range(since + 1, runtime.state.seq + 1))
        assert {chunk.kind for chunk in chunks} == {"text", "tool_input"}
    assert "a client with a bug" in caplog.text


async def test_an_append_whose_caller_is_cancelled_is_committed_and_told(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    async with staged(root) as (runtime, _):
        order = asyncio.create_task(runtime.change_task(SkipTask(ONE), USER))
        for _ in range(3):
            await asyncio.sleep(0)
        order.cancel()
        await asyncio.gather(order, return_exceptions=True)
        assert order.cancelled()
        told = len(await events_of(runtime, tasks.TaskSkipped))
        assert (runtime.state.record(ONE).state is TaskState.SKIPPED) is (told == 1)
        assert isinstance(await runtime.change_task(SkipTask(ONE), USER), Rejected) is (told == 1)


async def test_a_second_process_on_a_root_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    async with staged(root) as (runtime, server):
        with pytest.raises(StoreLockedError, match="specloom"):
            await opened(root, server.base_url)
        assert runtime.state.seq > 0
    async with ScriptedServer(script()) as server, hosted(root, server) as runtime:
        assert runtime.state.seq > 0


async def test_a_second_run_is_refused_and_names_the_first(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    held = turn(write("a.txt", "a\n"), hold="writing")
    async with staged(root, attempt(1, held, CLAIMS)) as (runtime, server):
        first = await start(runtime)
        assert await server.until(lambda known: known.total == 1, DEADLINE)
        second = await runtime.start_run(Scope(), Budget(), USER, unattended=True)
        assert isinstance(second, Rejected)
        assert first.id in second.message
        server.release("writing")
        await ended(runtime)


async def test_the_transcript_and_the_raw_messages_of_a_session_are_kept(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    async with staged(root, attempt(1, WRITES, turn(says("There it is.")))) as (runtime, _):
        await start(runtime)
        await ended(runtime)
        (opened_session,) = await events_of(runtime, agents.SessionStarted)
    files = {file.name: file.read_text() for file in (root / ".specloom" / "sessions").rglob("*") if file.is_file()}
    assert any(opened_session.session in name for name in files)
    assert any("There it is." in text for text in files.values())
