"""Blobs and snapshots."""

import sqlite3
from pathlib import Path

import pytest
from store_samples import REGISTRY, CountingClock, Noted, noted

from specloom.domain.ids import Digest, digest_of
from specloom.store.errors import CorruptStoreError
from specloom.store.log import EventStore

LONG = "a long text\n" * 1000


def change_file(state: Path, statement: str, *values: object) -> None:
    db = sqlite3.connect(state / "state.db")
    assert db.execute(statement, values).rowcount > 0
    db.commit()
    db.close()


async def test_a_long_text_is_kept_once_and_smaller(store: EventStore, state: Path) -> None:
    for index in range(3):
        await store.append("task", index, noted(LONG))
    assert [record.event for record in await store.read()] == [Noted(LONG)] * 3
    assert await store.blob(digest_of(LONG)) == LONG.encode()
    db = sqlite3.connect(state / "state.db")
    assert db.execute("SELECT count(*), max(size), max(length(data)) < 500 FROM blobs").fetchall() == [(1, 12000, 1)]
    assert db.execute("SELECT max(length(payload)) FROM events").fetchone()[0] < 100
    db.close()


async def test_a_digest_that_was_never_stored_has_no_blob(store: EventStore) -> None:
    assert await store.blob(Digest("0" * 64)) is None


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM blobs",
        "UPDATE blobs SET data = x'00'",
        "UPDATE blobs SET data = zeroblob(size)",
        "UPDATE blobs SET size = 7",
    ],
)
async def test_a_damaged_blob_is_told_and_never_handed_out(store: EventStore, state: Path, damage: str) -> None:
    await store.append("task", 0, noted(LONG))
    change_file(state, damage)
    with pytest.raises(CorruptStoreError, match=digest_of(LONG)):
        await store.read()


async def test_a_damaged_payload_is_told(store: EventStore, state: Path) -> None:
    await store.append("task", 0, noted("a"))
    change_file(state, "UPDATE events SET payload = '{'")
    with pytest.raises(CorruptStoreError, match=r"event 1: .*'Noted' version 1"):
        await store.read()


async def test_a_snapshot_comes_back_for_its_version_only(store: EventStore, state: Path) -> None:
    await store.append("task", 0, noted("a", "b"))
    assert await store.load_snapshot("project", 1) is None
    await store.save_snapshot("project", 1, 1, b"first")
    await store.save_snapshot("project", 2, 1, b"second" * 100)
    assert await store.load_snapshot("project", 1) == (2, b"second" * 100)
    assert await store.load_snapshot("project", 2) is None
    assert await store.load_snapshot("other", 1) is None
    await store.save_snapshot("project", 2, 2, b"")
    assert await store.load_snapshot("project", 1) is None
    await store.close()
    again = await EventStore.open(state, REGISTRY, CountingClock())
    assert await again.load_snapshot("project", 2) == (2, b"")
    await again.close()


async def test_a_snapshot_ahead_of_the_log_is_not_used(store: EventStore) -> None:
    await store.append("task", 0, noted("a"))
    await store.save_snapshot("project", 2, 1, b"from another log")
    assert await store.load_snapshot("project", 1) is None
