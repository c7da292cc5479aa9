"""Long contents, kept once by digest and compressed where that pays. Refuses to hand out bytes that do not match."""

import sqlite3
import zlib
from collections.abc import Mapping

from specloom.domain.ids import Digest, digest_of
from specloom.store.errors import CorruptStoreError


def pack(data: bytes) -> bytes:
    """Compressed if that is smaller; the size that is kept beside it tells which."""
    packed = zlib.compress(data, 1)
    return packed if len(packed) < len(data) else data


def unpack(stored: bytes, size: int, what: str) -> bytes:
    """The inverse of `pack`. Raises `CorruptStoreError`."""
    try:
        data = stored if len(stored) == size else _inflated(stored, size)
    except (zlib.error, TypeError, OverflowError) as error:
        raise CorruptStoreError(f"{what} of state.db is damaged; restore state.db from a backup") from error
    if len(data) != size:
        raise CorruptStoreError(f"{what} of state.db is incomplete; restore state.db from a backup")
    return data


def _inflated(stored: bytes, size: int) -> bytes:
    """No more than one byte over `size`: damage must not fill the memory. Raises `zlib.error`, also for a half."""
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(stored, max(size, 0) + 1)
    if not unpacker.eof:
        raise zlib.error("it has no end where it should")
    return data


def insert_blobs(db: sqlite3.Connection, blobs: Mapping[Digest, bytes]) -> None:
    """Keeps those that are not there yet."""
    for digest, data in blobs.items():
        if db.execute("SELECT 1 FROM blobs WHERE digest = ?", (digest,)).fetchone() is None:
            db.execute("INSERT INTO blobs VALUES (?, ?, ?)", (digest, len(data), pack(data)))


def select_blob(db: sqlite3.Connection, digest: Digest) -> bytes | None:
    """`None`: never stored. Raises `CorruptStoreError`."""
    row = db.execute("SELECT data, size FROM blobs WHERE digest = ?", (digest,)).fetchone()
    if row is None:
        return None
    data = unpack(row[0], row[1], f"blob {digest}")
    if digest_of(data) != digest:
        raise CorruptStoreError(f"blob {digest} of state.db is not what was written; restore state.db from a backup")
    return data


def load_blob(db: sqlite3.Connection, digest: Digest) -> bytes:
    """As `select_blob`, for a digest that an event names: a missing one is damage too."""
    data = select_blob(db, digest)
    if data is None:
        raise CorruptStoreError(f"blob {digest} of state.db is missing; restore state.db from a backup")
    return data
