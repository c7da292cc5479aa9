"""A terminal of our own with the command in it. Refuses to emulate: what was written is looked at, not the screen."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Generator

from tests.cli.conftest import DEADLINE, SPECLOOM, Project

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_START = "import os, sys; os.login_tty(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"


class Terminal:
    """Runs `specloom` on a pseudo-terminal that is its controlling one, so that Ctrl-C is a key."""

    def __init__(self, project: Project, *words: str, columns: int = 100, rows: int = 30) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, str(slave), str(SPECLOOM), *words],
            cwd=project.root,
            env={**project.environment, "LANG": "C.UTF-8"},
            pass_fds=[slave],
        )
        os.close(slave)
        self.raw = ""
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        data = b""
        # The system reports the end of the other side as an error.
        with contextlib.suppress(OSError):
            while chunk := os.read(self._master, 65536):
                data += chunk
                with self._changed:
                    self.raw = data.decode(errors="replace")
                    self._changed.notify_all()

    @property
    def text(self) -> str:
        """What was written, without control sequences; a redrawn line is a line of its own."""
        return _CONTROL.sub("", self.raw.replace("\r\n", "\n").replace("\r", "\n"))

    def wait_for(self, words: str) -> None:
        """Until the words have been written."""
        with self._changed:
            assert self._changed.wait_for(lambda: words in self.text, DEADLINE), f"no {words!r} in:\n{self.text}"

    def type(self, keys: str) -> None:
        """As a person does."""
        os.write(self._master, keys.encode())

    def end(self) -> int:
        """The exit status."""
        status = self._process.wait(DEADLINE)
        self._thread.join(DEADLINE)
        return status

    def close(self) -> None:
        """Leaves nothing behind."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(DEADLINE)
        self._thread.join(DEADLINE)
        os.close(self._master)


@contextlib.contextmanager
def terminals() -> Generator[Callable[..., Terminal]]:
    """Starts commands on terminals of their own, which are closed in the end."""
    opened: list[Terminal] = []

    def start(project: Project, *words: str, **size: int) -> Terminal:
        opened.append(Terminal(project, *words, **size))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
