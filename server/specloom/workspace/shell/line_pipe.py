"""What a shell reads its lines from. Refuses to wait for a shell that reads no more.

Our own end to read from is never read: it tells how much of what was sent the shell has not taken yet.
"""

import asyncio
import fcntl
import os
import struct
import termios


class LinePipe:
    """The standard input of a shell. `made` makes one; the shell gets `read_end`."""

    def __init__(self, read_end: int, transport: asyncio.WriteTransport) -> None:
        self.read_end = read_end
        self._transport = transport

    @classmethod
    async def made(cls) -> "LinePipe":
        """A new one. Raises `OSError`."""
        read_end, write_end = os.pipe()
        transport, _ = await asyncio.get_running_loop().connect_write_pipe(
            asyncio.BaseProtocol, os.fdopen(write_end, "wb", 0)
        )
        return cls(read_end, transport)

    def send(self, line: str) -> None:
        """A line, and an empty one behind it, which is taken only when the first is done."""
        self._transport.write(f"{line}\n\n".encode())

    @property
    def taken(self) -> bool:
        """Whether all that was sent has been read, the empty line included: the one before it is done."""
        if self._transport.get_write_buffer_size():
            return False
        (waiting,) = struct.unpack("i", fcntl.ioctl(self.read_end, termios.FIONREAD, b"\0\0\0\0"))
        return not waiting

    def close(self) -> None:
        """Both ends; the shell reads an end of file then. Harmless when repeated."""
        self._transport.abort()
        read_end, self.read_end = self.read_end, -1
        if read_end >= 0:
            os.close(read_end)
