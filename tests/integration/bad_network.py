"""A network between Specloom and its endpoint that breaks in one way at one point of an answer, then works again."""

import asyncio
import contextlib
import json
import socket
import struct
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Coding: TypeAlias = Literal["events", "bytes", "gzip"]
Sender: TypeAlias = Callable[[bytes], Awaitable[None]]
BEFORE = "before headers"
POINTS = {
    "after headers": b"",
    "after the start": b"event: message_start",
    "in thinking": b'"thinking_delta"',
    "between blocks": b"event: content_block_stop",
    "in text": b'"text_delta"',
    "in a call": b'"input_json_delta"',
    "before the end": b"event: message_delta",
}
"""The point of a stream behind the first event that holds these bytes; behind the headers for none."""
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One answer goes wrong: a fault of `FAULTS` at a point, or (`reply`) other bytes in place of the answer."""

    fault: str = ""
    point: str = BEFORE
    reply: bytes = b""


@dataclass(slots=True)
class Wire:
    """The way back to the client."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    send: Sender

    async def until_gone(self) -> None:
        """Returns when the client has closed."""
        with contextlib.suppress(ConnectionError):
            await self.reader.read()

    async def for_ever(self, data: bytes) -> None:
        """Sends the same again and again, until the client has enough."""
        with contextlib.suppress(ConnectionError):
            while not self.writer.is_closing():
                await self.send(data)
                await asyncio.sleep(0)


async def _close(wire: Wire) -> None:
    wire.writer.close()


async def _reset(wire: Wire) -> None:
    wire.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.writer.transport.abort()


async def _end(wire: Wire) -> None:
    wire.writer.write(b"0\r\n\r\n")
    await wire.writer.drain()


async def _garbage(wire: Wire) -> None:
    await wire.send(b"event: content_block_delta\ndata: <html>502</html>\n\n")


async def _half_character(wire: Wire) -> None:
    await wire.send(b'event: ping\ndata: {"type": "ping", "text": "\xe2\x82"}\n\n')


async def _error(wire: Wire) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    await wire.send(b"event: error\ndata: " + json.dumps(error).encode() + b"\n\n")


async def _pings(wire: Wire) -> None:
    await wire.for_ever(b'event: ping\ndata: {"type": "ping"}\n\n')


async def _endless(wire: Wire) -> None:
    await wire.for_ever(b'event: noise\ndata: {"type": "noise", "text": "' + b"a" * 65536 + b'"}\n\n')


async def _line(wire: Wire) -> None:
    await wire.send(b"event: ping\ndata: ")
    await wire.for_ever(b"a" * 65536)


FAULTS: dict[str, Callable[[Wire], Awaitable[None]]] = {
    "close": _close,
    "reset": _reset,
    "end": _end,
    "stall": Wire.until_gone,
    "garbage": _garbage,
    "half a character": _half_character,
    "error": _error,
    "pings": _pings,
    "endless": _endless,
    "line": _line,
}


@dataclass(slots=True)
class BadNetwork:
    """Listens on loopback and hands everything on to the endpoint at `target`, except for what `troubles` names."""

    target: int
    troubles: dict[int, list[Trouble]] = field(default_factory=dict[int, list[Trouble]])
    """By number of the turn: what goes wrong with its first answers."""
    coding: Coding = "events"
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
            answer = await self._asked(head, body)
            await self._answer(reader, writer, answer, self._trouble(head, body))
            await writer.drain()
        writer.close()

    async def _asked(self, head: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.target)
        lines = [line for line in head[:-4].split(b"\r\n") if not line.lower().startswith(b"connection:")]
        writer.write(b"\r\n".join([*lines, b"connection: close", b"", body]))
        answer = await reader.read()
        writer.close()
        return answer

    def _trouble(self, head: bytes, body: bytes) -> Trouble | None:
        if not head.startswith(b"POST /v1/messages HTTP"):
            return None
        turn = 1 + sum(message["role"] == "assistant" for message in json.loads(body)["messages"])
        left = self.troubles.get(turn)
        return left.pop(0) if left else None

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes, trouble: Trouble | None
    ) -> None:
        head, _, body = answer.partition(b"\r\n\r\n")
        if trouble is not None and trouble.reply:
            writer.write(trouble.reply)
        elif trouble is not None and trouble.point == BEFORE:
            await FAULTS[trouble.fault](Wire(reader, writer, _raw(writer)))
        elif b"text/event-stream" not in head:
            writer.write(answer)
        else:
            await self._stream(reader, writer, _events(body), trouble)

    async def _stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, events: list[bytes], trouble: Trouble | None
    ) -> None:
        send = self._coded(writer)
        writer.write(HEAD + (b"content-encoding: gzip\r\n" if self.coding == "gzip" else b"") + b"\r\n")
        before = len(events) if trouble is None else _behind(events, POINTS[trouble.point])
        for event in events[:before]:
            await send(event)
        if trouble is not None:
            await FAULTS[trouble.fault](Wire(reader, writer, send))
        for event in events[before:]:
            await send(event)
        writer.write(b"0\r\n\r\n")

    def _coded(self, writer: asyncio.StreamWriter) -> Sender:
        gzip = zlib.compressobj(wbits=31)

        async def send(data: bytes) -> None:
            if self.coding == "gzip":
                data = gzip.compress(data) + gzip.flush(zlib.Z_SYNC_FLUSH)
            size = 1 if self.coding == "bytes" and len(data) < 4096 else len(data)
            for start in range(0, len(data), size):
                writer.write(b"%x\r\n%b\r\n" % (len(data[start : start + size]), data[start : start + size]))
            await writer.drain()

        return send


def _raw(writer: asyncio.StreamWriter) -> Sender:
    async def send(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    return send


def _length(head: bytes) -> int:
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    return next((int(value) for name, _, value in lines if name == b"content-length"), 0)


def _events(body: bytes) -> list[bytes]:
    """The events of a chunked stream."""
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        whole += rest[:length]
        body = rest[length + 2 :] if length else b""
    return [event + b"\n\n" for event in whole.split(b"\n\n") if event]


def _behind(events: list[bytes], mark: bytes) -> int:
    return next(number for number, event in enumerate(events, 1) if mark in event) if mark else 0


@asynccontextmanager
async def bad_network(target: int) -> AsyncGenerator[BadNetwork]:
    """A network that works as long as nothing is planned."""
    network = BadNetwork(target)
    server = await asyncio.start_server(network.serve, "127.0.0.1")
    network.port = server.sockets[0].getsockname()[1]
    try:
        yield network
    finally:
        server.close()
