"""Takes files and folders off the disk, each through the descriptor of its folder, so that no link can redirect it.

Refuses to follow a link, to take what is closed to tools, and to take a file that is not the one that was looked at.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from specloom.workspace.disk import TEXT_LIMIT, snapshot_of
from specloom.workspace.forbidden import is_forbidden
from specloom.workspace.jail import Jail, explained, parent_of
from specloom.workspace.ports import NotTextError, OutsideRootError, TextSnapshot, WorkspaceError

MOST_FILES = 200
"""Files below one folder: beyond that a person should see the command."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """A file as it was looked at before it goes."""

    path: str
    image: TextSnapshot | None
    """Its text; `None` for a binary or very large file and for a link."""
    stamp: tuple[int, int, int]
    """Inode, size and time of change in nanoseconds."""


def files_of(jail: Jail, path: str) -> tuple[str, ...]:
    """The files that a path names: itself, or all below it, links included. Blocking. Raises `WorkspaceError`."""
    relative = _named(jail, path)
    with jail.folder(parent_of(relative)) as folder:
        mode = _lstat(folder, PurePosixPath(relative).name, relative).st_mode
    if stat.S_ISLNK(mode):
        raise WorkspaceError(f"{relative!r} is a link; delete it with a command, or name what it leads to")
    if not stat.S_ISDIR(mode):
        return (relative,)
    found: list[str] = []
    for file in _below(jail, relative):
        found.append(file)
        if len(found) > MOST_FILES:
            message = f"{relative!r} holds more than {MOST_FILES} files; delete it with a command, or in parts"
            raise WorkspaceError(message)
    return tuple(sorted(found))


def look_at(jail: Jail, relative: str) -> Doomed:
    """The file as it is. Blocking. Raises `WorkspaceError`."""
    with jail.folder(parent_of(relative)) as folder:
        name = PurePosixPath(relative).name
        found = _lstat(folder, name, relative)
        image = None
        if stat.S_ISREG(found.st_mode) and found.st_size <= TEXT_LIMIT:
            with os.fdopen(jail.open_in(folder, name, relative), "rb") as file, suppress(NotTextError):
                image = snapshot_of(relative, file.read())
    return Doomed(relative, image, _stamp(found))


def take(jail: Jail, doomed: Doomed, keep: Path | None) -> str:
    """Takes the file away; the reason why not, else `""`. A file without a text is moved to `keep`, never destroyed.

    Blocking.
    """
    name = PurePosixPath(doomed.path).name
    try:
        with jail.folder(parent_of(doomed.path)) as folder:
            found = _lstat(folder, name, doomed.path)
            if _stamp(found) != doomed.stamp:
                return f"{doomed.path!r} has changed at this moment; look at it again"
            if doomed.image is not None or stat.S_ISLNK(found.st_mode):
                os.unlink(name, dir_fd=folder)
            elif keep is None:
                return f"{doomed.path!r} is a binary file of which no copy could be kept; delete it with a command"
            else:
                keep.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.rename(name, keep, src_dir_fd=folder)
            os.fsync(folder)
    except WorkspaceError as error:
        return str(error)
    except OSError as error:
        return f"{doomed.path!r} was not deleted: {error.strerror}; check its folder, or delete it with a command"
    return ""


def take_folders(jail: Jail, relative: str) -> None:
    """Takes away a folder and the empty ones below it; what is not empty stays. Blocking."""
    with suppress(OSError, WorkspaceError):
        for name in _folders_below(jail, relative):
            take_folders(jail, f"{relative}/{name}")
        with jail.folder(parent_of(relative)) as folder:
            os.rmdir(PurePosixPath(relative).name, dir_fd=folder)


def _named(jail: Jail, path: str) -> str:
    """The path with the links above its last name followed. Raises `OutsideRootError`."""
    resolved = jail.locate(path)
    if not resolved:
        raise OutsideRootError("the root itself cannot be deleted; name a file or folder in it")
    last = PurePosixPath(path).name
    parent = jail.locate(str(PurePosixPath(path).parent))
    return f"{parent}/{last}" if parent else last


def _below(jail: Jail, relative: str) -> Iterator[str]:
    with jail.folder(relative) as folder:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            path = f"{relative}/{entry.name}"
            if is_forbidden(entry.name):
                message = f"{relative!r} holds {entry.name!r}, which is closed to tools; delete the other files by name"
                raise OutsideRootError(message)
            if entry.is_dir(follow_symlinks=False):
                yield from _below(jail, path)
            else:
                yield path


def _folders_below(jail: Jail, relative: str) -> list[str]:
    with jail.folder(relative) as folder, os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]


def _lstat(folder: int, name: str, relative: str) -> os.stat_result:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        raise explained(error, relative) from error


def _stamp(found: os.stat_result) -> tuple[int, int, int]:
    return (found.st_ino, found.st_size, found.st_mtime_ns)
