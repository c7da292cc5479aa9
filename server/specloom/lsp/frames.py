"""Frames of the base protocol: reads them bounded, writes them through a bounded queue.

Refuses to wait for a body that is too long, and to let a slow reader fill the memory.
Source: https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#baseProtocol
"""

import asyncio
import contextlib
import json
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

LOG = logging.getLogger("specloom.lsp")

MOST_BODY = 64 * 1024 * 1024
MOST_HEADER = 8 * 1024
MOST_WAITING = 64 * 1024 * 1024
"""Bytes that may wait for a slow reader before the connection is given up."""
PIECE = 64 * 1024
"""Bytes that are sent at a time: whoever takes none of them for long reads nothing."""

_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*([0-9]{1,15})[ \t]*", re.IGNORECASE)


class Reader(Protocol):
    """What `asyncio.StreamReader` offers and a frame needs."""

    async def readline(self) -> bytes:
        """Up to and with the next LF; less at the end. Raises `ValueError` for a line beyond the reader's limit."""
        ...

    async def readexactly(self, n: int, /) -> bytes:
        """Exactly `n` bytes. Raises `asyncio.IncompleteReadError`."""
        ...


@dataclass(frozen=True, slots=True)
class BadFrame:
    """What came cannot be a frame, and where the next one starts is unknown: the connection must end."""

    message: str


@dataclass(frozen=True, slots=True)
class EndOfInput:
    """The other side is gone, between frames or within one."""


Frame: TypeAlias = bytes | BadFrame | EndOfInput


async def read_frame(reader: Reader) -> Frame:
    """The next body. Header names in any case, other headers passed over, lines that are no header too."""
    length, seen = None, 0
    while True:
        try:
            line = await reader.readline()
        except ValueError:
            return BadFrame(f"a header line is longer than {MOST_HEADER} bytes")
        seen += len(line)
        if not line.endswith(b"\n"):
            return EndOfInput()
        if seen > MOST_HEADER:
            return BadFrame(f"{MOST_HEADER} bytes without a complete header; send Content-Length and an empty line")
        if match := _LENGTH.fullmatch(line.rstrip(b"\r\n")):
            length = int(match[1])
        elif line[:15].lower() == b"content-length:":
            return BadFrame(f"{line[15:40].strip()!r} is no length; send Content-Length as a decimal number of bytes")
        elif length is not None and not line.strip():
            return await _body(reader, length)


async def _body(reader: Reader, length: int) -> Frame:
    if length > MOST_BODY:
        return BadFrame(f"a message of {length} bytes is longer than the {MOST_BODY} that are taken")
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        return EndOfInput()


def _frame(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def framed(method: str, params: Any) -> bytes:
    """A notification as it is sent, for those that go to many clients; `params` is JSON."""
    body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode()
    return _frame(body)


def answered(identifier: int | str, result: bytes) -> bytes:
    """The answer to a request as it is sent; `result` is JSON already."""
    body = b'{"jsonrpc": "2.0", "id": %s, "result": %s}' % (json.dumps(identifier).encode(), result)
    return _frame(body)


class Outbox:
    """Takes frames at once and sends them in order; knows how much waits."""

    def __init__(
        self, send: Callable[[bytes], Awaitable[None]], most: int = MOST_WAITING, stall: float | None = None
    ) -> None:
        """`stall`: seconds after which a client that reads nothing is given up; `None`: never."""
        self._send = send
        self._most = most
        self._stall = stall
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._sent = asyncio.Event()
        self._closing = False
        self.broken = asyncio.Event()
        """Set when the other side does not read any more."""

    @property
    def waiting(self) -> int:
        """Bytes that have not been sent."""
        return self._bytes

    def write(self, data: bytes) -> None:
        """Queues a frame; dropped once the connection is broken."""
        if self._closing or self.broken.is_set():
            return
        if self._bytes + len(data) > self._most:
            self.broken.set()
            return
        self._waiting.append(data)
        self._bytes += len(data)
        self._news.set()

    async def below(self, most: int) -> None:
        """Returns when at most so many bytes wait, or nobody reads any more."""
        while self._bytes > most and not self.broken.is_set():
            await self._sent.wait()

    def close(self) -> None:
        """No more frames; what waits is still sent."""
        self._closing = True
        self._news.set()

    async def run(self) -> None:
        """Sends until closed and empty, or broken."""
        while not self.broken.is_set():
            if not self._waiting:
                if self._closing:
                    return
                self._news.clear()
                await self._news.wait()
                continue
            data = b"".join(self._waiting)
            self._waiting.clear()
            for start in range(0, len(data), PIECE):
                await self._send_piece(data[start : start + PIECE])
                if self.broken.is_set():
                    break

    async def _send_piece(self, piece: bytes) -> None:
        try:
            async with asyncio.timeout(self._stall):
                await self._send(piece)
        except TimeoutError:
            LOG.warning("a client has read nothing for %g s and is disconnected; it may come back", self._stall)
            self.broken.set()
        except (ConnectionError, OSError, ValueError):
            # ValueError: the stream was closed under us.
            self.broken.set()
        self._bytes -= len(piece)
        self._sent.set()
        self._sent = asyncio.Event()


async def drained(outbox: Outbox, sender: "asyncio.Task[None]", deadline: float) -> None:
    """Closes the outbox, waits at most `deadline` seconds for what it still holds, and ends its task."""
    outbox.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(deadline):
            await asyncio.shield(sender)
    sender.cancel()
    await asyncio.gather(sender, return_exceptions=True)
