"""Tells a copy of a log from a log that was moved, by a note in it of which file it is. Refuses to read another log.

A copy is a log whose note names another file that is still there. Whatever else has changed (a folder that was moved,
a backup that was restored, a file system that numbers its files anew, a second way to the same file) is the same log.
"""

import json
import logging
import sqlite3
from dataclasses import astuple, dataclass
from pathlib import Path
from threading import Thread

from specloom.store.lock import FILE_NAME as LOCK

LOG = logging.getLogger(__name__)
PLACE, COPY_OF = "place", "copyOf"
CLAIMS = (PLACE, COPY_OF)
"""Keys of `meta`: the file that this log is, and the project that it was copied from."""
PATIENCE = 5.0
"""Seconds for a file system that may answer no more; then nothing is changed, and the next opening asks again."""


@dataclass(frozen=True, slots=True)
class Place:
    """Of a file, as long as it is there."""

    path: str
    device: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> "Place | None":
        """`None` where there is no such file."""
        try:
            found = path.resolve().stat()
        except OSError:
            return None
        return cls(str(path.resolve()), found.st_dev, found.st_ino)

    @classmethod
    def of_json(cls, text: str) -> "Place | None":
        """`None` for what is no place."""
        try:
            path, device, inode = json.loads(text)
            return cls(str(path), int(device), int(inode))
        except (ValueError, TypeError):
            return None

    def to_json(self) -> str:
        """As `of_json` reads it."""
        return json.dumps(astuple(self))


def claim(db: sqlite3.Connection, path: Path, fresh: str) -> None:
    """Notes in the log `path`, whose lock is held, which file it is; a copy gets the project id `fresh`.

    All or nothing: a disk that takes nothing leaves all as it was.
    """
    meta: dict[str, str] = dict(db.execute("SELECT key, value FROM meta"))
    here, before = Place.of(path), Place.of_json(meta.get(PLACE, ""))
    if here is None or here == before:
        return
    copied = before is not None and _is_copy(before, here)
    if copied is None:
        LOG.warning("%s does not answer; whether %s is a copy of it is not known", before, here.path)
        return
    rows = [(PLACE, here.to_json())]
    if copied:
        rows += [("projectId", fresh), (COPY_OF, meta["projectId"])]
    try:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)
        db.execute("COMMIT")
    except sqlite3.OperationalError as error:
        LOG.warning("%s: which file this is could not be noted: %s", path, error)
        if db.in_transaction:
            db.execute("ROLLBACK")


def _is_copy(before: Place, here: Place) -> bool | None:
    """`None`: the other file system does not answer."""
    if before.path == here.path or (before.device, before.inode) == (here.device, here.inode):
        return False
    found: list[bool] = []
    look = Thread(target=lambda: found.append(_is_elsewhere(before, here)), name="specloom-claims", daemon=True)
    look.start()
    look.join(PATIENCE)
    return found[0] if found else None


def _is_elsewhere(before: Place, here: Place) -> bool:
    return Place.of(Path(before.path)) == before and _holder(before) != _holder(here)


def _holder(place: Place) -> str:
    """Who has the lock beside a log, or had it: with ours in it, a log that seems another one is the same."""
    try:
        return Path(place.path).with_name(LOCK).read_text(errors="replace")
    except OSError:
        return ""
