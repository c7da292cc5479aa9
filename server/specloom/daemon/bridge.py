"""`specloom lsp`: copies bytes between an editor and the daemon. Refuses to understand them, and to end with the work.

Threads and a socket, neither pygls nor asyncio: an editor waits for this start. Nothing is read from the editor before
a daemon has answered, so that nothing is lost when another process has to take over.
"""

import json
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping

from specloom.daemon.errors import NoDaemonError
from specloom.daemon.hello import END, Hello, Met, here
from specloom.daemon.place import place_of
from specloom.daemon.starting import attach
from specloom.lsp.descriptors import read_some, write_all

CHUNK = 256 * 1024
LEAVE_DEADLINE = 40.0
"""Seconds that the daemon has to end a connection once the editor has closed its side."""
INTERRUPTED = 130
GONE = 1


def bridge(environment: Mapping[str, str], instead: Callable[[str], int]) -> int:
    """Serves the editor on standard input and output; returns the exit status that it is owed.

    `instead` is called with the reason when no daemon can be had; nothing has been read by then.
    """
    try:
        met = attach(place_of(environment), Hello(here(), environment), environment)
    except (NoDaemonError, OSError) as error:
        reason = f"no daemon: {' '.join(str(error).split())}; runs end with this editor"
        _tell(reason, environment)
        return instead(reason)
    except KeyboardInterrupt:
        return INTERRUPTED
    try:
        return _copied(met, environment)
    except KeyboardInterrupt:
        return INTERRUPTED


def _copied(met: Met, environment: Mapping[str, str]) -> int:
    """Copies both ways until either side ends."""
    left: list[float] = []
    connection = met.connection
    threading.Thread(target=_upwards, args=(connection, left), name="specloom-up", daemon=True).start()
    status = _downwards(met, left)
    if status is None:
        _tell("the daemon is gone; start the server again, which goes on where the log ends", environment)
    # Without waiting for the thread, which may be reading from an editor that says nothing.
    sys.stderr.flush()
    os._exit(GONE if status is None else status)


def _upwards(connection: socket.socket, left: list[float]) -> None:
    """From the editor to the daemon."""
    try:
        while (data := read_some(0, CHUNK)) and passed_on(connection, data, 0, LEAVE_DEADLINE):
            pass
    except OSError:
        # The daemon does not read any more: what it still says is read by the other direction.
        pass
    left.append(time.monotonic())
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        return
    # The other direction waits in `recv`: only this ends it if the daemon says nothing.
    time.sleep(LEAVE_DEADLINE)
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def passed_on(connection: socket.socket, data: bytes, editor: int, patience: float) -> bool:
    """Whether the daemon took all of it; `editor` is the descriptor that it was read from.

    A daemon that stands still is waited for as long as there is an editor, and `patience` seconds longer: what holds
    this process up must not outlive both. Raises `OSError` when nobody reads any more.
    """
    view, room, last = memoryview(data), select.poll(), None
    room.register(connection, select.POLLOUT)
    room.register(editor, getattr(select, "POLLRDHUP", 0))
    while True:
        try:
            view = view[connection.send(view, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            left = None if last is None else last - time.monotonic()
            if left is not None and left <= 0:
                return False
            ready = room.poll(None if left is None else 1000 * left)
            if last is None and any(each == editor for each, _ in ready):
                # It is gone, which would be told again and again.
                room.unregister(editor)
                last = time.monotonic() + patience
        if not view:
            return True


def _downwards(met: Met, left: list[float]) -> int | None:
    """From the daemon to the editor; the status that the daemon names, `None` when it ended without one."""
    data = met.rest
    while True:
        frames, end, last = data.partition(END)
        if not _write(frames):
            return GONE
        if end:
            return _status(last, met.connection)
        try:
            data = met.connection.recv(CHUNK)
        except OSError:
            data = b""
        if not data:
            return GONE if left else None


def _write(data: bytes) -> bool:
    """Whether the editor took it."""
    try:
        write_all(1, data)
    except OSError:
        return False
    return True


def _status(line: bytes, connection: socket.socket) -> int:
    connection.settimeout(1.0)
    try:
        while not line.endswith(b"\n") and (data := connection.recv(CHUNK)):
            line += data
        status: object = json.loads(line)["status"]
    except (OSError, ValueError, KeyError, TypeError):
        return GONE
    return status if isinstance(status, int) else GONE


def _tell(message: str, environment: Mapping[str, str]) -> None:
    _record(message, environment)
    try:
        sys.stderr.write(f"specloom: {message}\n")
        sys.stderr.flush()
    except (OSError, AttributeError):
        # Nobody hears it.
        return


def _record(message: str, environment: Mapping[str, str]) -> None:
    """In the log of this machine, too: editors seldom show what a server says on standard error."""
    # A bridge that has nothing to tell does without.
    import logging

    from specloom.logs.setup import write_logs

    records = write_logs(environment, "bridge")
    logging.getLogger("specloom.daemon.bridge").log(logging.WARNING, "%s", message)
    records.close()
