"""Writes records off the loop: a bounded queue and one thread. Refuses to disturb, whatever the disk does."""

import contextlib
import logging
import os
import queue
import threading
from datetime import date
from pathlib import Path

from specloom.logs.place import ONE, WHOLE, newest_of, prune
from specloom.logs.record import Line, Writing

ROOM = 10_000
"""Records that may wait; what comes beyond is counted and told."""
CLOSE_DEADLINE = 2.0
"""Seconds that the end of a process waits for the disk."""


class FileWriter:
    """Appends lines to the day's file, each in one write, so that those of other processes stay whole. Blocking."""

    def __init__(self, folder: Path, one: int = ONE, whole: int = WHOLE) -> None:
        self._folder = folder
        self._one, self._whole = one, whole
        self._day: date | None = None
        self._descriptor: int | None = None

    def write(self, line: Line) -> None:
        """Raises `OSError`; the next line begins with a fresh look."""
        try:
            descriptor = self._open(line.at.date())
            data = line.text.encode("utf-8", "replace")
            if os.write(descriptor, data) != len(data):
                # The rest would stand behind somebody else's line; whoever reads passes over what is torn.
                os.write(descriptor, b"\n")
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Harmless when repeated."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _open(self, day: date) -> int:
        if self._descriptor is not None:
            found = os.fstat(self._descriptor)
            if day == self._day and found.st_nlink and found.st_size < self._one:
                return self._descriptor
            self.close()
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(newest_of(self._folder, day, self._one), flags, 0o600)
        self._day = day
        # With room for the one that is begun.
        prune(self._folder, day, self._whole - self._one)
        return self._descriptor


class QueuedHandler(logging.Handler):
    """Turns records into lines where they are made, and hands them to a thread that starts with the first."""

    def __init__(self, writing: Writing, files: FileWriter, room: int = ROOM) -> None:
        super().__init__()
        self._writing = writing
        self._files = files
        self._queue: queue.Queue[Line | None] = queue.Queue(room)
        self._thread: threading.Thread | None = None
        self._lost = 0
        """Records that found no room, or no disk, and are not told of yet."""

    def emit(self, record: logging.LogRecord) -> None:
        """Returns at once."""
        try:
            line = self._writing.line(record)
        except Exception:  # noqa: BLE001 - a record that cannot be told must not disturb what is logged
            self._lost += 1
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="specloom-log", daemon=True)
            self._thread.start()
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            self._lost += 1

    def close(self) -> None:
        """Writes what waits, as far as the disk takes it in time. `logging` calls it at the end of the process."""
        thread, self._thread = self._thread, None
        if thread is not None:
            with contextlib.suppress(queue.Full):
                self._queue.put(None, timeout=CLOSE_DEADLINE)
                thread.join(CLOSE_DEADLINE)
        super().close()

    def _work(self) -> None:
        while (line := self._queue.get()) is not None:
            self._write(line)
        self._files.close()

    def _write(self, line: Line) -> None:
        lost, self._lost = self._lost, 0
        try:
            if lost:
                self._files.write(self._told(lost))
            self._files.write(line)
        except OSError:
            self._lost += lost + 1

    def _told(self, lost: int) -> Line:
        message = "%d records are missing here: they came too fast, or the disk took none"
        record = logging.LogRecord("specloom.logs", logging.WARNING, "", 0, message, (lost,), None)
        return self._writing.line(record)
