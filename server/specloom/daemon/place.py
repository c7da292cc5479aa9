"""Where the daemon of a user and an installation is met: folder, socket, locks, and a note for people.

Refuses folders that somebody else can enter, and to trust a pid: the kernel's lock alone says who is alive.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import stat
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from specloom import __version__
from specloom.daemon.errors import NoDaemonError

RUNTIME_DIR = "SPECLOOM_RUNTIME_DIR"
LONGEST_SOCKET = 103
"""Bytes of a socket's path: macOS has room for 104 with the NUL at the end, Linux for 108 (`unix(7)`)."""
POLL = 0.02


class DaemonPlace(NamedTuple):
    """The files of one daemon."""

    folder: Path
    installation: str
    """Hash of the interpreter and the package."""
    version: str
    """Of Specloom, hashed: it goes into a path of little room."""

    @property
    def name(self) -> str:
        """Of all files."""
        return f"{self.installation}-{self.version}"

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / f"{self.name}.sock"

    @property
    def lock(self) -> Path:
        """Held by the daemon as long as it lives."""
        return self.folder / f"{self.name}.lock"

    @property
    def start(self) -> Path:
        """Held by who starts a daemon of this installation, of any version."""
        return self.folder / f"{self.installation}.start"

    @property
    def note(self) -> Path:
        """Who the daemon is, for people."""
        return self.folder / f"{self.name}.json"

    def others(self) -> "tuple[DaemonPlace, ...]":
        """Where living daemons of this installation with another version are met."""
        names = (path.stem.rpartition("-")[2] for path in sorted(self.folder.glob(f"{self.installation}-*.lock")))
        places = (self._replace(version=name) for name in names if name != self.version)
        return tuple(place for place in places if is_held(place.lock))

    def make(self) -> None:
        """Makes the folder if it is not there. Raises `OSError` unless it is one that only this user can enter."""
        _own(self.folder)

    def write_note(self, started_at: str) -> None:
        """For people; nothing of ours reads it to decide. Raises `OSError`."""
        told = {"pid": os.getpid(), "version": __version__, "interpreter": sys.executable, "startedAt": started_at}
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(self.note, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump(told, file)

    def read_note(self) -> dict[str, Any]:
        """Empty when there is none."""
        try:
            told: object = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return cast("dict[str, Any]", told) if isinstance(told, dict) else {}


def place_of(environment: Mapping[str, str]) -> DaemonPlace:
    """`SPECLOOM_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/specloom`, else `specloom-<uid>` in the temporary folder.

    Makes the folder. Raises `NoDaemonError` where none can be had that is its user's alone.
    """
    made_of = (os.path.realpath(sys.executable), sys.prefix, os.path.realpath(Path(__file__).parent))
    installation, version = _hash("\0".join(made_of), 12), _hash(__version__, 8)
    refused: list[str] = []
    for folder in _folders(environment):
        place = DaemonPlace(folder, installation, version)
        if len(os.fsencode(place.socket)) > LONGEST_SOCKET:
            refused.append(f"{folder} is too long for a socket's path; set {RUNTIME_DIR} to a shorter one")
            continue
        try:
            _own(folder)
        except OSError as error:
            refused.append(f"{folder} cannot be used: {error.strerror}; set {RUNTIME_DIR} to a folder of your own")
            continue
        return place
    raise NoDaemonError("; ".join(refused))


def _hash(text: str, length: int) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:length]


def _folders(environment: Mapping[str, str]) -> tuple[Path, ...]:
    if stated := environment.get(RUNTIME_DIR):
        return (Path(os.path.abspath(stated)),)  # noqa: PTH100 - a link is not followed
    temporary = Path(environment.get("TMPDIR") or "/tmp", f"specloom-{os.getuid()}")  # noqa: S108 - checked by `_own`
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    return (Path(runtime, "specloom"), temporary) if Path(runtime).is_absolute() else (temporary,)


def _own(folder: Path) -> None:
    """Makes the folder if its parent exists. Raises `OSError` unless it is a folder that only this user can enter."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if found.st_uid != os.geteuid():
        raise OSError(errno.EPERM, f"it belongs to user {found.st_uid}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise OSError(errno.EPERM, f"others can enter it (mode {stat.S_IMODE(found.st_mode):o}); make it 700")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(errno.EROFS, "it cannot be written")


class HeldLock:
    """An exclusive `flock`, which ends with the process however that dies; the file stays, or two would get in."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path, deadline: float = 0.0) -> "HeldLock | None":
        """The lock, `None` if another holds it for `deadline` seconds. Raises `OSError`. Blocking."""
        end = time.monotonic() + deadline
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            lock = cls(descriptor)
            try:
                if _locked(descriptor, fcntl.LOCK_EX) and lock.stands_at(path):
                    return lock
            except BaseException:
                os.close(descriptor)
                raise
            # Another holds it, or it was removed since it was opened: what stands there now is opened anew.
            os.close(descriptor)
            if time.monotonic() >= end:
                return None
            time.sleep(POLL)

    def stands_at(self, path: Path) -> bool:
        """Whether that file is still the one that is held: if not, another can hold what is there now. Blocking."""
        try:
            found, held = path.lstat(), os.fstat(self._descriptor)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino)

    def retake(self, path: Path, deadline: float = 0.0) -> bool:
        """Holds what stands there now, unless another does for `deadline` seconds. Raises `OSError`. Blocking."""
        fresh = HeldLock.take(path, deadline)
        if fresh is None:
            return False
        # The lock belongs to the open file, which both numbers mean then.
        os.dup2(fresh.fileno(), self._descriptor, inheritable=False)
        fresh.release()
        return True

    def fileno(self) -> int:
        """The number of the open file."""
        return self._descriptor

    def release(self) -> None:
        """Lets the next one in."""
        os.close(self._descriptor)


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock; takes it from nobody."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
