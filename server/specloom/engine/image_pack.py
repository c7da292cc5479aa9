"""Before-images on disk while a command runs, for a Specloom that comes back after this one was killed.

Refuses to speak of a time at which nothing ran: what changed then was changed by somebody else. One file, only ever
appended to; a record that the end of its writer cut short is not there. It may be lost with the machine's power: it is
not forced to the disk.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

Stamp: TypeAlias = tuple[int, int, int]
"""Inode, size, and time of change in nanoseconds."""
ROOM = 256 * 1024 * 1024
"""Bytes after which the file is begun anew."""
NAME = "before.pack"


@dataclass(frozen=True, slots=True)
class Packed:
    """What a root was when one last looked, while a command ran."""

    about: Mapping[str, Any]
    stamps: dict[str, Stamp]
    images: dict[str, bytes]


@dataclass(slots=True)
class ImagePack:
    """The writer's side. All methods block; errors of the disk are swallowed: commands run without it too."""

    path: Path
    about: Mapping[str, Any]
    """Whose commands they are; for whoever reads it."""
    _file: BinaryIO | None = None
    _size: int = 0
    _written: dict[str, Stamp] = field(default_factory=dict[str, Stamp])
    _running: bool = False

    def running(self, stamps: Mapping[str, Stamp], images: Mapping[str, bytes]) -> None:
        """A command runs, or goes on, on files that are as described."""
        with contextlib.suppress(OSError):
            if self._file is None or self._size > ROOM:
                self._begin()
            for path in [path for path in self._written if path not in stamps]:
                del self._written[path]
                self._append({"path": path})
            for path, stamp in stamps.items():
                if self._written.get(path) != stamp:
                    self._append({"path": path, "stamp": stamp}, images.get(path))
                    self._written[path] = stamp
            self._mark(running=True)

    def resting(self) -> None:
        """No command runs."""
        with contextlib.suppress(OSError):
            self._mark(running=False)

    def close(self) -> None:
        """The last command has ended, and all that it changed is in the log."""
        if self._file is not None:
            self._file.close()
            self._file = None
        with contextlib.suppress(OSError):
            self.path.unlink()

    def _begin(self) -> None:
        self.close()
        for folder in (self.path.parent.parent, self.path.parent):  # `parents=True` would let others read the outer one
            folder.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.fdopen(os.open(self.path, flags, 0o600), "wb")
        self._size, self._written, self._running = 0, {}, False
        self._append({"about": dict(self.about)})

    def _mark(self, *, running: bool) -> None:
        if self._file is not None and running != self._running:
            self._append({"running": running})
        if self._file is not None:
            self._file.flush()
        self._running = running

    def _append(self, head: Mapping[str, Any], data: bytes | None = None) -> None:
        assert self._file is not None
        line = json.dumps(head if data is None else {**head, "bytes": len(data)}).encode() + b"\n"
        self._file.write(line if data is None else line + data + b"\n")
        self._size += len(line) + len(data or b"")


def read_pack(path: Path) -> Packed | None:
    """What was known when its writer ended; `None`: there is none, or no command ran then. Blocking."""
    packed, runs = Packed({}, {}, {}), False
    about: dict[str, Any] = {}
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb") as file:
            while (line := file.readline()).endswith(b"\n"):
                head = _head(line)
                about |= head.get("about", {})
                runs = bool(head.get("running", runs))
                if "path" in head and not _take(packed, str(head["path"]), head, file):
                    break
    except (OSError, ValueError, TypeError):
        return None
    return Packed(about, packed.stamps, packed.images) if runs and about else None


def _head(line: bytes) -> dict[str, Any]:
    head = json.loads(line)
    if not isinstance(head, dict):
        raise TypeError("a record is an object")
    return cast("dict[str, Any]", head)


def _take(packed: Packed, path: str, head: Mapping[str, Any], file: BinaryIO) -> bool:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"{path} is no path below the root")
    packed.stamps.pop(path, None)
    packed.images.pop(path, None)
    if "stamp" not in head:
        return True
    inode, size, changed = head["stamp"]
    if "bytes" in head:
        data = file.read(int(head["bytes"]) + 1)
        if len(data) <= int(head["bytes"]):
            return False
        packed.images[path] = data[:-1]
    packed.stamps[path] = (int(inode), int(size), int(changed))
    return True
