"""The writer's lock: it ends with its holder, also when a fork of the holder outlives it for a moment."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from specloom.store.errors import StoreLockedError
from specloom.store.lock import WriterLock

HOLDER = """
import os, pathlib, signal, sys, time
from specloom.store.lock import WriterLock
WriterLock(pathlib.Path(sys.argv[1])).acquire(what="a test", since="now")
if os.fork() == 0:
    os.close(1)
    time.sleep(float(sys.argv[2]))
    os._exit(0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_holder(folder: Path, lingers: float) -> None:
    """A process that took the lock and was killed, of which a fork lives on for `lingers` seconds."""
    subprocess.run([sys.executable, "-c", HOLDER, str(folder), str(lingers)], check=False, stdout=subprocess.PIPE)


def test_the_lock_of_a_killed_holder_is_waited_for_while_its_fork_lingers(tmp_path: Path) -> None:
    killed_holder(tmp_path, 0.3)
    start = time.monotonic()
    lock = WriterLock(tmp_path)
    lock.acquire(what="another test", since="now")
    lock.release()
    assert time.monotonic() - start < 2.0


def test_a_fork_that_stays_is_told_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specloom.store.lock.DYING", 0.1)
    killed_holder(tmp_path, 1.0)
    with pytest.raises(StoreLockedError, match="a test"):
        WriterLock(tmp_path).acquire(what="another test", since="now")


def test_a_living_holder_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = WriterLock(tmp_path)
    holder.acquire(what="the first", since="now")
    # Who waited as for a holder that is ending would not come back within the time of a test.
    monkeypatch.setattr("specloom.store.lock.DYING", 1000.0)
    with pytest.raises(StoreLockedError, match="the first"):
        WriterLock(tmp_path).acquire(what="the second", since="now")
    holder.release()
