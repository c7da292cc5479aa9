"""The tables of `state.db` and how older files become the present one. Refuses to change what a row means.

Migrations only add, so that an older Specloom can still read what a newer one wrote.
"""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeAlias

from specloom import __version__
from specloom.store.errors import CorruptStoreError, NewerVersionError

log = logging.getLogger(__name__)

Migration: TypeAlias = Callable[[sqlite3.Connection], None]

EVENTS = """
CREATE TABLE events(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    stream TEXT NOT NULL,
    type TEXT NOT NULL,
    v INTEGER NOT NULL,
    command_id TEXT,
    actor TEXT NOT NULL,
    client TEXT,
    agent TEXT,
    payload TEXT NOT NULL
)"""
STREAMS = "CREATE INDEX events_by_stream ON events(stream, seq)"
TYPES = "CREATE TABLE types(type TEXT, v INTEGER, since TEXT NOT NULL, PRIMARY KEY(type, v)) WITHOUT ROWID"
COMMANDS = """
CREATE TABLE commands(
    command_id TEXT PRIMARY KEY, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL
) WITHOUT ROWID"""
BLOBS = "CREATE TABLE blobs(digest TEXT PRIMARY KEY, size INTEGER NOT NULL, data BLOB NOT NULL)"
SNAPSHOTS = """
CREATE TABLE snapshots(
    name TEXT NOT NULL, v INTEGER NOT NULL, seq INTEGER NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY(name, v)
)"""
META = "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"


def m001_log(db: sqlite3.Connection) -> None:
    """The first format."""
    for statement in (EVENTS, STREAMS, TYPES, COMMANDS, BLOBS, SNAPSHOTS, META):
        db.execute(statement)


MIGRATIONS: Sequence[Migration] = (m001_log,)
FORMAT = len(MIGRATIONS)
"""`PRAGMA user_version` of the present format."""


def format_of(db: sqlite3.Connection) -> int:
    """0: an empty file."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def newer_format(db: sqlite3.Connection) -> NewerVersionError | None:
    """What to tell when the file is of a format that we do not know. Raises `CorruptStoreError` for none at all."""
    found = format_of(db)
    if found < 0:
        raise CorruptStoreError(f"state.db has the format {found}, which never was; restore it from a backup")
    if found <= FORMAT:
        return None
    row = db.execute("SELECT value FROM meta WHERE key = 'writtenBy'").fetchone()
    return NewerVersionError("the format of state.db", found, row[0] if row else None)


def read_meta(db: sqlite3.Connection) -> dict[str, str]:
    """`projectId`, `createdAt` and `writtenBy`, all there. Raises `CorruptStoreError`."""
    meta: dict[str, str] = dict(db.execute("SELECT key, value FROM meta"))
    if not meta.keys() >= {"projectId", "createdAt", "writtenBy"}:
        raise CorruptStoreError("state.db does not say whose it is; restore it from a backup")
    return meta


def migrate(db: sqlite3.Connection, *, project_id: str, now: str) -> None:
    """Brings the file to the present format, all or nothing; `project_id` and `now` are for a new one."""
    found = format_of(db)
    if found == FORMAT:
        return
    db.execute("BEGIN IMMEDIATE")
    for migration in MIGRATIONS[found:]:
        migration(db)
    first = (("projectId", project_id), ("createdAt", now))
    db.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", first)
    db.execute("INSERT OR REPLACE INTO meta VALUES ('writtenBy', ?)", (__version__,))
    db.execute(f"PRAGMA user_version = {FORMAT}")
    db.execute("COMMIT")
    if found:
        log.info("a log was brought from format %d to %d", found, FORMAT)
