"""Real failures of SQLite and the system become ours, each with a next step."""

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from specloom.store.errors import (
    CorruptStoreError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    mapped_errors,
)


def fill(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("PRAGMA max_page_count = 3")
    db.execute("CREATE TABLE t(x)")
    db.execute("INSERT INTO t VALUES (zeroblob(100000))")


def write_read_only(path: Path) -> None:
    sqlite3.connect(path).close()
    path.touch()
    sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("CREATE TABLE t(x)")


def write_twice(path: Path) -> None:
    first = sqlite3.connect(path, isolation_level=None)
    first.execute("BEGIN IMMEDIATE")
    sqlite3.connect(path, isolation_level=None, timeout=0).execute("BEGIN IMMEDIATE")


def read_noise(path: Path) -> None:
    path.write_bytes(b"noise" * 1000)
    sqlite3.connect(path).execute("SELECT * FROM sqlite_schema")


def write_full_device(_: Path) -> None:
    with Path("/dev/full").open("wb", buffering=0) as device:
        device.write(b"x")


def write_system_read_only(_: Path) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def misfortune(_: Path) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
@pytest.mark.parametrize(
    ("act", "kind", "retryable"),
    [
        (fill, StoreFullError, True),
        (write_read_only, StoreReadOnlyError, False),
        (write_twice, StoreBusyError, True),
        (read_noise, CorruptStoreError, False),
        (write_full_device, StoreFullError, True),
        (write_system_read_only, StoreReadOnlyError, False),
        (misfortune, StoreError, False),
    ],
)
def test_a_failure_names_the_place_and_the_next_step(
    tmp_path: Path, act: Callable[[Path], None], kind: type[StoreError], retryable: bool
) -> None:
    place = tmp_path / "state.db"
    with pytest.raises(StoreError) as failed, mapped_errors(place):
        act(place)
    assert type(failed.value) is kind
    assert failed.value.retryable is retryable
    assert str(failed.value).startswith(f"{place}: ")
    assert not str(failed.value).endswith(".")
    assert failed.value.__cause__ is not None


def test_misuse_of_sqlite_stays_a_bug(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "state.db")
    db.close()
    with pytest.raises(sqlite3.ProgrammingError), mapped_errors(tmp_path):
        db.execute("SELECT 1")
