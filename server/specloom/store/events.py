"""The rows of the log: append and select, on a connection of the caller's. Refuses to open, to commit and to wait."""

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from specloom import __version__
from specloom.domain.ids import AgentId, CommandId
from specloom.domain.origin import Actor, Origin
from specloom.store.blobs import insert_blobs, load_blob
from specloom.store.codec import Codec, Encoded
from specloom.store.errors import ConcurrencyConflict, CorruptStoreError, NewerVersionError
from specloom.store.record import EventRecord, NewEvent, UnknownEvent

_SELECT = "SELECT seq, at, stream, type, v, command_id, actor, client, agent, payload FROM events"
_WRITTEN = "SELECT 1 FROM events WHERE type = ? AND v = ? LIMIT 1"
_LISTED = "SELECT 1 FROM types WHERE type = ? AND v = ?"


@dataclass(frozen=True, slots=True)
class Append:
    """One order to append."""

    stream: str
    expected: int | None
    events: Sequence[NewEvent]
    command_id: CommandId | None
    at: str


@dataclass(frozen=True, slots=True)
class Page:
    """One order to read."""

    since: int
    limit: int
    """-1: all."""
    streams: Collection[str] | None


def append(db: sqlite3.Connection, codec: Codec, order: Append) -> tuple[EventRecord, ...]:
    """All events or none. Raises `ConcurrencyConflict` before it writes anything."""
    if order.command_id is not None:
        earlier = select_command(db, codec, order.command_id, lenient=False)
        if earlier is not None:
            return tuple(replace(record, repeated=True) for record in earlier)
    rows = [(new, codec.encode(new.event)) for new in order.events]
    actual = last_seq(db, order.stream)
    if order.expected is not None and order.expected != actual:
        raise ConcurrencyConflict(order.stream, order.expected, actual)
    records = tuple(_insert(db, order, new, encoded) for new, encoded in rows)
    if order.command_id is not None:
        span = (records[0].seq, records[-1].seq) if records else (0, 0)
        db.execute("INSERT INTO commands VALUES (?, ?, ?)", (order.command_id, *span))
    return records


def last_seq(db: sqlite3.Connection, stream: str | None) -> int:
    """Of one stream, or of the whole log for `None`; 0 when empty."""
    if stream is None:
        row = db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
    else:
        row = db.execute("SELECT coalesce(max(seq), 0) FROM events WHERE stream = ?", (stream,)).fetchone()
    return int(row[0])


def select_command(
    db: sqlite3.Connection, codec: Codec, command_id: CommandId, *, lenient: bool
) -> tuple[EventRecord, ...] | None:
    """What the command led to, perhaps nothing; `None` if it was never seen. `lenient`: as `select_events`."""
    row = db.execute("SELECT first_seq, last_seq FROM commands WHERE command_id = ?", (command_id,)).fetchone()
    if row is None:
        return None
    found = db.execute(f"{_SELECT} WHERE seq BETWEEN ? AND ? ORDER BY seq", row)
    return tuple(_records(db, codec, found, lenient=lenient))


def select_events(db: sqlite3.Connection, codec: Codec, page: Page, *, lenient: bool) -> list[EventRecord]:
    """In order. `lenient`: unknown events as `UnknownEvent`, else `NewerVersionError`. Raises `CorruptStoreError`."""
    if page.streams is None:
        found = db.execute(f"{_SELECT} WHERE seq > ? ORDER BY seq LIMIT ?", (page.since, page.limit))
        return _unbroken(_records(db, codec, found, lenient=lenient), max(page.since, 0))
    where = "seq > ? AND stream IN (SELECT value FROM json_each(?))"
    values = (page.since, json.dumps([*page.streams]), page.limit)
    found = db.execute(f"{_SELECT} WHERE {where} ORDER BY seq LIMIT ?", values)
    return _records(db, codec, found, lenient=lenient)


def newer_type(db: sqlite3.Connection, codec: Codec) -> NewerVersionError | None:
    """What to tell when the log holds an event that we do not know.

    Raises `CorruptStoreError` where it names a type of which it holds none: whoever writes the first event of a type
    notes that with it.
    """
    rows = db.execute("SELECT type, v, since FROM types").fetchall()
    if any((type(name), type(v), type(since)) != (str, int, str) for name, v, since in rows):
        raise CorruptStoreError("the types of events in state.db are damaged; restore state.db from a backup")
    unknown = [row for row in rows if not codec.knows(row[0], row[1])]
    written = [row for row in unknown if _holds(db, _WRITTEN, row[0], row[1])]
    if unknown and not written:
        raise CorruptStoreError(
            f"state.db names a type {unknown[0][0]!r} version {unknown[0][1]} that no event has; "
            "restore state.db from a backup"
        )
    return NewerVersionError(*max(written, key=lambda row: _version_key(row[2]))) if written else None


def _holds(db: sqlite3.Connection, statement: str, type_: str, v: int) -> bool:
    return db.execute(statement, (type_, v)).fetchone() is not None


def _insert(db: sqlite3.Connection, order: Append, new: NewEvent, encoded: Encoded) -> EventRecord:
    insert_blobs(db, encoded.blobs)
    db.execute("INSERT OR IGNORE INTO types VALUES (?, ?, ?)", (encoded.type, encoded.v, __version__))
    by = new.by
    row = (order.at, order.stream, encoded.type, encoded.v, order.command_id, by.actor, by.client, by.agent)
    seq = db.execute("INSERT INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, encoded.payload)).lastrowid
    assert seq is not None
    return EventRecord(seq, order.at, order.stream, encoded.type, encoded.v, order.command_id, by, new.event)


def _records(db: sqlite3.Connection, codec: Codec, found: sqlite3.Cursor, *, lenient: bool) -> list[EventRecord]:
    load = partial(load_blob, db)
    decode = codec.decode
    origins: dict[tuple[Actor, str | None, AgentId | None], Origin] = {}
    records: list[EventRecord] = []
    for seq, at, stream, type_, v, command_id, actor, client, agent, payload in found:
        by = origins.get((actor, client, agent))
        if by is None:
            by = origins[actor, client, agent] = Origin(actor, client, agent)
        if type(at) is not str:
            raise CorruptStoreError(f"event {seq}: it has no time; restore state.db from a backup")
        try:
            event = decode(type_, v, payload, load)
        except NewerVersionError as error:
            if not _holds(db, _LISTED, type_, v):
                unwritten = (
                    f"event {seq}: its type {type_!r} version {v} was never written; restore state.db from a backup"
                )
                raise CorruptStoreError(unwritten) from error
            if not lenient:
                raise
            event = UnknownEvent(type_, v, payload)
        except CorruptStoreError as error:
            raise CorruptStoreError(f"event {seq}: {error}") from error
        records.append(EventRecord(seq, at, stream, type_, v, command_id, by, event))
    return records


def _unbroken(records: list[EventRecord], since: int) -> list[EventRecord]:
    """The records, if none between them is missing: what is folded without one is another project."""
    if records and records[-1].seq != since + len(records):
        missing = next(n for n, record in enumerate(records, since + 1) if record.seq != n)
        raise CorruptStoreError(f"event {missing} of state.db is missing; restore state.db from a backup")
    return records


def _version_key(version: str) -> tuple[int, ...]:
    """Orders `0.9.0` before `0.10.0`; a suffix counts for nothing."""
    numbers = version.split("+", 1)[0].split("-", 1)[0].split(".")
    return tuple(int(number) if number.isdigit() else 0 for number in numbers)
