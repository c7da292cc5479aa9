"""A client that reads slowly, or not at all: what waits for it stays bounded, and nothing of the past is lost."""

import asyncio
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from specloom.domain.events import documents
from specloom.domain.ids import ProjectId, SessionId
from specloom.domain.project import ProjectState
from specloom.engine.api import OutputChunk, Published
from specloom.lsp.features.events import MOST_REPLAYED, PAGE, EventSender
from specloom.lsp.features.output import MOST_BLOCKS, OutputStream
from specloom.lsp.frames import Outbox
from tests.cli.stories import Story

PAST = 3000
NAME = "n" * 2000


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

    def notify(self, method: str, params: Any) -> None:
        """As `Outgoing` does."""
        self.outbox.write(json.dumps([method, params]).encode() + b"\n")
        self.most = max(self.most, self.outbox.waiting)

    @property
    def messages(self) -> list[Any]:
        """All that it has read."""
        return [json.loads(line) for line in b"".join(self.got).splitlines()]


def hosted(client: Client) -> Any:
    """A root with a long past, as a client's features see it."""
    first, _ = Story().told[0]
    event = documents.ProjectOpened(ProjectId("p"), NAME)

    async def events(since: int, limit: int) -> tuple[Published, ...]:
        return tuple(replace(first, seq=seq, event=event) for seq in range(since + 1, min(since + limit, PAST) + 1))

    outgoing = SimpleNamespace(notify=client.notify, waiting=client.outbox.waiting)
    connection = SimpleNamespace(outgoing=outgoing, until_below=client.outbox.below, start=_start)
    return SimpleNamespace(connection=connection, events=events, state=ProjectState())


def _start(work: Any, name: str) -> asyncio.Task[Any]:
    return asyncio.create_task(work, name=name)


async def test_a_long_past_waits_for_the_client_to_read_and_comes_whole() -> None:
    client = Client()
    sending = asyncio.create_task(client.outbox.run())
    replay = asyncio.create_task(EventSender(hosted(client)).replay(0, PAST))
    await asyncio.wait([replay], timeout=0.3)
    assert not replay.done()
    client.reads.set()
    async with asyncio.timeout(20):
        await replay
        client.outbox.close()
        await sending
    assert [params["seq"] for _, params in client.messages] == list(range(1, PAST + 1))
    assert client.most < MOST_REPLAYED + PAGE * (len(NAME) + 1000)


async def test_blocks_of_output_do_not_pile_up_for_who_does_not_read() -> None:
    client = Client()
    root = hosted(client)
    root.connection.outgoing.waiting = 1 << 30
    stream = OutputStream(root)
    for number in range(10 * MOST_BLOCKS):
        stream.heard(OutputChunk(SessionId("s"), f"1.{number}", "text", "words"))
    kept = cast("dict[Any, Any]", vars(stream)["_pending"])
    assert len(kept) == MOST_BLOCKS
    assert next(reversed(kept))[1] == f"1.{10 * MOST_BLOCKS - 1}", "the newest ones are kept"
    stream.end()
