"""The files that a session has open, as its keeper watches them. Refuses to read a file whose stamp says enough."""

import asyncio
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from specloom.domain.ids import Digest
from specloom.domain.ports import Clock
from specloom.tools.ports import Files, ReadMemory
from specloom.workspace.ports import TextSnapshot, WorkspaceError
from specloom.workspace.workspace import Workspace

SETTLED_S = 0.1
"""Age of a file's last change from which its time can be trusted: a second write within one tick would not show."""
COARSE_S = 2.0
"""The same where times seem to be whole seconds."""


@dataclass(frozen=True, slots=True)
class WorkspaceFiles:
    """An `agent.context.watch.OpenFiles` over a workspace."""

    workspace: Workspace
    clock: Clock

    async def stamps(self, paths: Sequence[str]) -> Mapping[str, Hashable]:
        """Of an open document its version, of other files what the file system says without reading them."""
        found: dict[str, Hashable] = {}
        for path in paths:
            document = self.workspace.documents.find(path)
            if document is not None:
                found[path] = ("buffer", id(document.owner), document.version, document.touched)
        on_disk = [path for path in paths if path not in found]
        if on_disk:
            now = datetime.fromisoformat(self.clock.now()).timestamp()
            found |= await asyncio.to_thread(_stamps, self.workspace.root, on_disk, now)
        return found

    async def read(self, path: str) -> TextSnapshot:
        """The text as it stands. Raises `WorkspaceError`."""
        return await self.workspace.read(path)


def _stamps(root: Path, paths: Iterable[str], now: float) -> dict[str, Hashable]:
    found: dict[str, Hashable] = {}
    for path in paths:
        try:
            stat = (root / path).stat()
        except OSError:
            continue
        if now - stat.st_mtime > (SETTLED_S if stat.st_mtime_ns % 1_000_000_000 else COARSE_S):
            found[path] = ("disk", stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    return found


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a session that goes on still knows of its files."""

    memory: ReadMemory
    lost: tuple[str, ...] = ()
    """Files that are not as it was shown them, or are gone."""
    closed: frozenset[str] = frozenset()


async def recalled(files: Files, shown: Mapping[str, Digest]) -> Recalled:
    """Compares what the model was shown last of each file with the file; an empty digest: it was closed."""
    memory, lost = ReadMemory(), list[str]()
    for path, digest in shown.items():
        if not digest:
            continue
        try:
            present = await files.read(path)
        except WorkspaceError:
            lost.append(path)
            continue
        if present.digest == digest:
            memory.bases[path] = present
        else:
            lost.append(path)
    return Recalled(memory, tuple(lost), frozenset(path for path, digest in shown.items() if not digest))
