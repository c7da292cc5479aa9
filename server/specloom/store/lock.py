"""Keeps a second writer out of a state directory. Refuses to trust a pid: the kernel's lock alone says who is alive."""

import errno
import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any, cast

from specloom.store.errors import StoreError, StoreLockedError, mapped_errors

FILE_NAME = "writer.lock"
DYING = 2.0
"""Seconds in which what a killed holder was about to start may still hold the lock: a fork keeps it until its exec."""
PROBED = 0.05
"""Seconds in which a look at who writes (`writer_of`) may be in the way of the next writer."""
POLL = 0.02


class WriterLock:
    """An exclusive `flock`, which ends with the process however that dies; the file's text is for people."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME
        self._fd = -1

    def acquire(self, *, what: str, since: str) -> None:
        """Raises `StoreLockedError` naming who holds it, `StoreError` where the file system has no locks."""
        with mapped_errors(self._path):
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                self._lock(fd)
                os.ftruncate(fd, 0)
                os.write(fd, json.dumps({"pid": os.getpid(), "since": since, "what": what}).encode())
            except BaseException:
                os.close(fd)
                raise
        self._fd = fd

    def release(self) -> None:
        """Lets the next writer in; the file stays, because removing it would let two in. Harmless when not held."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _lock(self, fd: int) -> None:
        start = time.monotonic()
        while not self._try(fd):
            holder = _read_holder(fd)
            pid = holder.get("pid")
            patience = DYING if isinstance(pid, int) and not _is_alive(pid) else PROBED
            if time.monotonic() < start + patience:
                time.sleep(POLL)
                continue
            raise StoreLockedError(
                self._path.parent,
                pid=pid if isinstance(pid, int) else None,
                since=str(holder["since"]) if "since" in holder else None,
                what=str(holder["what"]) if "what" in holder else None,
            )

    def _try(self, fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL):
                raise
            raise StoreError(
                f"{self._path}: this file system has no locks; set SPECLOOM_STATE_DIR to a folder on a local disk"
            ) from error
        return True


def writer_of(directory: Path) -> str | None:
    """Who writes in a state directory now, for people; `None`: nobody does. Takes nothing away from a writer."""
    try:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(directory / FILE_NAME, flags), "rb") as file:
            try:
                # The shared lock lasts until the file is closed a moment later, and tells what the text cannot.
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _read_holder(file.fileno())
                return f"{holder.get('what', 'another process')} (pid {holder.get('pid', 'unknown')})"
    except OSError:
        return None
    return None


def _is_alive(pid: int) -> bool:
    """Only for how long to wait: the pid may be another's by now."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _read_holder(fd: int) -> dict[str, Any]:
    """Empty while the holder has not written yet."""
    try:
        holder = json.loads(os.pread(fd, 4096, 0))
    except ValueError:
        return {}
    return cast("dict[str, Any]", holder) if isinstance(holder, dict) else {}
