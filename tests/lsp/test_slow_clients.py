"""A client that reads slowly, or not at all: what waits for it stays bounded, and nothing of the past is lost."""

import asyncio
import json
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.events import documents
from specloom.domain.ids import ProjectId, SessionId
from specloom.domain.project import ProjectState
from specloom.engine.api import OutputChunk, Published
from specloom.engine.open_blocks import MOST_BLOCKS, MOST_KEPT
from specloom.engine.output import OutputHub
from specloom.lsp.features.events import MOST_LIVE, EventSender, RecentFrames
from specloom.lsp.features.output import OutputStream, Said, SharedOutput
from specloom.lsp.frames import Outbox, framed
from tests.cli.stories import Story

PAST = 3000
NAME = "n" * 2000
FRAME = len(NAME) + 1000


class Client:
    """Takes bytes only while it reads."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.got: list[bytes] = []
        self.outbox = Outbox(self._send)
        self.most = 0

    async def _send(self, data: bytes) -> None:
        await self.reads.wait()
        self.got.append(data)

    def send(self, frame: bytes) -> None:
        """As `Outgoing` does."""
        self.outbox.write(frame)
        self.most = max(self.most, self.outbox.waiting)

    def notify(self, method: str, params: Any) -> None:
        """As `Outgoing` does."""
        self.send(framed(method, params))

    @property
    def waiting(self) -> int:
        """As `Outgoing` says."""
        return self.outbox.waiting

    @property
    def messages(self) -> list[tuple[str, dict[str, Any]]]:
        """All that it has read."""
        bodies = [part.partition(b"\r\n\r\n")[2] for part in b"".join(self.got).split(b"Content-Length: ")[1:]]
        return [(body["method"], body["params"]) for body in map(json.loads, bodies)]

    @property
    def seqs(self) -> list[int]:
        """The events that it has read."""
        return [params["seq"] for method, params in self.messages if method == "specloom/event"]


class Log:
    """A root with a long past, as a client's features see it."""

    def __init__(self, client: Client, end: int) -> None:
        self.end = end
        self.state = ProjectState()
        self.runtime: object = None
        self.connection = SimpleNamespace(outgoing=client, until_below=client.outbox.below, start=self._start)
        self.tasks: list[asyncio.Task[Any]] = []
        self.read = 0
        """Events that were read from it."""
        self._first = Story().told[0][0]

    def at(self, seq: int) -> Published:
        """One event."""
        return replace(self._first, seq=seq, event=documents.ProjectOpened(ProjectId("p"), NAME))

    async def events(self, since: int, limit: int) -> tuple[Published, ...]:
        """As the log delivers them."""
        await asyncio.sleep(0)
        found = tuple(self.at(seq) for seq in range(since + 1, min(since + limit, self.end) + 1))
        self.read += len(found)
        return found

    def commit(self, sender: EventSender) -> None:
        """One event more."""
        self.end += 1
        sender.heard(self.at(self.end), self.state)

    async def settled(self) -> None:
        """Returns when nothing is being sent any more."""
        async with asyncio.timeout(20):
            while running := [task for task in self.tasks if not task.done()]:
                await asyncio.gather(*running)

    def _start(self, work: Any, name: str) -> asyncio.Task[Any]:
        self.tasks.append(asyncio.create_task(work, name=name))
        return self.tasks[-1]


async def flushed(client: Client, sending: "asyncio.Task[None]") -> None:
    """Everything that waits is read."""
    client.reads.set()
    client.outbox.close()
    async with asyncio.timeout(20):
        await sending


async def test_a_long_past_waits_for_the_client_to_read_and_comes_whole() -> None:
    client = Client()
    sending = asyncio.create_task(client.outbox.run())
    log = Log(client, PAST)
    EventSender(cast("Any", log), 0, RecentFrames()).replay(PAST)
    await asyncio.wait(log.tasks, timeout=0.3)
    assert not log.tasks[0].done()
    client.reads.set()
    await log.settled()
    await flushed(client, sending)
    assert client.seqs == list(range(1, PAST + 1))
    assert client.most <= MOST_LIVE + FRAME


