"""Folded state, kept to start faster. Refuses to be needed: a missing or older one is folded again from the log."""

import sqlite3

from specloom.store.blobs import pack, unpack


def insert_snapshot(db: sqlite3.Connection, name: str, seq: int, v: int, data: bytes) -> None:
    """Replaces the one of this name and version, and drops those of older versions."""
    db.execute("DELETE FROM snapshots WHERE name = ? AND v <= ?", (name, v))
    db.execute("INSERT INTO snapshots VALUES (?, ?, ?, ?, ?)", (name, v, seq, len(data), pack(data)))


def select_snapshot(db: sqlite3.Connection, name: str, v: int) -> tuple[int, bytes] | None:
    """Its `seq` and bytes; `None` also for one that is ahead of the log, which a restored file can bring."""
    row = db.execute(
        "SELECT seq, data, size FROM snapshots"
        " WHERE name = ? AND v = ? AND seq <= (SELECT coalesce(max(seq), 0) FROM events)",
        (name, v),
    ).fetchone()
    return None if row is None else (row[0], unpack(row[1], row[2], f"snapshot {name!r}"))
