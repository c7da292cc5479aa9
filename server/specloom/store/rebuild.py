"""Puts a damaged log aside and a new one in its place, of what can be read: all events before the first that cannot.

Refuses to join what stands on both sides of a gap, to change the damaged file, and to touch what another program or a
newer Specloom wrote. Every step may be cut off: the next start goes on with it.
"""

import contextlib
import filecmp
import json
import os
import shutil
import sqlite3
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from specloom.domain.ids import Digest
from specloom.store import blobs
from specloom.store.claims import CLAIMS
from specloom.store.codec import Codec
from specloom.store.database import (
    APPLICATION_ID,
    ASIDE,
    FILE_NAME,
    REBUILDING,
    REBUILT,
    REBUILT_META,
    create_file,
    finish_rebuilding,
    sync_folder,
)
from specloom.store.errors import CorruptStoreError, NewerVersionError, mapped_errors
from specloom.store.lock import WriterLock
from specloom.store.schema import FORMAT, format_of, migrate

_LOG = f"{FILE_NAME}-wal"
_ROW = "SELECT seq, at, stream, type, v, command_id, actor, client, agent, payload FROM events WHERE seq = ?"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it. Stands in the new log too: who is told of it may be another process."""

    kept: int
    """Events."""
    lost: int | None
    """Events that were behind them; `None`: how many there were cannot be read."""
    aside: Path
    """The folder with the damaged files as they were."""
    reason: str

    def to_json(self) -> str:
        """For the new log."""
        return json.dumps([self.kept, self.lost, self.aside.name, self.reason])

    @classmethod
    def of_json(cls, text: str, directory: Path) -> "Rebuilt | None":
        """What stands in the log in `directory`; `None` where that is damaged itself."""
        with contextlib.suppress(ValueError, TypeError):
            kept, lost, aside, reason = json.loads(text)
            return cls(int(kept), None if lost is None else int(lost), directory / str(aside), str(reason))
        return None


def rebuild(directory: Path, codec: Codec, ids: tuple[str, str], holder: str, reason: str) -> Rebuilt:
    """Blocking. `ids`: a project id, should the old one be unreadable, and the time, ISO-8601.

    Raises `StoreLockedError`, `StoreFullError`, `NewerVersionError`, and `CorruptStoreError` where it is not our file.
    """
    lock = WriterLock(directory)
    lock.acquire(what=holder, since=ids[1])
    try:
        with mapped_errors(directory / FILE_NAME):
            finish_rebuilding(directory)
            return _rebuild(directory, codec, ids, reason)
    finally:
        lock.release()


def _rebuild(directory: Path, codec: Codec, ids: tuple[str, str], reason: str) -> Rebuilt:
    aside = _put_aside(directory, ids[1])
    try:
        rebuilt = _copy_readable(aside, directory / REBUILDING, codec, ids, reason)
    except BaseException:
        # Nothing was changed, so nothing is to be found twice either.
        (directory / REBUILDING).unlink(missing_ok=True)
        shutil.rmtree(aside, ignore_errors=True)
        raise
    (directory / REBUILDING).rename(directory / REBUILT)
    sync_folder(directory)
    finish_rebuilding(directory)
    return rebuilt


def _put_aside(directory: Path, now: str) -> Path:
    """A folder with the files under their names, which stay where they are too."""
    stamp = "".join(character for character in now if character.isalnum())
    aside = _begun(directory) or directory / f"{ASIDE}{stamp}"
    aside.mkdir(mode=0o700, exist_ok=True)
    # The log first: who finds the database there finds both.
    for name in (_LOG, FILE_NAME):
        if (directory / name).exists() and not (aside / name).exists():
            try:
                os.link(directory / name, aside / name)
            except OSError:
                part = shutil.copyfile(directory / name, aside / f"{name}.part")
                part.chmod(0o600)
                part.rename(aside / name)
    sync_folder(aside)
    return aside


def _begun(directory: Path) -> Path | None:
    """The folder of a rebuilding that was cut off: what it holds, if anything, stands in its place still."""
    present = directory / FILE_NAME
    for aside in sorted(directory.glob(f"{ASIDE}*")):
        kept = aside / FILE_NAME
        if aside.is_dir() and (not kept.exists() or (present.exists() and filecmp.cmp(kept, present, shallow=False))):
            return aside
    return None


def _copy_readable(aside: Path, draft: Path, codec: Codec, ids: tuple[str, str], reason: str) -> Rebuilt:
    create_file(draft)
    with closing(sqlite3.connect(draft, isolation_level=None)) as new, _reading(aside / FILE_NAME) as old:
        new.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        salvage = _Salvage(old, new, codec)
        known = salvage.meta()
        migrate(new, project_id=known.get("projectId", ids[0]), now=known.get("createdAt", ids[1]))
        new.execute("PRAGMA synchronous = FULL")
        new.execute("BEGIN")
        new.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)", [(key, known[key]) for key in CLAIMS if key in known]
        )
        kept = sum(1 for _ in salvage.events())
        salvage.commands(kept)
        most = salvage.most()
        rebuilt = Rebuilt(kept, None if most is None else max(most - kept, 0), aside, reason)
        new.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (REBUILT_META, rebuilt.to_json()))
        new.execute("COMMIT")
    return rebuilt


@contextmanager
def _reading(damaged: Path) -> Generator[sqlite3.Connection]:
    """The damaged log; an empty one in its place where nothing of it opens."""
    db = sqlite3.connect(f"file:{quote(str(damaged))}?mode=ro", uri=True, isolation_level=None)
    try:
        db.execute("PRAGMA query_only = ON")
        found = format_of(db)
    except sqlite3.Error:
        found = 0
    if found > FORMAT:
        db.close()
        raise CorruptStoreError(f"{damaged}: its format is not known here; restore it from a backup")
    with closing(db):
        yield db


@dataclass(slots=True)
class _Salvage:
    """From the one to the other."""

    old: sqlite3.Connection
    new: sqlite3.Connection
    codec: Codec
    _types: set[tuple[object, object]] = field(default_factory=set[tuple[object, object]])

    def meta(self) -> Mapping[str, str]:
        rows = self._readable("SELECT key, value FROM meta")
        return {key: value for key, value in rows if isinstance(key, str) and isinstance(value, str)}

    def events(self) -> Iterator[int]:
        """Their numbers, up to the first that is not as it was written."""
        since = {(row[0], row[1]): row[2] for row in self._readable("SELECT type, v, since FROM types")}
        seq = 1
        while (row := self._row(seq, since)) is not None:
            type_, v = row[3], row[4]
            if (type_, v) not in self._types:
                self._types.add((type_, v))
                self.new.execute("INSERT INTO types VALUES (?, ?, ?)", (type_, v, str(since.get((type_, v), ""))))
            self.new.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            yield seq
            seq += 1

    def _row(self, seq: int, listed: Collection[tuple[object, object]]) -> tuple[Any, ...] | None:
        """Raises `NewerVersionError` for a `listed` type that is not known here; any other was never written."""
        contents: dict[Digest, bytes] = {}

        def load(digest: Digest) -> bytes:
            contents[digest] = blobs.load_blob(self.old, digest)
            return contents[digest]

        row = next(self._readable(_ROW, (seq,)), None)
        if row is None or not _is_whole(row):
            return None
        type_, v, payload = row[3], row[4], row[9]
        try:
            self.codec.decode(type_, v, payload, load)
        except NewerVersionError:
            if (type_, v) in listed:
                raise
            return None
        except (sqlite3.Error, CorruptStoreError):
            return None
        blobs.insert_blobs(self.new, contents)
        return row

    def commands(self, kept: int) -> None:
        """Orders that were carried out by then: they are not carried out again."""
        for row in self._readable("SELECT command_id, first_seq, last_seq FROM commands"):
            if isinstance(row[0], str) and isinstance(row[2], int) and row[2] <= kept:
                self.new.execute("INSERT OR IGNORE INTO commands VALUES (?, ?, ?)", row)

    def most(self) -> int | None:
        """The highest number that an event had."""
        statements = (
            "SELECT seq FROM sqlite_sequence WHERE name = 'events'",
            "SELECT max(seq) FROM events",
            "SELECT max(last_seq) FROM commands",
        )
        rows = [row for statement in statements for row in self._readable(statement)]
        return max((row[0] for row in rows if isinstance(row[0], int)), default=None)

    def _readable(self, statement: str, values: tuple[int, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows up to the first that cannot be read."""
        with contextlib.suppress(sqlite3.Error):
            yield from self.old.execute(statement, values)


def _is_whole(row: tuple[object, ...]) -> bool:
    """By the kinds of the columns: damage can bring anything."""
    number, at, stream, type_, v, command, actor, client, agent, payload = row
    texts = all(isinstance(value, str) for value in (at, stream, type_, actor, payload))
    rest = all(value is None or isinstance(value, str) for value in (command, client, agent))
    return isinstance(number, int) and isinstance(v, int) and texts and rest
