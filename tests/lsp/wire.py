"""A client of bytes: sends what no library would, and reads the frames that come back."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.lsp.editor import SPECLOOM

DEADLINE = 40.0
"""Seconds, as in `editor`: before the first answer a process starts, or three do, one after the other."""


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def raw(self, data: bytes) -> None:
        """Sends bytes."""
        self.writer.write(data)

    def send(self, message: Any) -> None:
        """Sends a frame of JSON."""
        body = json.dumps(message).encode()
        self.raw(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def ask(self, identifier: int | str, method: str, params: Any = None) -> None:
        """Sends a request."""
        self.send({"jsonrpc": "2.0", "id": identifier, "method": method, "params": params})

    def tell(self, method: str, params: Any = None) -> None:
        """Sends a notification."""
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    async def next(self) -> dict[str, Any] | None:
        """The next message, `None` at the end."""
        async with asyncio.timeout(DEADLINE):
            length = 0
            while line := await self.reader.readline():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
                if not line.strip():
                    return json.loads(await self.reader.readexactly(length))
        return None

    async def answer(self, identifier: int | str | None) -> dict[str, Any]:
        """The answer to a request, passing over everything else."""
        while (message := await self.next()) is not None:
            if "method" not in message and message.get("id") == identifier:
                return message
        raise AssertionError(f"the connection ended without an answer to {identifier!r}")

    async def initialize(self, root: Path) -> dict[str, Any]:
        """The handshake."""
        self.ask("init", "initialize", {"processId": None, "rootUri": root.as_uri(), "capabilities": {}})
        result = await self.answer("init")
        self.tell("initialized", {})
        return result

    async def leave(self) -> None:
        """An orderly end."""
        self.ask("bye", "shutdown")
        await self.answer("bye")
        self.tell("exit")


@asynccontextmanager
async def process() -> AsyncGenerator[tuple[Wire, asyncio.subprocess.Process]]:
    """The installed server on its standard streams; killed at the end if the test did not end it."""
    server = await asyncio.create_subprocess_exec(
        SPECLOOM,
        "lsp",
        "--standalone",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        yield Wire(server.stdout, server.stdin), server
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()


async def status_of(server: asyncio.subprocess.Process) -> int:
    """The exit status, within the deadline."""
    async with asyncio.timeout(DEADLINE):
        return await server.wait()
