"""Tells documents that git put back as they once were from those that a hand changed. Refuses to start git.

In doubt, where a text is one that git had already and git was at work since, git did it.
"""

import asyncio
import os
import stat
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from specloom.domain.events.documents import LogRebuilt
from specloom.engine.git_index import find_entry, present, read_index
from specloom.engine.git_objects import find_blob, last_at_work
from specloom.engine.ledger import Ledger
from specloom.engine.repository import Repository, nearest

LATEST = 20
"""Events of which one tells when the log last heard of anything."""


@dataclass(slots=True)
class PutBack:
    """Looks at one root's documents."""

    root: Path
    heard: float
    """Seconds since 1970 when an earlier process last heard of any document."""
    _told: dict[str, float] = field(default_factory=dict[str, float])
    """When this one last did, by path."""

    @classmethod
    async def since(cls, root: Path, ledger: Ledger) -> "PutBack":
        """After all that the log holds."""
        newest = await ledger.read(max(ledger.state.seq - LATEST, 0), LATEST)
        times = (item.at for item in newest if not isinstance(item.event, LogRebuilt))
        return cls(root, max(map(_seconds, times), default=0.0))

    def tell(self, path: str, at: str) -> None:
        """The log knows now what stands in a document."""
        self._told[path] = _seconds(at)

    async def is_by_git(self, path: str, data: bytes) -> bool:
        """Whether git wrote the document, which holds `data` now and read otherwise when one last heard of it."""
        return await asyncio.to_thread(_was_put_back, self.root, path, data, self._told.get(path, self.heard))


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def _was_put_back(root: Path, path: str, data: bytes, heard: float) -> bool:
    try:
        found = nearest(root)
        return found is not None and _is_old(found, root / path, data, heard)
    except OSError:
        return False


def _is_old(found: Repository, file: Path, data: bytes, heard: float) -> bool:
    seen = file.lstat()
    # What is newer than anything that git did, a hand wrote. What a link stands for is none of git's texts.
    if not stat.S_ISREG(seen.st_mode) or seen.st_mtime_ns > last_at_work(found):
        return False
    blob = find_blob(found, data)
    # What a hand wrote and gave to git is newer.
    if blob is None or blob.stored >= heard:
        return False
    name = os.fsencode(os.path.relpath(file, found.top))
    entry = find_entry(read_index(found.top), name)
    # Git notes in its index when it wrote a file from there; a hand that takes a change back does not.
    return entry is None or entry.digest != blob.digest or present(found.top, name) == (entry.size, entry.seconds)
