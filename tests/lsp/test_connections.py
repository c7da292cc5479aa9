"""Many clients of one process, each with a connection of its own: what one does, the others do not notice."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from specloom import compose
from specloom.lsp.frames import MOST_HEADER
from specloom.lsp.server import serve_connection
from specloom.lsp.standalone import StandaloneHost
from tests.integration.projects import greeter
from tests.lsp.wire import DEADLINE, Wire

CLIENTS = 10


class Server:
    """Serves connections on a socket, and keeps the status of each."""

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.ended = asyncio.Condition()
        self._numbers = itertools.count()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        number = next(self._numbers)

        async def send(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        status = await serve_connection(lambda: StandaloneHost(lambda: compose, {}), reader, send)
        writer.close()
        async with self.ended:
            self.statuses[number] = status
            self.ended.notify_all()

    async def status(self, number: int) -> int:
        """How a connection ended."""
        async with asyncio.timeout(DEADLINE), self.ended:
            await self.ended.wait_for(lambda: number in self.statuses)
        return self.statuses[number]


@asynccontextmanager
async def clients(tmp_path: Path) -> AsyncGenerator[tuple[Server, list[Wire], list[Path]]]:
    """Clients with a root each, initialized one after the other."""
    served, place = Server(), str(tmp_path / "s")
    roots = [greeter(tmp_path / f"root-{number}") for number in range(CLIENTS)]
    async with AsyncExitStack() as stack:
        listening = await asyncio.start_unix_server(served.serve, place, limit=MOST_HEADER)
        stack.callback(listening.close)
        wires: list[Wire] = []
        for root in roots:
            reader, writer = await asyncio.open_unix_connection(place)
            stack.callback(writer.close)
            wires.append(Wire(reader, writer))
            await wires[-1].initialize(root)
        yield served, wires, roots
        for number, wire in enumerate(wires):
            if number not in served.statuses:
                await wire.leave()
                assert await served.status(number) == 0


@pytest.mark.parametrize("manner", ["exits", "vanishes in mid-frame", "sends garbage", "does not read"])
async def test_nine_notice_nothing_of_what_one_does(manner: str, tmp_path: Path) -> None:
    async with clients(tmp_path) as (served, wires, roots):
        bad, *others = wires
        if manner == "exits":
            bad.tell("exit")
        elif manner == "vanishes in mid-frame":
            bad.raw(b"Content-Length: 100\r\n\r\n{")
            bad.writer.close()
        elif manner == "sends garbage":
            bad.raw(b"\x00\xff" * 20_000)
        else:
            for number in range(50):
                bad.ask(number, "specloom/project/get", {})
            bad.writer.close()
        for number, (wire, root) in enumerate(zip(others, roots[1:], strict=True)):
            wire.ask(number, "specloom/project/get", {})
            result = (await wire.answer(number))["result"]
            assert result["rootUri"] == root.as_uri()
            assert len(result["tasks"]) == 3
        assert await served.status(0) == 1
