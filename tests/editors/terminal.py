"""A real terminal of a fixed size: a tmux server of its own. Waits for what is on the screen, and never for a time."""

import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

DEADLINE = 60.0
"""Seconds, in which a server may start, cold, for what is to be on the screen."""
POLL = 0.05
SIZE = ("-x", "120", "-y", "40")


class Terminal:
    """One window."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._started = 0

    def start(self, root: Path, *command: str | Path) -> None:
        """Runs a command in `root`, under a server of its own: one that is just ending would take no new window."""
        self._started += 1
        self._run("new-session", "-d", *SIZE, "-c", str(root), *map(str, command))

    def press(self, *keys: str) -> None:
        """Names of keys (`Enter`, `Escape`) or text."""
        self._run("send-keys", *keys)

    def screen(self) -> str:
        """What stands there."""
        return self._run("capture-pane", "-p")

    def until(self, *parts: str, gone: str = "") -> str:
        """The first screen that holds all parts, and not what should be `gone`."""
        deadline = time.monotonic() + DEADLINE
        while True:
            screen = self.screen()
            missing = [part for part in parts if part not in screen]
            if not missing and not (gone and gone in screen):
                return screen
            assert time.monotonic() < deadline, f"not on the screen: {missing or gone}\n{screen}"
            time.sleep(POLL)

    def until_over(self) -> None:
        """Waits until the command has ended by itself."""
        deadline = time.monotonic() + DEADLINE
        while self._tmux("has-session").returncode == 0:
            assert time.monotonic() < deadline, f"still runs\n{self.screen()}"
            time.sleep(POLL)

    def end(self) -> None:
        """Ends whatever still runs."""
        self._tmux("kill-server")

    def _run(self, *arguments: str) -> str:
        run = self._tmux(*arguments)
        assert run.returncode == 0, f"tmux {arguments[0]}: {run.stderr}"
        return run.stdout

    def _tmux(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        words = ("tmux", "-S", str(self._folder / str(self._started)), "-f", "/dev/null", *arguments)
        return subprocess.run(
            words, env=self._environment, capture_output=True, text=True, check=False, timeout=DEADLINE
        )


@contextmanager
def terminal(environment: Mapping[str, str]) -> Generator[Terminal]:
    """A terminal that is ended at the end, whatever runs in it."""
    # The path of a socket is at most about 100 characters long, which folders of tests exceed.
    with TemporaryDirectory(prefix="tmux-") as folder:
        opened = Terminal(Path(folder), {**environment, "TERM": "screen-256color"})
        try:
            yield opened
        finally:
            opened.end()
