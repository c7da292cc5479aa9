"""Where a shell tells of its lines. Refuses to believe what anybody else writes there, and to keep much of it."""

import asyncio
import os
from pathlib import Path

from specloom.workspace.shell import script

MOST = 65_536
"""Bytes of a message that has not ended: far more than any directory's name takes."""


class StatusPipe(asyncio.Protocol):
    """A named pipe, held open at both ends, so that no command can end it."""

    def __init__(self, path: Path, write_end: int) -> None:
        self.path = path
        self.last: list[str] = []
        """What was told of the end of the line: newest background process, directory."""
        self.begun: str | None = None
        """The directory where the line was read; `None`: it was not."""
        self.code: int | None = None
        """The exit code of its command."""
        self.broken = False
        """Somebody else wrote into the pipe."""
        self._write_end = write_end
        self._token = ""
        self._buffer = b""
        self._told = asyncio.Event()
        self._transport: asyncio.ReadTransport | None = None

    @classmethod
    async def made(cls, path: Path) -> "StatusPipe":
        """A new one. Raises `OSError`."""
        read_end, write_end = await asyncio.to_thread(fifo, path)
        pipe = cls(path, write_end)
        pipe._transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: pipe, os.fdopen(read_end, "rb", 0)
        )
        return pipe

    def data_received(self, data: bytes) -> None:
        """For asyncio."""
        if self.broken:
            return
        *messages, self._buffer = (self._buffer + data).split(b"\0")
        for message in messages:
            self._take(message.decode("utf-8", "replace"))
        if self.broken or len(self._buffer) > MOST:
            self.broken, self._buffer = True, b""
            if self._transport is not None:
                self._transport.pause_reading()
        if self.last or self.broken:
            self._told.set()

    def _take(self, message: str) -> None:
        mark, _, rest = message.partition(" ")
        if mark == self._token + script.BEGUN:
            self.begun = rest
        elif mark == self._token + script.CODE and rest.isdecimal():
            self.code = int(rest)
        elif mark == self._token + script.ENDED and rest.partition(" ")[0].isdecimal():
            self.last = rest.split(" ", 1)
        else:
            self.broken = True

    def expect(self, token: str) -> None:
        """A line is about to be sent."""
        self._token, self.last, self.begun, self.code = token, [], None, None
        self._told.clear()

    def wake(self) -> None:
        """Nothing more will be told."""
        self._told.set()

    async def told(self, seconds: float) -> bool:
        """Waits until the end of the line was told, or nothing more will be; false when that took longer."""
        try:
            async with asyncio.timeout(seconds):
                await self._told.wait()
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Both ends."""
        if self._transport is not None:
            self._transport.close()
        os.close(self._write_end)


def fifo(path: Path) -> tuple[int, int]:
    """A new named pipe with both its ends, read end first; that does not wait. Blocking. Raises `OSError`."""
    os.mkfifo(path, 0o600)
    read_end = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return read_end, os.open(path, os.O_WRONLY | os.O_CLOEXEC)