async def test_live_events_stay_in_the_log_while_a_client_stalls_and_come_after_a_notice() -> None:
    client = Client()
    sending = asyncio.create_task(client.outbox.run())
    log = Log(client, 10)
    sender = EventSender(cast("Any", log), 10, RecentFrames())
    sender.replay(10)
    for _ in range(PAST):
        log.commit(sender)
    await asyncio.wait(log.tasks, timeout=0.1)
    assert client.most <= MOST_LIVE + FRAME, "nobody keeps what a client does not read"
    assert len(log.tasks) == 1
    client.reads.set()
    await log.settled()
    log.commit(sender)
    await flushed(client, sending)
    assert client.seqs == list(range(11, log.end + 1))
    (gap,) = [number for number, (method, _) in enumerate(client.messages) if method == "specloom/gap"]
    told = client.messages[gap][1]
    assert (told["fromSeq"], told["toSeq"], told["output"]) == (11 + gap, log.end - 1, 0)
    assert client.messages[gap + 1][1]["seq"] == 11 + gap


@given(st.lists(st.one_of(st.integers(1, 700), st.booleans()), max_size=12), st.integers(0, 600))
def test_whoever_reads_and_stalls_as_he_likes_gets_every_event_once_and_in_order(
    steps: list[int | bool], since: int
) -> None:
    async def story() -> None:
        client = Client()
        sending = asyncio.create_task(client.outbox.run())
        log = Log(client, 600)
        sender = EventSender(cast("Any", log), since, RecentFrames())
        sender.replay(log.end)
        for step in steps:
            if isinstance(step, bool):
                (client.reads.set if step else client.reads.clear)()
                await asyncio.sleep(0)
            else:
                for _ in range(step):
                    log.commit(sender)
        client.reads.set()
        await log.settled()
        await flushed(client, sending)
        assert client.seqs == list(range(since + 1, log.end + 1))
        assert client.most <= MOST_LIVE + FRAME

    asyncio.run(story())


async def test_clients_that_catch_up_side_by_side_read_the_log_once() -> None:
    clients, recent = [Client() for _ in range(10)], RecentFrames()
    logs = [Log(client, PAST) for client in clients]
    sending = [asyncio.create_task(client.outbox.run()) for client in clients]
    for client, log in zip(clients, logs, strict=True):
        client.reads.set()
        EventSender(cast("Any", log), 0, recent).replay(PAST)
    for client, log, task in zip(clients, logs, sending, strict=True):
        await log.settled()
        await flushed(client, task)
        assert client.seqs == list(range(1, PAST + 1))
    assert sum(log.read for log in logs) < 2 * PAST


def test_of_what_was_sent_lately_no_more_is_kept_than_is_meant_and_the_newest_of_it() -> None:
    most, project = 10 * FRAME, ProjectId("p")
    recent, log = RecentFrames(most), Log(Client(), 0)
    frames = [recent.of(log.at(seq), project) for seq in range(1, 101)]
    assert [frame for _, frame in recent.after(95)] == frames[95:]
    assert list(recent.after(50)) == []
    assert recent.of(replace(log.at(101), event=documents.ProjectOpened(project, "n" * most)), project)
    assert list(recent.after(100)) == [], "what is larger than all that may be kept"


async def test_an_event_that_was_read_before_it_was_heard_of_comes_once() -> None:
    client = Client()
    client.reads.set()
    sending = asyncio.create_task(client.outbox.run())
    log = Log(client, 5)
    sender = EventSender(cast("Any", log), 0, RecentFrames())
    sender.replay(3)
    await log.settled()
    sender.heard(log.at(4), log.state)
    sender.heard(log.at(5), log.state)
    log.commit(sender)
    await flushed(client, sending)
    assert client.seqs == [1, 2, 3, 4, 5, 6]


async def test_output_begins_once_and_behind_every_event_that_was_told_of() -> None:
    client, ready = Client(), list[list[int]]()
    sending = asyncio.create_task(client.outbox.run())
    log = Log(client, PAST)
    sender = EventSender(cast("Any", log), 0, RecentFrames(), lambda: ready.append(_sent(client)))
    sender.replay(PAST - 2)
    await asyncio.wait(log.tasks, timeout=0.1)
    assert not ready, "it reads nothing"
    client.reads.set()
    await log.settled()
    sender.heard(log.at(PAST - 1), log.state)
    assert not ready, "an event was sent that nobody was told of yet: what it tells may still seem to be open"
    sender.heard(log.at(PAST), log.state)
    for _ in range(3):
        log.commit(sender)
    await flushed(client, sending)
    assert ready == [list(range(1, PAST + 1))]


