"""Deletes what a path names, file by file, each written down before and after.

Refuses to begin where one file may not go: one that a person is changing in an editor, or that is not as it was seen.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from specloom.domain.ids import NO_DIGEST, Digest
from specloom.workspace.deleting import Doomed, files_of, look_at, take, take_folders
from specloom.workspace.jail import Jail
from specloom.workspace.ports import Applied, Deletion, EditResult, NotApplied, Refusal, TextSnapshot, WorkspaceError
from specloom.workspace.shielding import to_the_end

if TYPE_CHECKING:
    from specloom.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Removal:
    """One deletion in one workspace."""

    workspace: "Workspace"
    label: str
    keep: Path | None
    """A folder for copies of files without a text."""
    closed: Callable[[str], bool]
    """Which files may not go, and keep the others beside them."""

    async def delete(self, path: str, known: Mapping[str, Digest]) -> Deletion:
        """All files that the path names, or the first reason against it. Raises `WorkspaceError`."""
        jail = self.workspace.disk.jail
        paths = await asyncio.to_thread(files_of, jail, path)
        if (kept := next(filter(self.closed, paths), None)) is not None:
            raise WorkspaceError(f"{path} holds {kept}, which is not yours to write; delete the other files by name")
        doomed = [await asyncio.to_thread(look_at, jail, file) for file in paths]
        for file in doomed:
            self._check(file, known.get(file.path))
        gone: list[str] = []
        for file in doomed:
            reason = await to_the_end(self._take(file))
            if reason:
                return Deletion(tuple(gone), reason)
            gone.append(file.path)
        await asyncio.to_thread(_take_folders, jail, path)
        return Deletion(tuple(gone))

    def _check(self, file: Doomed, known: Digest | None) -> None:
        document = self.workspace.documents.find(file.path)
        if document is not None and (document.changed or file.image is None or document.text != file.image.text):
            raise WorkspaceError(f"{file.path!r} has unsaved changes in the user's editor; leave it, or ask the user")
        if known is not None and (file.image is None or file.image.digest != known):
            raise WorkspaceError(f"{file.path!r} was changed by others since you read it; read it again first")

    async def _take(self, file: Doomed) -> str:
        async with self.workspace.lock_of(file.path):
            journal = self.workspace.journal
            keep = None if self.keep is None else self.keep / self._name_of_copy(file)
            if journal is None:
                return await asyncio.to_thread(take, self.workspace.disk.jail, file, keep)
            copied = file.image is None and keep is not None
            label = f"{self.label}: kept as {keep.name} in the state folder" if keep and copied else self.label
            edit = await journal.requested(file.path, file.image, NO_DIGEST, label)
            reason = await asyncio.to_thread(take, self.workspace.disk.jail, file, keep)
            await journal.settled(edit, _result(file, reason))
            return reason

    def _name_of_copy(self, file: Doomed) -> str:
        return f"{'-'.join(map(str, file.stamp))}-{PurePosixPath(file.path).name}"


def _result(file: Doomed, reason: str) -> EditResult:
    if reason:
        return NotApplied(Refusal.NOT_WRITABLE, reason, file.image)
    return Applied(TextSnapshot(file.path, "", NO_DIGEST), in_buffer=False)


def _take_folders(jail: Jail, path: str) -> None:
    take_folders(jail, jail.locate(path))
