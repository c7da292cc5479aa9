"""Appending: order, conflicts, idempotence, groups."""

import asyncio
from pathlib import Path

import pytest
from store_samples import BY, REGISTRY, Counted, CountingClock, Noted, noted

from specloom.domain.ids import CommandId
from specloom.domain.origin import Origin
from specloom.store.errors import ConcurrencyConflict, StoreClosedError, StoreReadOnlyError
from specloom.store.log import EventStore
from specloom.store.record import EventRecord, NewEvent


def texts(records: list[EventRecord]) -> list[str]:
    return [record.event.text for record in records if isinstance(record.event, Noted)]


async def test_what_was_appended_is_read_as_it_was_answered(store: EventStore) -> None:
    other = NewEvent(Counted(7), Origin("user"))
    answered = await store.append("task", 0, [*noted("a"), other], CommandId("c1"))
    assert [record.seq for record in answered] == [1, 2]
    assert [record.by for record in answered] == [BY, Origin("user")]
    assert [record.event for record in answered] == [Noted("a"), Counted(7)]
    assert {(record.stream, record.command_id, record.v) for record in answered} == {("task", "c1", 1)}
    assert await store.read() == list(answered)


async def test_the_log_survives_closing(store: EventStore, state: Path) -> None:
    answered = await store.append("task", None, noted("a", "b"))
    await store.close()
    again = await EventStore.open(state, REGISTRY, CountingClock())
    assert await again.read() == list(answered)
    assert (await again.append("task", 2, noted("c")))[0].seq == 3
    assert again.project_id == store.project_id
    assert again.created_at == store.created_at
    await again.close()


async def test_reading_goes_by_sequence_limit_and_stream(store: EventStore) -> None:
    for index in range(6):
        await store.append(f"stream{index % 3}", None, noted(str(index)))
    assert texts(await store.read(since=2)) == ["2", "3", "4", "5"]
    assert texts(await store.read(since=1, limit=2)) == ["1", "2"]
    assert texts(await store.read(limit=0)) == []
    assert texts(await store.read(streams=["stream1"])) == ["1", "4"]
    assert texts(await store.read(since=1, limit=3, streams={"stream0", "stream1"})) == ["1", "3", "4"]
    assert await store.read(streams=[]) == []
    assert await store.read(since=6) == []


async def test_iterating_delivers_everything_once_in_pages(store: EventStore) -> None:
    await store.append("long", None, noted(*(str(index) for index in range(2500))))
    pages = [page async for page in store.iterate(since=10)]
    assert [len(page) for page in pages] == [1000, 1000, 490]
    assert texts([record for page in pages for record in page]) == [str(index) for index in range(10, 2500)]


async def test_the_last_sequence_is_known_by_stream_and_for_all(store: EventStore) -> None:
    assert await store.last_seq() == 0
    await store.append("a", None, noted("1", "2"))
    await store.append("b", None, noted("3"))
    assert (await store.last_seq("a"), await store.last_seq("b"), await store.last_seq("c")) == (2, 3, 0)
    assert await store.last_seq() == 3


async def test_a_stale_expectation_writes_nothing(store: EventStore) -> None:
    await store.append("task", 0, noted("a"))
    with pytest.raises(ConcurrencyConflict) as conflict:
        await store.append("task", 0, noted("b"), CommandId("c"))
    assert (conflict.value.stream, conflict.value.expected, conflict.value.actual) == ("task", 0, 1)
    assert conflict.value.retryable
    assert texts(await store.read()) == ["a"]
    assert await store.command(CommandId("c")) is None


async def test_one_conflict_does_not_fail_its_group(store: EventStore) -> None:
    orders = [store.append(f"stream{index // 2}", 0, noted(str(index))) for index in range(40)]
    answers = await asyncio.gather(*orders, return_exceptions=True)
    assert [isinstance(answer, ConcurrencyConflict) for answer in answers] == [False, True] * 20
    assert texts(await store.read()) == [str(index) for index in range(0, 40, 2)]


async def test_one_bug_does_not_fail_its_group(store: EventStore) -> None:
    class Stranger:
        pass

    half_good = [*noted("lost"), NewEvent(Stranger(), BY)]
    orders = [store.append("a", 0, noted("1")), store.append("b", 0, half_good), store.append("c", 0, noted("2"))]
    answers = await asyncio.gather(*orders, return_exceptions=True)
    assert isinstance(answers[1], ValueError)
    assert texts(await store.read()) == ["1", "2"]


