"""The process of a daemon: its signals, its log and its patience. Refuses to serve anything itself."""

import asyncio
import contextlib
import logging
import math
import signal
import sys
from collections.abc import Callable, Mapping

from specloom.daemon.errors import NoDaemonError
from specloom.daemon.place import place_of
from specloom.daemon.roots import LINGER
from specloom.daemon.server import IDLE, STALL, Daemon, Patience
from specloom.logs.setup import write_logs
from specloom.lsp.server import log_to_stderr
from specloom.lsp.standalone import Composition
from specloom.store.system import SystemClock

LOG = logging.getLogger("specloom.daemon")
IDLE_S = "SPECLOOM_DAEMON_IDLE_S"
LINGER_S = "SPECLOOM_DAEMON_LINGER_S"
STALL_S = "SPECLOOM_DAEMON_STALL_S"
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


async def serve_daemon(
    load: Callable[[], Composition], environment: Mapping[str, str], ready: Callable[[str], None] | None = None
) -> None:
    """Serves until the daemon has ended; `ready` is called with the socket. Raises `NoDaemonError`, `OSError`."""
    place = await asyncio.to_thread(place_of, environment)
    patience = Patience(
        _seconds(environment, IDLE_S, IDLE),
        _seconds(environment, LINGER_S, LINGER),
        _seconds(environment, STALL_S, STALL),
    )
    daemon = Daemon(place, load, environment, SystemClock(), patience)
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, daemon.end)
    try:
        await daemon.serve(None if ready is None else lambda: ready(str(place.socket)))
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


def serve_detached(load: Callable[[], Composition], environment: Mapping[str, str]) -> int:
    """As a bridge starts it: what goes wrong is written to standard error, which is a log. Returns the exit status."""
    log_to_stderr()
    write_logs(environment, "daemon")
    LOG.info("daemon started")
    try:
        asyncio.run(serve_daemon(load, environment))
        LOG.info("daemon ends")
    except (NoDaemonError, OSError) as error:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"specloom daemon: {error}\n")
        return 2
    return 0


def _seconds(environment: Mapping[str, str], name: str, otherwise: float) -> float:
    """Raises `NoDaemonError` for a value that is no time."""
    stated = environment.get(name)
    if stated is None:
        return otherwise
    try:
        value = float(stated)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise NoDaemonError(f"{name}={stated[:40]!r} is no number of seconds; set one of at least 0, or none")
    return value
