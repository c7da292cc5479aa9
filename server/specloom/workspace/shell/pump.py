"""Takes the output of an agent's commands out of their pipes, on one thread. Refuses to touch the event loop's time.

Each command has a named pipe of its own, so that what an earlier command left running prints into its own log.
"""

import asyncio
import os
import selectors
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from specloom.workspace.shell.command_log import CommandLog, Printed

BLOCK = 65_536
AT_ONCE = 32
"""Blocks that one pipe gets before the others have their turn; more than what a pipe can hold."""
ENDED_WITHIN = 5.0
"""Seconds that the thread has to end in; one that writes to a disk which does not answer is left behind."""


@dataclass(slots=True, eq=False)
class Stream:
    """One command's pipe: both ends are ours until the command has ended, so that no end of file comes too early."""

    path: Path
    read_end: int
    write_end: int
    log: CommandLog
    spare: tuple[int, int] | None = None
    """Both ends, opened again after the command, when nobody else has the pipe: the next command may have it."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the last process that could print is gone. For the event loop."""


@dataclass(slots=True)
class Pump:
    """The thread, started with the first command."""

    loop: asyncio.AbstractEventLoop
    _selector: selectors.BaseSelector = field(init=False)
    _orders: deque[Callable[[], object]] = field(default_factory=deque[Callable[[], object]])
    _wake: tuple[int, int] | None = None
    _thread: threading.Thread | None = None
    _ended: bool = False

    def add(self, stream: Stream) -> None:
        """Begins to read."""
        if self._thread is None:
            self._start()
        self._order(lambda: self._selector.register(stream.read_end, selectors.EVENT_READ, stream))

    async def finished(self, stream: Stream) -> Printed:
        """The command has ended: what it printed. Sets `closed` as well unless something still holds the pipe."""
        return await self._asked(lambda: self._finish(stream))

    async def looked(self, stream: Stream) -> Printed:
        """What has been printed so far, a line that is not complete included."""

        def look() -> Printed:
            self._read(stream)
            stream.log.settle()
            return stream.log.printed()

        return await self._asked(look)

    async def close(self) -> None:
        """Ends the thread and closes every pipe."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._order(self._end)
            await asyncio.to_thread(thread.join, ENDED_WITHIN)

    def _start(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake = os.pipe()
        for end in self._wake:
            os.set_blocking(end, False)
        self._selector.register(self._wake[0], selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._work, name="specloom-commands", daemon=True)
        self._thread.start()

    def _order(self, order: Callable[[], object]) -> None:
        assert self._wake is not None
        self._orders.append(order)
        try:
            os.write(self._wake[1], b"x")
        except BlockingIOError:
            return  # full of calls to wake up, so that it will

    async def _asked(self, order: Callable[[], Printed]) -> Printed:
        answer: asyncio.Future[Printed] = self.loop.create_future()

        def carry_out() -> None:
            printed = order()
            self._tell(lambda: _answer(answer, printed))

        self._order(carry_out)
        return await answer

    def _work(self) -> None:
        assert self._wake is not None
        while not self._ended:
            for key, _ in self._selector.select():
                if key.data is None:
                    os.read(self._wake[0], BLOCK)
                else:
                    self._read(key.data)
            while self._orders:
                self._orders.popleft()()
        for end in self._wake:
            os.close(end)
        self._selector.close()

    def _read(self, stream: Stream, *, keep: bool = False) -> None:
        for _ in range(AT_ONCE):
            if stream.read_end < 0:
                return
            try:
                data = os.read(stream.read_end, BLOCK)
            except BlockingIOError:
                return
            if not data:
                self._drop(stream, keep=keep)
                return
            stream.log.feed(data)

    def _finish(self, stream: Stream, *, keep: bool = True) -> Printed:
        if stream.write_end >= 0:
            os.close(stream.write_end)
            stream.write_end = -1
        self._read(stream, keep=keep)
        stream.log.settle()
        return stream.log.printed()

    def _drop(self, stream: Stream, *, keep: bool = False) -> None:
        self._selector.unregister(stream.read_end)
        if keep:
            stream.spare = _opened_again(stream)
        if stream.spare is None:
            os.close(stream.read_end)
        stream.read_end = -1
        stream.log.close()
        self._tell(stream.closed.set)

    def _tell(self, news: Callable[[], None]) -> None:
        try:
            self.loop.call_soon_threadsafe(news)
        except RuntimeError:  # the loop was closed and nobody is left to tell
            self._ended = True

    def _end(self) -> None:
        for key in tuple(self._selector.get_map().values()):
            if key.data is not None:
                self._finish(key.data, keep=False)
                if key.data.read_end >= 0:
                    self._drop(key.data)
        self._ended = True


def _opened_again(stream: Stream) -> tuple[int, int] | None:
    try:
        return stream.read_end, os.open(stream.path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # the shell is gone, and its folder with it
        return None


def _answer(future: asyncio.Future[Printed], printed: Printed) -> None:
    if not future.done():
        future.set_result(printed)
