"""People go first: whatever waits of the engine's own, an order waits for what is under way and no more."""

import asyncio
from contextvars import Context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain import commands as c
from specloom.domain.events import REGISTRY
from specloom.domain.events.documents import ProjectOpened, SettingsChanged
from specloom.domain.events.runs import RunStarted
from specloom.domain.ids import RunId
from specloom.domain.origin import Origin
from specloom.domain.redact import Redactor
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, Scope
from specloom.engine import precedence
from specloom.engine.api import Accepted
from specloom.engine.lanes import BUSY, MOST, STREAK, Lane, Lanes
from specloom.engine.ledger import PROJECT, Ledger
from specloom.engine.mailbox import ENGINE, Mailbox
from specloom.store.log import EventStore
from specloom.store.system import SystemClock
from tests.integration.stage import DEADLINE, ONE, project, staged, task, until

MANY = 10_000
USER, WATCHER = Origin("user", "test"), Origin("watcher")


async def mailbox(folder: Path) -> tuple[EventStore, Mailbox, Ledger]:
    """On a log of its own, with a run."""
    store = await EventStore.open(folder / "state", REGISTRY, SystemClock())
    ledger = Ledger(store, Redactor())
    await ledger.load()
    await ledger.append(PROJECT, [ProjectOpened(store.project_id, "p")], ENGINE)
    made = Mailbox(ledger)
    await made.start(RunStarted(RunId("run-1"), Scope(), Budget(), unattended=False), USER, "begin")
    return store, made, ledger


async def test_a_pause_passes_by_ten_thousand_documents_that_wait(tmp_path: Path) -> None:
    store, made, ledger = await mailbox(tmp_path)
    readings = [
        asyncio.create_task(made.submit(c.ReadRequirements(f"{number}.md", ()), WATCHER)) for number in range(MANY)
    ]
    await asyncio.sleep(0)
    before = ledger.state.seq
    paused = await made.submit(c.PauseRun(), USER, "pause-1")
    assert isinstance(paused, Accepted)
    assert paused.seq <= before + 2, "one that was under way, and its own"
    for reading in readings:
        reading.cancel()
    await asyncio.gather(*readings, return_exceptions=True)
    assert isinstance(await made.submit(c.PauseRun(), USER, "pause-1"), Accepted)
    await ledger.drain()
    await store.close()


async def test_an_order_passes_by_ten_thousand_replays_that_wait(tmp_path: Path) -> None:
    store, made, ledger = await mailbox(tmp_path)
    replays = [asyncio.create_task(ledger.read(0, 200)) for _ in range(MANY)]
    await asyncio.sleep(0)
    assert ledger.lanes.waiting(Lane.WORK) == MANY - 1
    known = await made.repeated("begin")
    assert isinstance(known, Accepted)
    assert (known.id, known.repeated) == ("run-1", True)
    done = sum(replay.done() for replay in replays)
    assert done <= 5, "one look at the command and one at its event, each after what was under way"
    for replay in replays:
        replay.cancel()
    await asyncio.gather(*replays, return_exceptions=True)
    await store.close()


async def test_orders_beyond_the_bound_are_sent_away_and_nothing_of_them_is_kept(tmp_path: Path) -> None:
    store, made, ledger = await mailbox(tmp_path)
    orders = [asyncio.create_task(made.submit(c.PauseRun(), USER, f"order-{number}")) for number in range(2 * MOST)]
    answers = await asyncio.gather(*orders)
    busy = [number for number, answer in enumerate(answers) if answer is BUSY]
    assert len(busy) == MOST - 1
    assert BUSY.code == "busy"
    assert await made.repeated(f"order-{busy[0]}") is None
    assert not isinstance(await made.submit(c.CancelRun(), USER, "at last"), Rejected)
    await ledger.drain()
    await store.close()


async def test_the_engine_has_its_turn_whatever_people_do() -> None:
    lanes, order = Lanes(), list[Lane]()

    async def take(lane: Lane) -> None:
        async with lanes.turn(lane):
            order.append(lane)
            await asyncio.sleep(0)

    waiting = [Lane.INTERACTIVE] * (3 * STREAK) + [Lane.WORK] * 2
    await asyncio.gather(*(take(lane) for lane in waiting))
    assert order.index(Lane.WORK) <= STREAK + 1
    assert sorted(order) == sorted(waiting)


@given(st.lists(st.tuples(st.sampled_from(Lane), st.integers(0, 6)), max_size=20), st.data())
def test_one_at_a_time_also_when_who_waits_gives_up(turns: list[tuple[Lane, int]], data: st.DataObject) -> None:
    async def story() -> None:
        lanes, inside = Lanes(), 0

        async def take(lane: Lane, steps: int) -> None:
            nonlocal inside
            async with lanes.turn(lane):
                inside += 1
                assert inside == 1
                try:
                    for _ in range(steps):
                        await asyncio.sleep(0)
                finally:
                    inside -= 1

        tasks = [asyncio.create_task(take(lane, steps)) for lane, steps in turns]
        for taken in tasks:
            for _ in range(data.draw(st.integers(0, 3))):
                await asyncio.sleep(0)
            if data.draw(st.booleans()):
                taken.cancel()
        async with asyncio.timeout(20):
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results)
        async with lanes.turn(Lane.WORK):
            assert lanes.waiting(Lane.WORK) == lanes.waiting(Lane.INTERACTIVE) == 0

    asyncio.run(story())


async def flood(ledger: Ledger, groups: list[int]) -> None:
    """The engine commits as fast as it can."""
    while True:
        records = await ledger.append(PROJECT, [SettingsChanged(("models.default.model",))], ENGINE)
        groups.append(records[0].seq)


async def test_an_order_of_many_steps_gets_to_its_end_before_the_engine_commits_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precedence, "LONGEST", 60.0)
    monkeypatch.setattr(precedence, "PATIENCE", 60.0)
    root = project(tmp_path / "p", task(1, "true"), task(2, "true"))
    async with staged(root) as (runtime, _):
        groups: list[int] = []
        flooding = asyncio.create_task(flood(runtime.engine.ledger, groups))
        for order in (c.SkipTask(ONE), c.ResetTask(ONE)) * 3:
            before = len(groups)
            assert isinstance(await runtime.change_task(order, USER), Accepted)
            assert len(groups) - before <= 1, "what was under way"
        seq = runtime.state.seq
        await until(runtime, lambda state: state.seq > seq)
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)


async def test_a_commit_waits_for_orders_for_a_moment_only_and_is_not_lost_if_it_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, made, ledger = await mailbox(tmp_path)
    fact, clock = SettingsChanged(("models.default.model",)), asyncio.get_running_loop().time
    with ledger.orders.order():
        within = clock()
        await ledger.append(PROJECT, [fact], ENGINE)
        assert clock() - within < DEADLINE

        async def outside() -> None:
            await made.record(fact)

        # As a task of the engine's, which no order has begun.
        other = asyncio.create_task(outside(), context=Context())
        await asyncio.sleep(0)
        other.cancel()
        before = ledger.state.seq
        async with asyncio.timeout(DEADLINE):
            await asyncio.gather(other, return_exceptions=True)
        assert ledger.state.seq == before + 1
        monkeypatch.setattr(precedence, "LONGEST", 60.0)
        monkeypatch.setattr(precedence, "PATIENCE", 0.0)
        async with asyncio.timeout(DEADLINE):
            await asyncio.create_task(outside(), context=Context())
    await ledger.drain()
    await store.close()
