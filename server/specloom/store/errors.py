"""What can go wrong with the store, by who must act. Refuses to let an error of SQLite or the system through.

Result codes: https://www.sqlite.org/rescode.html. `retryable` says whether the same call may succeed later.
"""

import errno
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from specloom import __version__


class StoreError(Exception):
    """The store could not do it; says what happened, where, and the next step."""

    retryable = False


class StoreFullError(StoreError):
    """The disk takes no more data; nothing of the call was written."""

    retryable = True


class StoreBusyError(StoreError):
    """Another program held SQLite's own lock for longer than the busy timeout."""

    retryable = True


class StoreReadOnlyError(StoreError):
    """The files cannot be written, or the store was opened for reading."""


class StoreMissingError(StoreError):
    """There is no state to read yet."""


class StoreClosedError(StoreError):
    """The store was closed before the call."""


class CorruptStoreError(StoreError):
    """A file or a row is not what was written."""


class ForeignStoreError(CorruptStoreError):
    """The file is whole, and another program's."""


class StoreLostError(StoreError):
    """The file is no longer where it was opened; nothing of the call was written."""

    def __init__(self, place: Path, *, gone: bool) -> None:
        what = "moved or removed" if gone else "replaced"
        step = "then start Specloom again: where you moved it, it goes on; here, it begins a new log"
        if not gone:
            step = f"remove {place} or put the right one there, then start Specloom again, which begins a new log"
        super().__init__(
            f"the log {place} was {what} while it was open, so nothing more is kept; look through your files, {step}"
        )
        self.gone = gone


def _to_the_minute(since: str | None) -> str:
    return f"{since[:10]} {since[11:16]} UTC" if since and since.endswith("Z") else since or "unknown"


WATCH = "watch it with `specloom attach`, or end it and try again"


class StoreLockedError(StoreError):
    """Another process writes here."""

    retryable = True

    def __init__(self, place: Path, *, pid: int | None, since: str | None, what: str | None) -> None:
        holder = f"{what or 'another process'} (pid {pid or 'unknown'}, since {_to_the_minute(since)})"
        super().__init__(f"{place} is in use by {holder}; {WATCH}")
        self.pid = pid
        self.since = since
        self.what = what


class NewerVersionError(StoreError):
    """A newer Specloom wrote this: it may be read as far as it is known, and not written."""

    def __init__(self, type_: str, v: int, needed: str | None) -> None:
        step = f"install Specloom {needed} or later" if needed else "install a newer Specloom"
        super().__init__(f"{type_} version {v} is not known to Specloom {__version__}; {step} to go on")
        self.type = type_
        self.v = v
        self.needed = needed
        """The version of Specloom that wrote it, where that was recorded."""


class ConcurrencyConflict(StoreError):  # noqa: N818 - the field's standard name for it
    """A stream went on since the caller looked; nothing was written. Fold the new events and decide again."""

    retryable = True

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(f"stream {stream!r} is at {actual}, not at {expected}; read what came since and decide again")
        self.stream = stream
        self.expected = expected
        self.actual = actual


_FULL = "the disk takes no more data (full, over quota or a size limit, or failing); make room and try again"
_READ_ONLY = "the files cannot be written; check the owner and the modes of the folder, and how the disk is mounted"
_CORRUPT = (
    "the file is damaged; restore it from a backup, or start a run here, which rebuilds it as far as it can be read"
)
_CANNOT_OPEN = "the file cannot be opened; check the owner and the modes of the folder"

_UNREADABLE = "decode to UTF-8"
"""What the module `sqlite3` says of a text that is none; this error of its own has no result code."""

_BY_RESULT: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_FULL: (StoreFullError, _FULL),
    sqlite3.SQLITE_IOERR_WRITE: (StoreFullError, _FULL),
    sqlite3.SQLITE_READONLY: (StoreReadOnlyError, _READ_ONLY),
    sqlite3.SQLITE_PERM: (StoreReadOnlyError, _READ_ONLY),
    sqlite3.SQLITE_CANTOPEN: (StoreReadOnlyError, _CANNOT_OPEN),
    sqlite3.SQLITE_BUSY: (StoreBusyError, "another program holds the file; end it and try again"),
    sqlite3.SQLITE_LOCKED: (StoreBusyError, "another program holds the file; end it and try again"),
    sqlite3.SQLITE_CORRUPT: (CorruptStoreError, _CORRUPT),
    sqlite3.SQLITE_NOTADB: (CorruptStoreError, _CORRUPT),
    # Our statements do not change: one that does not fit the tables tells that these are not ours any more.
    sqlite3.SQLITE_ERROR: (CorruptStoreError, _CORRUPT),
}
_BY_ERRNO: dict[int, tuple[type[StoreError], str]] = {
    errno.ENOSPC: (StoreFullError, _FULL),
    errno.EDQUOT: (StoreFullError, _FULL),
    errno.EFBIG: (StoreFullError, _FULL),
    errno.EROFS: (StoreReadOnlyError, _READ_ONLY),
    errno.EACCES: (StoreReadOnlyError, _READ_ONLY),
    errno.EPERM: (StoreReadOnlyError, _READ_ONLY),
}


@contextmanager
def mapped_errors(place: Path) -> Generator[None]:
    """Turns errors of SQLite and of the system into ours. Misuse of sqlite3 is a bug and stays what it is."""
    try:
        yield
    except sqlite3.Error as error:
        code: int | None = getattr(error, "sqlite_errorcode", None)
        if code is None and _UNREADABLE in str(error):
            raise CorruptStoreError(f"{place}: a text in it is no UTF-8: {_CORRUPT}") from error
        if code is None:
            raise
        kind, step = _BY_RESULT.get(code) or _BY_RESULT.get(code & 0xFF) or (StoreError, "try again, or check the disk")
        raise kind(f"{place}: {error} ({error.sqlite_errorname}): {step}") from error
    except OSError as error:
        kind, step = _BY_ERRNO.get(error.errno or 0, (StoreError, "try again, or check the disk"))
        raise kind(f"{place}: {error.strerror or error}: {step}") from error
