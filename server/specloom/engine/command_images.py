"""Before-images of what commands change, so that it is in the change set like any edit of a tool.

Refuses to let a command rewrite the documents that its agent works from: those are put back, and the agent is told.
What somebody else saves while the command runs counts as changed by it, since nothing on disk tells the two apart.
"""

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from specloom.domain.ids import Digest, digest_of
from specloom.engine.journal import AttemptJournal
from specloom.workspace.disk import snapshot_of
from specloom.workspace.ports import Applied, FileChange, TextSnapshot, WorkspaceError
from specloom.workspace.workspace import Workspace

LARGEST = 1024 * 1024
"""Bytes of one file whose before-image is kept; a larger one is told by its digest alone."""
MOST = 64 * 1024 * 1024
"""Bytes of all before-images held at a time."""
NO_FILE = Digest("")

Stamp: TypeAlias = tuple[int, int, int]
"""Inode, size, and time of change in nanoseconds."""


@dataclass(slots=True)
class CommandImages:
    """Follows one root over the commands of one session."""

    workspace: Workspace
    journal: AttemptJournal
    protected: tuple[str, ...]
    """Paths, and folders with all theirs, that a command must not change."""
    _stamps: dict[str, Stamp] = field(default_factory=dict[str, Stamp])
    _images: dict[str, bytes] = field(default_factory=dict[str, bytes])

    async def before(self) -> None:
        """Remembers every visible file as it is now."""
        self._stamps = await asyncio.to_thread(self._look, await self.workspace.walk())

    async def after(self) -> tuple[str, ...]:
        """Records what has changed since `before`; returns the protected paths that were put back."""
        was = self._stamps
        now = await asyncio.to_thread(_stamps, self.workspace.root, await self.workspace.walk())
        changed = [path for path in sorted({*was, *now}) if was.get(path) != now.get(path)]
        restored: list[str] = []
        for path in changed:
            if await self._record(path, existed=path in was) and self._is_protected(path):
                restored += [path] if await self._put_back(path, existed=path in was) else []
        return tuple(restored)

    def _look(self, paths: Iterable[str]) -> dict[str, Stamp]:
        stamps = _stamps(self.workspace.root, paths)
        self._images = {path: data for path, data in self._images.items() if self._stamps.get(path) == stamps.get(path)}
        room = MOST - sum(len(data) for data in self._images.values())
        for path, (_, size, _) in stamps.items():
            if path not in self._images and size <= min(LARGEST, room):
                data = _read(self.workspace.root / path)
                if data is not None:
                    self._images[path] = data
                    room -= len(data)
        return stamps

    async def _record(self, path: str, *, existed: bool) -> bool:
        """Writes down one change; false when the bytes are the same (a file that was only touched)."""
        before = self._snapshot(path) if existed else None
        after = await asyncio.to_thread(_read, self.workspace.root / path)
        digest = NO_FILE if after is None else digest_of(after)
        if before is not None and before.digest == digest:
            return False
        edit = await self.journal.requested(path, before, digest, "a command")
        text = "" if after is None else after.decode("utf-8", "replace")
        await self.journal.settled(edit, Applied(TextSnapshot(path, text, digest), in_buffer=False))
        return True

    async def _put_back(self, path: str, *, existed: bool) -> bool:
        before = self._snapshot(path)
        if not existed or before is None or self.workspace.documents.find(path) is not None:
            return False
        try:
            present: TextSnapshot | None = await self.workspace.read(path)
        except WorkspaceError:
            present = None
        change = FileChange(path, before.text, present, "Specloom: put back")
        return isinstance(await self.workspace.recorded(self.journal).apply(change), Applied)

    def _snapshot(self, path: str) -> TextSnapshot | None:
        data = self._images.get(path)
        if data is None:
            return None
        try:
            return snapshot_of(path, data)
        except WorkspaceError:
            return None

    def _is_protected(self, path: str) -> bool:
        return any(path == item or path.startswith(f"{item}/") for item in self.protected)


def _stamps(root: Path, paths: Iterable[str]) -> dict[str, Stamp]:
    found: dict[str, Stamp] = {}
    for path in paths:
        try:
            stat = os.lstat(root / path)
        except OSError:
            continue
        found[path] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return found


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