def _sent(client: Client) -> list[int]:
    waiting = [frame for frame in vars(client.outbox)["_waiting"] if isinstance(frame, bytes)]
    bodies = [
        part.partition(b"\r\n\r\n")[2] for part in b"".join((*client.got, *waiting)).split(b"Content-Length: ")[1:]
    ]
    return [json.loads(body)["params"]["seq"] for body in bodies]


class Watcher:
    """Watches output beside the clients; who comes last is told last."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def heard(self, said: Said) -> None:
        """As `OutputStream` does."""
        assert said.frames
        self._news.set()

    async def told(self) -> None:
        """Returns when all who watch were told what was said last."""
        self._news.clear()
        async with asyncio.timeout(20):
            await self._news.wait()


async def test_clients_that_read_get_the_same_bytes_and_one_that_does_not_keeps_its_own() -> None:
    hub, shared, clients = OutputHub(), SharedOutput(), [Client() for _ in range(3)]
    logs = [Log(client, 0) for client in clients]
    clients[0].send(b"x" * MOST_LIVE)
    with ExitStack() as stack:
        for log in logs:
            log.runtime = SimpleNamespace(watch_output=hub.watch, said_so_far=hub.open.so_far, state=log.state)
            stack.enter_context(shared.joined(OutputStream(cast("Any", log)), cast("Any", log)))
        watcher = Watcher()
        stack.enter_context(shared.joined(cast("Any", watcher), cast("Any", logs[0])))
        for words in ("one ", "two ", "three "):
            hub.publish(OutputChunk(SessionId("s"), "1.0", "text", words))
        await watcher.told()
        waiting = [list(vars(client.outbox)["_waiting"]) for client in clients]
        assert waiting[1][0] is waiting[2][0]
        assert len(waiting[0]) == 1, "it is told when it reads"
        sending = [asyncio.create_task(client.outbox.run()) for client in clients]
        clients[0].reads.set()
        await logs[0].settled()
    for client, task in zip(clients, sending, strict=True):
        await flushed(client, task)
        ((method, told),) = client.messages
        assert (method, told["text"], told["dropped"]) == ("specloom/output", "one two three ", 0)
    assert not hub.watched


async def test_what_output_a_client_misses_is_bounded_and_told() -> None:
    client = Client()
    sending = asyncio.create_task(client.outbox.run())
    log = Log(client, 0)
    client.send(b"x" * MOST_LIVE)
    stream, hub, shared = OutputStream(cast("Any", log)), OutputHub(), SharedOutput()
    log.runtime = SimpleNamespace(watch_output=hub.watch, said_so_far=hub.open.so_far, state=log.state)
    watcher = Watcher()
    with shared.joined(stream, cast("Any", log)), shared.joined(cast("Any", watcher), cast("Any", log)):
        for number in range(10 * MOST_BLOCKS):
            hub.publish(OutputChunk(SessionId("s"), f"1.{number}", "text", "words" * 3000))
            if number % 100 == 0:
                await watcher.told()
        await watcher.told()
    assert not hub.watched
    kept = cast("dict[Any, Any]", vars(vars(stream)["_blocks"])["_pending"])
    assert len(kept) <= MOST_BLOCKS
    assert sum(len(item.text) for item in kept.values()) <= MOST_KEPT
    await asyncio.wait(log.tasks, timeout=0.1)
    client.reads.set()
    await log.settled()
    await flushed(client, sending)
    (gap, *rest) = client.messages
    told = sum(len(params["text"]) + params["dropped"] for _, params in rest)
    assert gap[0] == "specloom/gap"
    assert gap[1]["output"] + told == 10 * MOST_BLOCKS * 15_000
    assert rest[-1][1]["block"] == f"1.{10 * MOST_BLOCKS - 1}", "the newest ones are kept"


async def test_who_reads_nothing_for_long_is_disconnected_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    never = asyncio.Event()

    async def send(_: bytes) -> None:
        await never.wait()

    outbox = Outbox(send, stall=0.05)
    sending = asyncio.create_task(outbox.run())
    outbox.write(b"x")
    async with asyncio.timeout(20):
        await sending
    assert outbox.broken.is_set()
    assert "has read nothing for 0.05 s" in caplog.text
