"""Which file a path argument means, and whether a tool may have it. Refuses what is outside the root, and secrets.

A name is checked as given and as the links lead; the file is then opened component by component without following any
link, so that a link made in between is met as a link and refused.
"""

import errno
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from specloom.workspace.forbidden import is_forbidden, is_secret
from specloom.workspace.ports import MissingFileError, OutsideRootError, WorkspaceError

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""`O_NONBLOCK`: opening a named pipe must not wait for its other end."""
SCANNED = 50_000
"""Directory entries looked at for the secret behind a hard link, at most."""


class Jail:
    """The rules for one root. All methods block."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self._given = root.absolute()

    def locate(self, path: str) -> str:
        """The real path relative to the root, forward slashes, `""` for the root. Raises `OutsideRootError`."""
        inside = self._inside(path)
        self._check_names(path, inside.parts)
        try:
            real = Path(os.path.realpath(self.root / inside))
        except OSError as error:
            raise explained(error, path) from error
        if not real.is_relative_to(self.root):
            raise OutsideRootError(f"{path!r} leads out of the root through a link; use a path inside the root")
        relative = real.relative_to(self.root)
        self._check_names(path, relative.parts)
        return "" if relative == Path() else relative.as_posix()

    def resolve(self, path: str) -> Path:
        """The absolute real path. Raises `OutsideRootError`."""
        return self.root / self.locate(path)

    @contextmanager
    def folder(self, relative: str, create: bool = False) -> Generator[int]:
        """A descriptor of a folder that `locate` named. Raises `WorkspaceError`."""
        descriptor = os.open(self.root, FOLDER)
        try:
            for name in PurePosixPath(relative).parts:
                below = self._enter(descriptor, name, relative, create)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        finally:
            os.close(descriptor)

    def open_file(self, relative: str) -> int:
        """A descriptor for reading a file that `locate` named; the caller closes it. Raises `WorkspaceError`."""
        with self.folder(parent_of(relative)) as folder:
            return self.open_in(folder, PurePosixPath(relative).name or ".", relative)

    def open_in(self, folder: int, name: str, relative: str) -> int:
        """As `open_file`, with the folder already open."""
        try:
            descriptor = os.open(name, FILE, dir_fd=folder)
        except OSError as error:
            raise explained(error, relative) from error
        try:
            self._check_opened(os.fstat(descriptor), relative)
        except WorkspaceError:
            os.close(descriptor)
            raise
        return descriptor

    def _inside(self, path: str) -> PurePosixPath:
        if "\0" in path:
            raise OutsideRootError(f"{path!r} holds a NUL character; use a plain path relative to the root")
        for start in (self.root, self._given):
            if path == str(start) or path.startswith(f"{start}/"):
                return PurePosixPath(path[len(str(start)) :].lstrip("/"))
        if path.startswith("/"):
            raise OutsideRootError(f"{path!r} is outside the root; use a path relative to the root")
        return PurePosixPath(path)

    def _check_names(self, path: str, parts: tuple[str, ...]) -> None:
        for part in (piece for name in parts for piece in name.split("\\")):
            if part == "..":
                raise OutsideRootError(f"{path!r} holds '..'; name the file by its path below the root")
            if is_forbidden(part):
                raise OutsideRootError(
                    f"{path!r} is closed to tools: {part!r} is version control, own state or a secret"
                )

    def _enter(self, folder: int, name: str, relative: str, create: bool) -> int:
        try:
            return os.open(name, FOLDER, dir_fd=folder)
        except FileNotFoundError as error:
            if not create:
                raise explained(error, relative) from error
            return self._make(folder, name, relative)
        except OSError as error:
            raise explained(error, relative) from error

    def _make(self, folder: int, name: str, relative: str) -> int:
        try:
            os.mkdir(name, dir_fd=folder)
        except FileExistsError:
            pass
        except OSError as error:
            raise explained(error, relative) from error
        return self._enter(folder, name, relative, create=False)

    def _check_opened(self, found: os.stat_result, relative: str) -> None:
        if stat.S_ISDIR(found.st_mode):
            raise WorkspaceError(f"{relative or '.'!r} is a folder; name a file in it")
        if not stat.S_ISREG(found.st_mode):
            raise WorkspaceError(f"{relative!r} is no regular file (a device, pipe or socket); name a text file")
        if found.st_nlink > 1 and (found.st_dev, found.st_ino) in self._closed_files():
            raise OutsideRootError(f"{relative!r} is closed to tools: it is a second name of a protected file")

    def _closed_files(self) -> frozenset[tuple[int, int]]:
        """Device and inode of the protected files below the root, asked only for files that have a second name."""
        return frozenset(_identity(entry) for entry in _protected(self.root, SCANNED))


def _protected(root: Path, limit: int) -> Iterator[os.DirEntry[str]]:
    folders = [(str(root), False)]
    while folders and limit > 0:
        folder, closed = folders.pop()
        for entry in _entries(folder):
            limit -= 1
            shut = closed or is_forbidden(entry.name)
            if entry.is_dir(follow_symlinks=False):
                # The objects of a repository are many, and compressed: nothing to read there.
                if entry.name not in {"objects", "node_modules", ".venv"}:
                    folders.append((entry.path, shut))
            elif shut or is_secret(entry.name):
                yield entry


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _identity(entry: os.DirEntry[str]) -> tuple[int, int]:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def parent_of(relative: str) -> str:
    """The folder in which a path stands, `""` for the root."""
    return relative.rpartition("/")[0]


def explained(error: OSError, relative: str) -> WorkspaceError:
    """What an error of the operating system means to whoever named the path."""
    name = repr(relative or ".")
    if error.errno == errno.ENOENT:
        return MissingFileError(f"{name} does not exist; check the spelling or list its folder")
    if error.errno == errno.ELOOP:
        return OutsideRootError(f"{name} became a link while it was opened; try again with the real path")
    if error.errno == errno.ENOTDIR:
        return WorkspaceError(f"{name} is not below a folder: a part of the path is a file or a link; check the path")
    if error.errno == errno.ENAMETOOLONG:
        return WorkspaceError(f"{name[:80]}… is too long for a path; use a shorter name")
    return WorkspaceError(f"{name} cannot be opened: {error.strerror}; check its permissions")


def resolve(root: Path, path: str) -> Path:
    """The absolute real path that `path` means below `root`. Blocking. Raises `OutsideRootError`."""
    return Jail(root).resolve(path)