async def test_a_name_that_sqlite_cannot_hold_fails_alone_and_leaves_no_half(store: EventStore) -> None:
    bad = [*noted("half"), NewEvent(Noted("b"), Origin("user", client="\ud800"))]
    orders = [store.append("a", 0, bad, CommandId("c")), store.append("b", 0, noted("1"))]
    answers = await asyncio.gather(*orders, return_exceptions=True)
    assert isinstance(answers[0], UnicodeEncodeError)
    assert texts(await store.read()) == ["1"]
    assert [record.seq for record in await store.read()] == [1]


async def test_concurrent_appends_share_commits(store: EventStore) -> None:
    before = store.commits
    answers = await asyncio.gather(*(store.append(f"s{index}", 0, noted("x")) for index in range(400)))
    assert sorted(record.seq for (record,) in answers) == list(range(1, 401))
    assert 1 <= store.commits - before <= 40


async def test_a_command_seen_before_has_no_second_effect(store: EventStore, state: Path) -> None:
    first = await store.append("task", 0, noted("a", "b"), CommandId("c"))
    assert not any(record.repeated for record in first)
    again = await store.append("task", 0, noted("other"), CommandId("c"))
    assert again == first
    assert all(record.repeated for record in again)
    await store.close()
    reopened = await EventStore.open(state, REGISTRY, CountingClock())
    assert await reopened.append("elsewhere", 5, noted("other"), CommandId("c")) == first
    assert await reopened.command(CommandId("c")) == first
    assert texts(await reopened.read()) == ["a", "b"]
    await reopened.close()


async def test_the_same_command_twice_in_one_group_has_one_effect(store: EventStore) -> None:
    answers = await asyncio.gather(*(store.append("task", 0, noted("a"), CommandId("c")) for _ in range(10)))
    assert len({answer[0].seq for answer in answers}) == 1
    assert sum(not answer[0].repeated for answer in answers) == 1
    assert texts(await store.read()) == ["a"]


async def test_a_command_without_events_is_remembered(store: EventStore) -> None:
    assert await store.command(CommandId("c")) is None
    assert await store.append("task", 0, [], CommandId("c")) == ()
    assert await store.command(CommandId("c")) == ()
    assert await store.append("task", 0, noted("too late"), CommandId("c")) == ()
    assert await store.read() == []


async def test_a_cancelled_append_is_whole_or_absent_and_the_store_goes_on(store: EventStore) -> None:
    order = asyncio.create_task(store.append("task", 0, noted("a", "b")))
    await asyncio.sleep(0)
    order.cancel()
    with pytest.raises(asyncio.CancelledError):
        await order
    await store.append("other", 0, noted("c"))
    assert texts(await store.read()) == ["a", "b", "c"]


async def test_closing_writes_what_was_asked_for_before(store: EventStore, state: Path) -> None:
    orders = [asyncio.create_task(store.append(f"s{index}", 0, noted(str(index)))) for index in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert [(await order)[0].seq for order in orders] == list(range(1, 51))
    reader = await EventStore.open(state, REGISTRY, CountingClock(), mode="read")
    assert len(await reader.read()) == 50
    await reader.close()


async def test_nothing_is_taken_once_closing_has_begun(store: EventStore) -> None:
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreClosedError):
        await store.append("task", 0, noted("a"))
    await closing


async def test_a_cancelled_close_still_frees_the_state(store: EventStore, state: Path) -> None:
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    closing.cancel()
    await store.close()
    await (await EventStore.open(state, REGISTRY, CountingClock())).close()


async def test_a_cancelled_opening_frees_the_state(state: Path) -> None:
    for turns in range(4):
        opening = asyncio.create_task(EventStore.open(state, REGISTRY, CountingClock()))
        for _ in range(turns):
            await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await (await EventStore.open(state, REGISTRY, CountingClock())).close()


async def test_a_closed_store_refuses_and_closes_again(store: EventStore) -> None:
    await asyncio.gather(store.close(), store.close())
    await store.close()
    with pytest.raises(StoreClosedError, match="nothing was written"):
        await store.append("task", 0, noted("a"))
    with pytest.raises(StoreClosedError, match="open it again"):
        await store.read()


async def test_a_reader_does_not_write(store: EventStore, state: Path) -> None:
    await store.append("task", 0, noted("a"))
    reader = await EventStore.open(state, REGISTRY, CountingClock(), mode="read")
    with pytest.raises(StoreReadOnlyError):
        await reader.append("task", 1, noted("b"))
    with pytest.raises(StoreReadOnlyError):
        await reader.save_snapshot("s", 1, 1, b"")
    await store.append("task", 1, noted("live"))
    assert texts(await reader.read()) == ["a", "live"]
    await reader.close()
