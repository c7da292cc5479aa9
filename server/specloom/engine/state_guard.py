"""Notices that a command took the log away: removed it, or put another file there. Refuses to go on without it.

What is appended to a removed file is gone when it is closed, so nothing that comes after may be told as done.
"""

import asyncio
from pathlib import Path

from specloom.domain.ids import TaskId
from specloom.store.presence import FileId, file_id


class StateLostError(Exception):
    """The log is no longer where it was opened."""

    retryable = False


class StateGuard:
    """Remembers which file the log was when it was opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: FileId | None = None

    async def remember(self) -> None:
        """The file that is there now is the log."""
        self._opened = await asyncio.to_thread(file_id, self._path)

    async def check(self, task: TaskId | None, root: Path) -> None:
        """Raises `StateLostError` if the log is gone or another file, after a command of `task` in `root`."""
        found = await asyncio.to_thread(file_id, self._path)
        if found == self._opened:
            return
        when = f"while a command of {task} ran" if task else "while a command ran"
        if await asyncio.to_thread(is_gone, root):
            raise StateLostError(folder_gone(root, when))
        name = self._path.relative_to(root) if self._path.is_relative_to(root) else self._path
        happened = "removed" if found is None else "replaced"
        step = "then" if found is None else f"remove {name} or put the right one there, then"
        raise StateLostError(
            f"the log {name} was {happened} {when}, so what this run did is not kept; look through your files, "
            f"{step} `specloom run` begins a new log"
        )


def is_gone(root: Path) -> bool:
    """Whether there is no such folder. Blocking."""
    return not root.is_dir()


def folder_gone(root: Path, when: str) -> str:
    """What to say where the project's folder has vanished."""
    return f"the folder {root} was removed {when}; restore it, or name another with --workspace"
