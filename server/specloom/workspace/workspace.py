"""Files as their users see them: the buffer where one is open, the disk elsewhere.

Refuses to change a text that is not the one the change was computed on, and to change anything without writing it down.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from weakref import WeakValueDictionary

from specloom.domain.ids import Digest, digest_of
from specloom.workspace.disk import DiskEdits, changed_meanwhile, encoded
from specloom.workspace.documents import OpenDocument, OpenDocuments
from specloom.workspace.encoding import encode
from specloom.workspace.jail import Jail, explained
from specloom.workspace.own_writes import OwnWrites
from specloom.workspace.ports import (
    Deletion,
    EditJournal,
    EditResult,
    FileChange,
    FolderEntry,
    MissingFileError,
    NotApplied,
    OutsideRootError,
    Refusal,
    TextPart,
    TextSnapshot,
    WorkspaceError,
)
from specloom.workspace.removal import Removal
from specloom.workspace.shielding import to_the_end
from specloom.workspace.walk import entries_of, files_below


@dataclass(slots=True)
class Workspace:
    """One root. Implements `tools.ports.Files`; edits of one file happen one after the other."""

    root: Path
    """The real path."""
    documents: OpenDocuments
    disk: DiskEdits
    journal: EditJournal | None = None
    own_writes: OwnWrites = field(default_factory=OwnWrites)
    buffer_deadline: float = 10.0
    """Seconds that an editor has to change an open document."""
    keep: Path | None = None
    """Outside what tools may touch: takes deleted files that have no text. `None`: such files are not deleted."""
    _locks: "WeakValueDictionary[str, asyncio.Lock]" = field(default_factory=WeakValueDictionary[str, asyncio.Lock])

    @classmethod
    def at(cls, root: Path, journal: EditJournal | None = None) -> "Workspace":
        """A workspace with no open documents. Blocking (it resolves links of the root)."""
        jail = Jail(root)
        return cls(jail.root, OpenDocuments(), DiskEdits(jail), journal)

    def recorded(self, journal: EditJournal) -> "Workspace":
        """The same workspace, whose edits are written down in `journal`: one for each attempt."""
        return replace(self, journal=journal)

    def path_of(self, file: Path) -> str | None:
        """The path below the root of a file that an editor names; `None` if it is outside or closed. Blocking."""
        try:
            return self.disk.jail.locate(str(file))
        except OutsideRootError:
            return None

    def resolve(self, path: str) -> Path:
        """The absolute real path. Blocking. Raises `OutsideRootError`."""
        return self.disk.jail.resolve(path)

    async def read(self, path: str) -> TextSnapshot:
        """The text as it stands. Raises `WorkspaceError`."""
        return await self._present(await asyncio.to_thread(self.disk.jail.locate, path))

    async def read_bytes(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes from disk. Raises `WorkspaceError`."""
        return await asyncio.to_thread(self.disk.read_bytes, path, limit)

    async def read_part(self, path: str, first: int, count: int) -> TextPart:
        """Lines of a file on disk that is too large for `read`. Raises `WorkspaceError`."""
        return await asyncio.to_thread(self.disk.read_part, path, first, count)

    async def apply(self, change: FileChange) -> EditResult:
        """All or nothing, recorded before and after; a cancellation waits for the answer. Raises `OutsideRootError`."""
        relative = await asyncio.to_thread(self.disk.jail.locate, change.path)
        async with self.lock_of(relative):
            return await to_the_end(self._apply(replace(change, path=relative)))

    async def delete(
        self, path: str, label: str, known: Mapping[str, Digest], closed: Callable[[str], bool] = lambda _: False
    ) -> Deletion:
        """A file, or a folder with all below it; `known`: digests that must still be true. Raises `WorkspaceError`."""
        return await Removal(self, label, self.keep, closed).delete(path, known)

    def lock_of(self, relative: str) -> asyncio.Lock:
        """Held while one file is changed."""
        return self._locks.setdefault(relative, asyncio.Lock())

    async def walk(self, below: str = "") -> tuple[str, ...]:
        """Paths of all files that no ignore rule hides, sorted. Raises `WorkspaceError`."""
        return await asyncio.to_thread(self._walk, below)

    async def list_folder(self, path: str = "") -> tuple[FolderEntry, ...]:
        """What stands in one folder. Raises `WorkspaceError`."""
        return await asyncio.to_thread(self._list_folder, path)

    async def buffers(self) -> Mapping[str, str]:
        """The texts of all open documents by path."""
        found = (self.documents.find(path) for path in self.documents.paths())
        return {document.path: document.text for document in found if document is not None}

    async def dirty_paths(self) -> tuple[str, ...]:
        """Of open documents whose text is not the disk's."""
        snapshots = [await self._present(path) for path in self.documents.paths()]
        return tuple(snapshot.path for snapshot in snapshots if snapshot.dirty)

    async def save(self, paths: tuple[str, ...], deadline: float) -> tuple[str, ...]:
        """Asks the owners of open documents to save; returns those still dirty after `deadline` seconds."""
        owners = {path: document.owner for path in paths if (document := self.documents.find(path)) is not None}
        requests = [
            owner.save(tuple(path for path, known in owners.items() if known is owner), deadline)
            for owner in {id(owner): owner for owner in owners.values()}.values()
        ]
        try:
            async with asyncio.timeout(deadline + 1.0):
                await asyncio.gather(*requests)
        except TimeoutError:
            pass
        dirty = await self.dirty_paths()
        return tuple(path for path in paths if path in dirty)

    async def _present(self, relative: str) -> TextSnapshot:
        if self.documents.is_shared(relative):
            await self._compare(relative)
        document = self.documents.find(relative)
        if document is None:
            return await asyncio.to_thread(self.disk.read, relative)
        return await asyncio.to_thread(self._overlay, document)

    async def _compare(self, relative: str) -> None:
        # An editor that reads what another one saved tells of a change as if somebody had typed it.
        try:
            saved = await asyncio.to_thread(self.disk.read, relative)
        except WorkspaceError:
            return
        self.documents.on_disk(relative, saved.text)

    def _overlay(self, document: OpenDocument) -> TextSnapshot:
        """The buffer's text, in the encoding that a save would keep."""
        try:
            saved = self.disk.read(document.path)
            digest = digest_of(encode(document.text, saved.encoding, saved.bom))
        except (WorkspaceError, UnicodeEncodeError):
            saved = None
            digest = digest_of(document.text)
        return TextSnapshot(
            document.path,
            document.text,
            digest,
            document.version,
            dirty=saved is None or saved.digest != digest,
            encoding="utf-8" if saved is None else saved.encoding,
            bom=saved is not None and saved.bom,
        )

    async def _apply(self, change: FileChange) -> EditResult:
        present = await self._present_or_none(change.path)
        expected = None if change.base is None else change.base.digest
        if expected != (None if present is None else present.digest):
            return changed_meanwhile(change.path, present)
        change = replace(change, base=present)
        data = encoded(change)
        if isinstance(data, NotApplied):
            return data
        if self.journal is None:
            return await self._write(change, data)
        edit = await self.journal.requested(change.path, change.base, digest_of(data), change.label)
        result = await self._write(change, data)
        await self.journal.settled(edit, result)
        return result

    async def _present_or_none(self, relative: str) -> TextSnapshot | None:
        try:
            return await self._present(relative)
        except MissingFileError:
            return None

    async def _write(self, change: FileChange, data: bytes) -> EditResult:
        document = self.documents.find(change.path)
        if document is not None:
            return await self._write_buffer(change, document)
        self.own_writes.remember(change.path, digest_of(data))
        try:
            result = await self.disk.apply(change)
        except WorkspaceError as error:
            result = NotApplied(Refusal.NOT_WRITABLE, str(error), change.base)
        if isinstance(result, NotApplied):
            self.own_writes.forget(change.path)
        return result

    async def _write_buffer(self, change: FileChange, document: OpenDocument) -> EditResult:
        try:
            async with asyncio.timeout(self.buffer_deadline):
                return await document.owner.apply(change)
        except TimeoutError:
            message = (
                f"the editor that has {change.path!r} open gave no answer; read the file again before the next change"
            )
            return NotApplied(Refusal.CLIENT_SILENT, message, None)

    def _walk(self, below: str) -> tuple[str, ...]:
        relative = self.disk.jail.locate(below or ".")
        with self.disk.jail.folder(relative):
            return files_below(self.root, relative)

    def _list_folder(self, path: str) -> tuple[FolderEntry, ...]:
        relative = self.disk.jail.locate(path or ".")
        with self.disk.jail.folder(relative):
            try:
                return entries_of(self.root, relative)
            except OSError as error:
                raise explained(error, relative) from error
