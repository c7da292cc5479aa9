"""Starts commands as forks of one process that has imported what they need, which is most of what a command costs.

Each is a process of its own, with its own environment, folder and streams. Refuses what only a new interpreter can be
given; and long runs (`soak`), in which every command starts as its user starts it.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests import fork_launcher
from tests.conftest import TIER

ROOT = Path(__file__).parents[1]
AT_START = ("PYTHON", "LANG", "LC_", "LD_", "MALLOC_")
"""What of an environment counts while an interpreter starts."""
ENDING = 10.0


class Forks:
    """One server a test process, from the first command on."""

    def __init__(self) -> None:
        self._place = ""
        self._lock = threading.Lock()

    def take(self, environment: Mapping[str, str] = os.environ) -> bool:
        """Whether a fork is the same as a new process for this environment."""
        return TIER == "test" and sys.platform == "linux" and _at_start(environment) == _at_start(os.environ)

    def started(self, argv: Sequence[str]) -> list[str]:
        """What to start where a library starts a process: it ends as the fork does, and hands it no signals."""
        return [sys.executable, "-I", "-S", fork_launcher.__file__, self._served(), *argv]

    def run(
        self, argv: Sequence[str], cwd: Path, environment: Mapping[str, str], deadline: float
    ) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run` of the command, with nothing to read. Raises `subprocess.TimeoutExpired`."""
        return self._run(argv, "", cwd, environment, deadline)

    def play(self, module: str, words: Sequence[str], cwd: Path, deadline: float) -> subprocess.CompletedProcess[str]:
        """As `python -m MODULE WORDS`: calls `run(words)` of a module, which answers the status."""
        return self._run([module, *words], module, cwd, os.environ, deadline)

    def _run(
        self, argv: Sequence[str], module: str, cwd: Path, environment: Mapping[str, str], deadline: float
    ) -> subprocess.CompletedProcess[str]:
        order: dict[str, object] = {
            "argv": list(argv),
            "module": module,
            "cwd": str(cwd),
            "environment": dict(environment),
        }
        with socket.socket(socket.AF_UNIX) as server, ThreadPoolExecutor(2) as readers:
            server.connect("\0" + self._served())
            (output, out), (errors, err) = os.pipe(), os.pipe()
            given = [os.open(os.devnull, os.O_RDONLY), out, err]
            try:
                fork_launcher.send(server, order, given)
            finally:
                for descriptor in given:
                    os.close(descriptor)
            texts = [readers.submit(_all_of, descriptor) for descriptor in (output, errors)]
            status = _status(server, argv, deadline)
            return subprocess.CompletedProcess(list(argv), status, *(text.result() for text in texts))

    def _served(self) -> str:
        """Where the server listens."""
        with self._lock:
            if not self._place:
                self._place = f"specloom-tests-{os.getpid()}-{id(self)}"
                _start(self._place)
            return self._place


FORKS = Forks()


def _at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(AT_START)}


def _start(place: str) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("\0" + place)
        listening.listen()
        number = listening.fileno()
        argv = [sys.executable, "-m", "tests.fork_server", str(number)]
        server = subprocess.Popen(argv, cwd=ROOT, pass_fds=[number], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def end() -> None:
        assert server.stdin is not None
        server.stdin.close()
        server.wait(ENDING)

    atexit.register(end)


def _all_of(descriptor: int) -> str:
    with open(descriptor, encoding="utf-8") as stream:
        return stream.read()


def _status(server: socket.socket, argv: Sequence[str], deadline: float) -> int:
    """What the server tells of a command: its number, then its status."""
    with server.makefile() as told:
        pid = int(told.readline())
        server.settimeout(deadline)
        try:
            return int(told.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(argv), deadline) from None
