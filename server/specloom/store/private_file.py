"""Small files of the user's own outside all workspaces: private, changed as a whole, one process at a time.

Refuses links and files of other users.
"""

import contextlib
import fcntl
import os
from collections.abc import Generator, Mapping
from pathlib import Path

from specloom.store.errors import StoreError

HOMES = ("XDG_STATE_HOME", "HOME")
"""What says where they are."""
LARGEST = 8 * 1024 * 1024
"""Bytes that are read of a file."""


def state_home(environment: Mapping[str, str]) -> Path:
    """`$XDG_STATE_HOME/specloom`, else `~/.local/state/specloom`; a relative path there does not count.

    https://specifications.freedesktop.org/basedir-spec/latest/
    """
    stated = environment.get("XDG_STATE_HOME", "")
    home = Path(stated) if stated.startswith("/") else _home(environment) / ".local" / "state"
    return home / "specloom"


def _home(environment: Mapping[str, str]) -> Path:
    """Of a user without one, as containers have them, the root, where he can write nothing: that is told then."""
    stated = environment.get("HOME", "")
    try:
        return Path(stated) if stated.startswith("/") else Path.home()
    except RuntimeError:
        return Path("/")


def read_private(path: Path) -> bytes | None:
    """What stands there; `None`: nothing. Raises `OSError`, also for a file of another user."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_uid != os.getuid():
            raise PermissionError("the file belongs to another user")
        return file.read(LARGEST)


def replace_private(path: Path, text: str) -> None:
    """Atomic, and on the disk when it returns. Raises `OSError`."""
    fresh = path.with_suffix(f".{os.getpid()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(fresh, flags, 0o600), "w", encoding="utf-8", errors="surrogatepass") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


@contextlib.contextmanager
def locked(folder: Path, name: str) -> Generator[None]:
    """Makes the folder for its owner alone, and lets one process in at a time. Raises `StoreError`, `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise StoreError(f"{folder} belongs to another user; set XDG_STATE_HOME to a folder of your own")
    folder.chmod(0o700)
    descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        # Held for one small write; a file system without locks goes without.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
