"""Where the output of one command goes: whole to a file, head and tail to the model, live to whoever watches.

Refuses keys in any of them, a file beyond its limit, and to wait for anybody. Fed by the pump's thread alone.
"""

import asyncio
import codecs
import contextlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from specloom.domain.redact import StreamRedactor
from specloom.workspace.excerpt import Excerpt

LIVE = 65_536
"""Characters that wait at most for the event loop; what it does not take in time is not shown live."""
UNPRINTABLE = {code: "\ufffd" for code in range(32) if chr(code) not in "\t\n\r\b\f\x1b"}
"""What no model or screen can do anything with, NUL first of all."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command printed up to one moment."""

    text: str
    """Head and tail."""
    truncated: bool
    fault: str
    """Why the file is not whole; empty: it is, unless it reached its limit."""


@dataclass(slots=True)
class Live:
    """Hands pieces from the pump's thread to a callback on the event loop, lossy where the loop is slower."""

    loop: asyncio.AbstractEventLoop
    show: Callable[[str], None] | None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pending: str = ""

    def add(self, text: str) -> None:
        """From the pump's thread."""
        if self.show is None:
            return
        with self._lock:
            idle = not self._pending
            self._pending = (self._pending + text)[-LIVE:]
        if idle:
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody watches
                self.loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            text, self._pending = self._pending, ""
        if self.show is not None and text:
            self.show(text)

    def stop(self) -> None:
        """Shows what is left, and nothing that comes later."""
        self._deliver()
        self.show = None


@dataclass(slots=True)
class CommandLog:
    """The output of one command, decoded and redacted once for all its readers."""

    path: Path
    limit: int
    """Bytes of the file."""
    redact: Callable[[str], str]
    kept: Excerpt
    live: Live
    seen: int = 0
    """Bytes that the command has written so far."""
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )
    _stream: StreamRedactor = field(init=False)
    _file: BinaryIO | None = None
    _size: int = 0
    _fault: str = ""

    def __post_init__(self) -> None:
        self._stream = StreamRedactor(self.redact)

    def create(self) -> None:
        """Makes the file, for whoever is told its path before anything was printed. Blocking; raises `OSError`."""
        folder = self.path.parent
        if not folder.is_dir():
            folder.parent.mkdir(mode=0o700, exist_ok=True, parents=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.fdopen(os.open(self.path, flags, 0o600), "ab", buffering=0)

    def feed(self, data: bytes) -> None:
        """What the command wrote."""
        self.seen += len(data)
        self._take(self._stream.feed(self._decoder.decode(data)))

    def settle(self) -> None:
        """Lets out what was held back as a possible part of a key: nothing more is expected now."""
        self._take(self._stream.rest())

    def printed(self) -> Printed:
        """Head and tail as of now."""
        return Printed(self.kept.text().translate(UNPRINTABLE), self.kept.left_out > 0, self._fault)

    def close(self) -> None:
        """The last writer is gone."""
        self._take(self._stream.feed(self._decoder.decode(b"", True)))
        self.settle()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _take(self, text: str) -> None:
        if not text:
            return
        self.kept.add(text)
        self.live.add(text)
        if self._size < self.limit and not self._fault:
            try:
                self._write(text.encode("utf-8", "replace"))
            except OSError as error:
                self._fault = f"the log {self.path} could not be written: {error.strerror}"

    def _write(self, data: bytes) -> None:
        if self._file is None:
            self.create()
        assert self._file is not None
        room = self.limit - self._size
        self._size += len(data)
        if len(data) > room:
            note = f"\n… the log ends here: it may hold {self.limit:,} bytes …\n"
            data = data[:room] + note.encode()
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
