"""Opens `state.db` for the one writer or for a reader. Refuses loose file modes and file systems without WAL.

Pragmas: https://www.sqlite.org/pragma.html; read-only WAL: https://www.sqlite.org/wal.html#readonly.
"""

import contextlib
import os
import sqlite3
import stat
from pathlib import Path
from urllib.parse import quote

from specloom.store.errors import ForeignStoreError, StoreError, StoreMissingError, StoreReadOnlyError, mapped_errors
from specloom.store.schema import format_of

DIRECTORY_NAME = ".specloom"
FILE_NAME = "state.db"
SESSIONS = "sessions"
"""The folder beside the database for what people may read of it."""
ASIDE = "damaged-"
"""Begins the name of each folder that holds a damaged log."""
REBUILDING = "rebuilding.db"
"""What is copied out of a damaged log, as long as it is not whole."""
REBUILT = "rebuilt.db"
"""The same when it is."""
REBUILT_META = "rebuilt"
"""Under this name such a log tells of itself, among its `meta`."""
_COMPANIONS = ("-wal", "-shm", "-journal")
BUSY_TIMEOUT = 5.0
"""Seconds."""
_MADE_EARLIER = {".gitignore", "writer.lock", SESSIONS}
"""What a start that was cut short may have left without a database."""
_MISSING = "{} holds nothing yet; run `specloom plan` or `specloom run` first"
APPLICATION_ID = 0x5370_4C6D
"""`SpLm`, so that `file` and we tell our file from any other database."""
_WAL_SIZE_LIMIT = 64 * 1024 * 1024


def prepare_directory(directory: Path) -> None:
    """Makes the state directory with mode 0700, ignored by git. Raises `StoreReadOnlyError`, `StoreFullError`."""
    with mapped_errors(directory):
        if not directory.is_dir():
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite syncs the names of its files; that of their folder is ours to sync.
            sync_folder(directory.parent)
        _refuse_shared(directory)
        refuse_link(directory / SESSIONS)
        if directory.stat().st_mode & 0o077:
            directory.chmod(0o700)
        if create_file(directory / ".gitignore"):
            (directory / ".gitignore").write_text("*\n", encoding="utf-8")


def finish_rebuilding(directory: Path) -> None:
    """Puts a log that was rebuilt in its place, if a process was cut off before that. For whoever holds the lock."""
    (directory / REBUILDING).unlink(missing_ok=True)
    if (directory / REBUILT).exists():
        # First: a write-ahead log of the old file must never stand beside the new one.
        for part in _COMPANIONS:
            (directory / f"{FILE_NAME}{part}").unlink(missing_ok=True)
        sync_folder(directory)
        (directory / REBUILT).replace(directory / FILE_NAME)
        sync_folder(directory)


def connect_writer(directory: Path) -> sqlite3.Connection:
    """Opens or creates the file; the caller holds the writer's lock. Every commit is on the disk when it returns."""
    path = directory / FILE_NAME
    with mapped_errors(path):
        # SQLite gives `-wal` and `-shm` the mode of the database, so that has to be right before they exist.
        create_file(path)
        for part in ("", *_COMPANIONS):
            _tighten(path.with_name(path.name + part))
        db = _connect(path, "rw")
        try:
            _refuse_foreign(db, path)
            _set_durability(db, path)
        except BaseException:
            db.close()
            raise
        return db


def connect_reader(directory: Path) -> sqlite3.Connection:
    """Opens the file read-only beside any writer, or after one that died. Raises `StoreMissingError` if there is none.

    Where the folder cannot be written, the file is opened as unchanging, which is right as long as no writer starts.
    """
    path = directory / FILE_NAME
    with mapped_errors(path):
        if not _is_plain(path):
            raise StoreMissingError(_MISSING.format(path))
        for part in _COMPANIONS:
            _is_plain(path.with_name(path.name + part))
        try:
            db = _readable(path, "ro")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                raise
            db = _connect_unchanging(path, error)
        try:
            _refuse_foreign(db, path)
            _refuse_empty(db, path)
        except BaseException:
            db.close()
            raise
        return db


def sync_folder(folder: Path) -> None:
    """Forces to the disk which names stand in a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_file(path: Path) -> bool:
    """Makes an empty file for its owner alone; whether there was none, not even a link.

    One that is there is not opened: closing it would drop the locks that SQLite holds on it in this process
    (https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return False
    return True


def _is_plain(path: Path) -> bool:
    """Whether there is such a file. Raises `StoreError` for a link, a folder or a pipe: SQLite would follow or wait."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(mode):
        raise StoreError(f"{path} is no plain file (a link, a folder or a pipe); move it aside and start again")
    return True


def _tighten(path: Path) -> None:
    if _is_plain(path) and path.lstat().st_mode & 0o077:
        path.chmod(0o600)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    db = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None)
    db.execute("PRAGMA foreign_keys = ON")
    return db


def _readable(path: Path, mode: str) -> sqlite3.Connection:
    """A connection that has read its file once: SQLite opens late."""
    db = _connect(path, mode)
    try:
        format_of(db)
    except BaseException:
        db.close()
        raise
    return db


def _connect_unchanging(path: Path, cause: sqlite3.Error) -> sqlite3.Connection:
    log = path.with_name(path.name + "-wal")
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > 0:
            raise StoreReadOnlyError(
                f"{path}: its writer ended without closing it, and the folder cannot be written to recover {log.name}; "
                f"copy {path.parent.name} to a folder of your own, or allow writing"
            ) from cause
    return _readable(path, "ro&immutable=1")


def _refuse_shared(directory: Path) -> None:
    """Modes and the ignore file are for a folder of ours: one named by mistake or by a link stays as it is."""
    names = {entry.name for entry in directory.iterdir()}
    if directory.resolve().name != DIRECTORY_NAME and FILE_NAME not in names and not names <= _MADE_EARLIER:
        raise StoreError(f"{directory} holds other files; set SPECLOOM_STATE_DIR to a folder of its own")


def refuse_link(folder: Path) -> None:
    """Raises `StoreError` where a link stands in place of a folder of ours."""
    if folder.is_symlink():
        raise StoreError(f"{folder} is a link, and conversations would be written to where it leads; remove it")


def _refuse_empty(db: sqlite3.Connection, path: Path) -> None:
    if format_of(db) == 0:
        raise StoreMissingError(_MISSING.format(path))


def _refuse_foreign(db: sqlite3.Connection, path: Path) -> None:
    if format_of(db) and db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise ForeignStoreError(f"{path} is a database of another program; move it aside")


def _set_durability(db: sqlite3.Connection, path: Path) -> None:
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise StoreError(
            f"{path}: this file system cannot hold a write-ahead log (SQLite answers {mode!r}); "
            "set SPECLOOM_STATE_DIR to a folder on a local disk"
        )
    db.execute("PRAGMA synchronous = FULL")
    # Without these a commit on macOS is in the drive's cache only; elsewhere they do nothing.
    db.execute("PRAGMA fullfsync = ON")
    db.execute("PRAGMA checkpoint_fullfsync = ON")
    db.execute(f"PRAGMA journal_size_limit = {_WAL_SIZE_LIMIT}")
    if format_of(db) == 0:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
