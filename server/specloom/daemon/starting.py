"""Finds the user's daemon or starts one; of many that try at once, one starts it. Refuses to wait without a deadline.

Loaded by the bridge: no asyncio. Everything here blocks.
"""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from specloom.daemon.errors import NoDaemonError
from specloom.daemon.hello import Hello, Met, meet
from specloom.daemon.place import POLL, RUNTIME_DIR, DaemonPlace, HeldLock, is_held

if TYPE_CHECKING:
    import subprocess

START_DEADLINE = 30.0
"""Seconds from the first try to a daemon that answers."""
ENDING_DEADLINE = 30.0
"""Seconds that a daemon which said that it ends may take."""
OWN = ("SPECLOOM_DAEMON_", "SPECLOOM_LOG_", RUNTIME_DIR)
"""What a daemon takes from who starts it; everything else of a client comes with its hello, and leaves with it."""
NEUTRAL = frozenset(
    {
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "TMPDIR",
        "TZ",
        "LANGUAGE",
        "DBUS_SESSION_BUS_ADDRESS",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "all_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONDONTWRITEBYTECODE",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
    }
)
NEUTRAL_PREFIXES = ("XDG_", "LC_")
"""What says how this user and machine are, not what one project needs: it lies under the commands of every project."""
LARGEST_LOG = 1_000_000


def attach(place: DaemonPlace, hello: Hello, environment: Mapping[str, str]) -> Met:
    """A connection whose hello was answered with ok; starts a daemon if none is there.

    Raises `NoDaemonError`, and `OSError` where locks cannot be had.
    """
    end = time.monotonic() + START_DEADLINE
    while True:
        met = meet(str(place.socket), hello)
        if met is not None:
            return accepted(met)
        lock = HeldLock.take(place.start)
        if lock is not None:
            try:
                return accepted(_start(place, hello, environment, end))
            finally:
                lock.release()
        if time.monotonic() > end:
            raise NoDaemonError(f"another process has been starting the daemon for {START_DEADLINE:g} seconds")
        time.sleep(POLL)


def accepted(met: Met) -> Met:
    """The same. Raises `NoDaemonError` for a refusal."""
    if met.answer.ok:
        return met
    met.connection.close()
    raise NoDaemonError(f"the daemon refused: {met.answer.refusal or 'it gave no reason'}")


def _start(place: DaemonPlace, hello: Hello, environment: Mapping[str, str], end: float) -> Met:
    """With the start lock held."""
    met = meet(str(place.socket), hello)
    if met is not None:
        return met
    while is_held(place.lock):
        # A daemon that is starting; or one that is ending, which holds its lock until nothing of it is left.
        if time.monotonic() > end:
            raise NoDaemonError(f"the daemon holds {place.lock} and does not listen; end it and try again")
        time.sleep(POLL)
        met = meet(str(place.socket), hello)
        if met is not None:
            return met
    busy = _without_others(place, hello)
    if busy is not None:
        return busy
    return _until_met(place, hello, _spawn(environment), end)


def _without_others(place: DaemonPlace, hello: Hello) -> Met | None:
    """Retires idle daemons of other versions; a busy one is used, since it holds what it works on."""
    for other in place.others():
        asked = _asked(other, hello._replace(want="retire", environment={}))
        if asked is None:
            continue
        asked.connection.close()
        if asked.answer.ok:
            wait_until_free(other)
            continue
        met = _asked(other, hello)
        if met is not None and met.answer.ok:
            return met
        if met is not None:
            met.connection.close()
    return None


def _asked(other: DaemonPlace, hello: Hello) -> Met | None:
    """`None` also for one that cannot be spoken with: it is in nobody's way but that of its roots."""
    try:
        return meet(str(other.socket), hello)
    except NoDaemonError:
        return None


def wait_until_free(place: DaemonPlace, deadline: float = ENDING_DEADLINE) -> bool:
    """Whether the daemon is gone within `deadline` seconds."""
    end = time.monotonic() + deadline
    while is_held(place.lock):
        if time.monotonic() > end:
            return False
        time.sleep(POLL)
    return True


def _until_met(place: DaemonPlace, hello: Hello, started: "subprocess.Popen[bytes]", end: float) -> Met:
    log = log_file(os.environ)
    while time.monotonic() < end:
        met = meet(str(place.socket), hello)
        if met is not None:
            _reap(started)
            return met
        status = started.poll()
        if status is not None and not is_held(place.lock):
            raise NoDaemonError(f"the daemon ended with status {status} when it was started; see {log}")
        time.sleep(POLL)
    _reap(started)
    raise NoDaemonError(f"the daemon did not answer within {START_DEADLINE:g} seconds; see {log}")


def _reap(started: "subprocess.Popen[bytes]") -> None:
    """The daemon may end before this process does, and must not stay as a zombie."""
    import threading

    threading.Thread(target=started.wait, name="specloom-daemon", daemon=True).start()


def _spawn(environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """In a session of its own, with nothing of ours open, and without what belongs to one client."""
    # Costs more to import than all of the way to a daemon that is up.
    import subprocess

    kept = {name: value for name, value in environment.items() if belongs_to_the_user(name)}
    # To find git; commands of a run have the path of who ordered it.
    kept["PATH"] = environment.get("PATH", os.defpath)
    log = _open_log(log_file(environment))
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "specloom", "daemon", "--detached"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd="/",
            env=kept,
            start_new_session=True,
        )
    except OSError as error:
        raise NoDaemonError(f"the daemon could not be started: {error}") from error
    finally:
        os.close(log)


def belongs_to_the_user(name: str) -> bool:
    """Whether a daemon may keep a variable of whoever happened to start it."""
    return name in NEUTRAL or name.startswith((*NEUTRAL_PREFIXES, *OWN))


def log_file(environment: Mapping[str, str]) -> Path:
    """Where a daemon's standard error goes."""
    # A process that finds its daemon up needs none of it.
    from specloom.logs.place import log_folder

    return log_folder(environment) / "daemon.log"


def _open_log(path: Path) -> int:
    """Its descriptor; of nothing where there is no place for a log."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists() and path.stat().st_size > LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
