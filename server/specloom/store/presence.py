"""Notices that the database's file is no longer where it was opened. Refuses to put it back.

SQLite goes on writing to a file that was removed, and what it writes is gone when the file is closed:
https://www.sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use
"""

from pathlib import Path
from typing import TypeAlias

from specloom.store.errors import StoreLostError

FileId: TypeAlias = tuple[int, int]
"""Device and inode."""


class Presence:
    """Remembers which file was opened. Every method blocks: for the thread that writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: FileId | None = None

    def remember(self) -> None:
        """The file that is there now is the one."""
        self._opened = file_id(self._path)

    def is_lost(self) -> bool:
        """Whether the file is gone or another one."""
        return file_id(self._path) != self._opened

    def check(self) -> None:
        """Raises `StoreLostError` if it is."""
        found = file_id(self._path)
        if found != self._opened:
            raise StoreLostError(self._path, gone=found is None)


def file_id(path: Path) -> FileId | None:
    """`None`: there is no such file. Blocking."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino)
