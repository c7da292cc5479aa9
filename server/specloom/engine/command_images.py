"""Before-images of what commands change, so that it is in the change set like any edit of a tool.

Refuses to put anything back: nothing on disk tells a command's write from that of a person who saves meanwhile.
What happens to the documents that the agent works from is recorded apart, is nobody's tick, and is told to the agent.
"""

import asyncio
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from specloom.domain.ids import Digest, digest_of
from specloom.engine.head import HeadWatch
from specloom.engine.image_pack import ImagePack, Packed, Stamp
from specloom.engine.journal import AttemptJournal
from specloom.workspace.disk import snapshot_of
from specloom.workspace.ports import Applied, TextSnapshot, WorkspaceError
from specloom.workspace.workspace import Workspace

LARGEST = 1024 * 1024
"""Bytes of one file whose before-image is kept; a larger one is told by its digest alone."""
MOST = 64 * 1024 * 1024
"""Bytes of all before-images held at a time."""
NO_FILE = Digest("")


@dataclass(slots=True)
class CommandImages:
    """Follows one root over the commands of one session."""

    workspace: Workspace
    journal: AttemptJournal
    aside: AttemptJournal
    """Writes down what happened to `protected`: it is recorded, and no part of the attempt's change set."""
    protected: tuple[str, ...]
    """Paths, and folders with all theirs, that the agent may not change."""
    busy: Callable[[], bool]
    """Whether a command goes on that may change files while none is waited for."""
    pack: ImagePack | None = None
    """Where all this stands while a command runs, for whoever comes after this process."""
    head: HeadWatch | None = None
    """What git writes meanwhile is nobody's change: it has that itself."""
    _changes: int = 0
    """Of HEAD, when one last looked."""
    _stamps: dict[str, Stamp] = field(default_factory=dict[str, Stamp])
    _images: dict[str, bytes] = field(default_factory=dict[str, bytes])
    _room: int = MOST
    """Bytes that further before-images may take."""
    _going_on: bool = False
    """A command went on when one last looked: what has changed since may be its work."""

    async def before(self) -> tuple[str, ...]:
        """Remembers every visible file as it is now; what went on before is recorded first, as in `after`."""
        protected = await self.catch_up()
        if not self._going_on:
            await self._checked_out()
            self._stamps = await asyncio.to_thread(self._look, await self.workspace.walk())
        await self._pack(running=True)
        return protected

    async def after(self) -> tuple[str, ...]:
        """Records what has changed since `before`; returns the protected paths among it."""
        self._going_on = self.busy()
        protected = await self._compare(own=False)
        await self._pack(running=self._going_on)
        return protected

    async def catch_up(self) -> tuple[str, ...]:
        """Records what a command that goes on has changed since the last look; what the agent's tools wrote is known.

        Call before a tool changes a file, so that the change is not taken for part of what it was before.
        """
        if not self._going_on:
            return ()
        # Asked first: what a command that ends meanwhile writes last is seen by the next look.
        self._going_on = self.busy()
        protected = await self._compare(own=True)
        await self._pack(running=self._going_on)
        return protected

    async def close(self) -> None:
        """Nothing of the agent's runs any more: records what it changed last."""
        await self.catch_up()
        if self.pack is not None:
            await asyncio.to_thread(self.pack.close)

    async def record_cut(self, packed: Packed) -> None:
        """Records what commands of an earlier process changed after that described the files."""
        self._stamps, self._images = packed.stamps, packed.images
        await self._compare(own=True)

    async def _pack(self, *, running: bool) -> None:
        if self.pack is None:
            return
        if running:
            await asyncio.to_thread(self.pack.running, self._stamps, self._images)
        else:
            await asyncio.to_thread(self.pack.resting)

    async def _compare(self, *, own: bool) -> tuple[str, ...]:
        if await self._checked_out():
            # What commands did in between cannot be told from it.
            self._stamps = await asyncio.to_thread(self._look, await self.workspace.walk())
            return ()
        was = self._stamps
        now = await asyncio.to_thread(_stamps, self.workspace.root, await self.workspace.walk())
        changed = [path for path in sorted({*was, *now}) if was.get(path) != now.get(path)]
        protected = tuple([path for path in changed if await self._record(path, existed=path in was, own=own)])
        self._stamps = now
        return protected

    async def _checked_out(self) -> bool:
        """Whether git wrote files since one last looked."""
        if self.head is None:
            return False
        await self.head.look()
        before, self._changes = self._changes, self.head.changes
        return before != self._changes

    def _look(self, paths: Iterable[str]) -> dict[str, Stamp]:
        stamps = _stamps(self.workspace.root, paths)
        self._images = {path: data for path, data in self._images.items() if self._stamps.get(path) == stamps.get(path)}
        self._room = MOST - sum(len(data) for data in self._images.values())
        for path, (_, size, _) in stamps.items():
            if path not in self._images and size <= min(LARGEST, self._room):
                self._keep(path, _read(self.workspace.root / path))
        return stamps

    async def _record(self, path: str, *, existed: bool, own: bool) -> bool:
        """Writes down one change; true if the path is protected and its bytes are others than before.

        `own`: a change may be that of an edit which is written down already.
        """
        before = self._snapshot(path) if existed else None
        after = await asyncio.to_thread(_read, self.workspace.root / path)
        digest = NO_FILE if after is None else digest_of(after)
        self._keep(path, after)
        if (before is not None and before.digest == digest) or (own and self.journal.made.get(path) == digest):
            return False
        protected = self._is_protected(path)
        journal = self.aside if protected else self.journal
        edit = await journal.requested(path, before, digest, "while a command ran")
        text = "" if after is None else after.decode("utf-8", "replace")
        await journal.settled(edit, Applied(TextSnapshot(path, text, digest), in_buffer=False))
        return protected

    def _keep(self, path: str, data: bytes | None) -> None:
        """The next change is one of what was read now, so that none between two looks is lost."""
        self._room += len(self._images.pop(path, b""))
        if data is not None and len(data) <= min(LARGEST, self._room):
            self._images[path] = data
            self._room -= len(data)

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
