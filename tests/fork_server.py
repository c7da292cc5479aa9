"""A process that has imported Specloom and nothing else, and forks itself for each command: `DESCRIPTOR`.

It listens there, and ends when its standard input does. Run by `forks`. Refuses to call anything of Specloom before the
fork: what a command does, it does in its own process.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import specloom
from tests.fork_launcher import HEAD

LATE = ("anthropic", "httpx2", "rich.console", "rich.live", "rich.table", "watchfiles")
"""What Specloom imports where it is used."""
STDIN = 0


def serve(listening: socket.socket) -> None:
    """Until standard input ends."""
    for module in pkgutil.walk_packages(specloom.__path__, "specloom."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in LATE:
        importlib.import_module(name)
    # A collection in a fork would copy all pages.
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Server(listening).serve()


class Server:
    """Forks, and tells what became of them."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._running: dict[int, socket.socket] = {}
        """Who is told the end of each process."""
        self._ended, wakes = os.pipe()
        os.set_blocking(wakes, False)
        signal.signal(signal.SIGCHLD, wake)
        signal.set_wakeup_fd(wakes)

    def serve(self) -> None:
        """Until standard input ends."""
        poll = select.poll()
        for source in (STDIN, self._ended, self._listening.fileno()):
            poll.register(source, select.POLLIN)
        while STDIN not in (ready := {source for source, _ in poll.poll()}):
            if self._ended in ready:
                os.read(self._ended, 4096)
                self._reap()
            if self._listening.fileno() in ready:
                self._take(self._listening.accept()[0])

    def _reap(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            # Nobody reads on who has waited too long.
            with self._running.pop(pid) as told, contextlib.suppress(BrokenPipeError):
                told.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))

    def _take(self, client: socket.socket) -> None:
        head, streams, *_ = socket.recv_fds(client, HEAD, 3)
        told = received(client, int.from_bytes(head, "big"))
        if not told:
            # Who was killed before it had asked.
            for stream in streams:
                os.close(stream)
            client.close()
            return
        order = json.loads(told)
        if order["module"]:
            importlib.import_module(order["module"])
        pid = os.fork()
        if pid == 0:
            self._leave(client)
            sys.exit(carry_out(order, streams))
        for stream in streams:
            os.close(stream)
        self._running[pid] = client
        with contextlib.suppress(BrokenPipeError):
            client.sendall(b"%d\n" % pid)

    def _leave(self, client: socket.socket) -> None:
        """In a fork: keeps nothing of the server."""
        wakes = signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in (wakes, self._ended):
            os.close(descriptor)
        for other in (client, self._listening, *self._running.values()):
            other.close()


def received(client: socket.socket, count: int) -> bytes:
    """So many bytes; nothing where they do not come. A signal, as of a process that ended, may cut a reading short."""
    told = b""
    while len(told) < count and (piece := client.recv(count - len(told))):
        told += piece
    return told if len(told) == count else b""


def wake(number: int, frame: object) -> None:
    """A process has ended: the descriptor for signals tells it."""
    del number, frame


def carry_out(order: dict[str, Any], streams: list[int]) -> int:
    """What the installed command or a module of the tests does, with everything as a new process has it."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.stdin = sys.__stdin__ = standard(0, "r")
    sys.stdout = sys.__stdout__ = standard(1, "w")
    sys.stderr = sys.__stderr__ = standard(2, "w", buffering=1, errors="backslashreplace")
    sys.argv = order["argv"]
    sys.orig_argv = [sys.executable, *sys.argv]
    if order["module"]:
        return sys.modules[order["module"]].run(sys.argv[1:])
    sys.path[0] = str(Path(sys.argv[0]).parent)
    from specloom.__main__ import main

    return main()


def standard(number: int, mode: str, *, buffering: int = -1, errors: str = "strict") -> Any:
    """A standard stream."""
    return open(number, mode, buffering, encoding="utf-8", errors=errors, closefd=False)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
