"""A person at a real Neovim with the plugin, in a real terminal: presses keys, sees the screen, looks behind it."""

import json
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from specloom.llm.scripted.server import ScriptedServer
from tests.daemon.stage import Stage
from tests.editors.playing import environment
from tests.editors.terminal import Terminal, terminal

HERE = Path(__file__).parent
PLUGIN = HERE.parents[2] / "clients" / "neovim"
DEADLINE = 60.0
ANSWERING = 30.0
"""Seconds, in which another Neovim starts, asks and ends, however slow the machine is."""
POLL = 0.05


class Person:
    """One Neovim at a time, at the same terminal's place."""

    def __init__(self, screen: Terminal, neovim: Path, root: Path, socket: Path) -> None:
        self.screen = screen
        self.root = root
        self._neovim = neovim
        self._socket = socket

    def open(self, *words: str, init: Path = HERE / "init.lua") -> None:
        """Starts Neovim in the project."""
        self._socket.unlink(missing_ok=True)
        self.screen.start(self.root, self._neovim, "--listen", str(self._socket), "-u", init, *words)
        self.until("1", 1)

    def command(self, text: str) -> None:
        """Types an Ex command."""
        self.screen.press(f":{text}", "Enter")

    def lua(self, code: str) -> Any:
        """The value of a Lua expression inside Neovim; `None` while it does not answer."""
        quoted = f"vim.json.encode({code})".replace("'", "''")
        try:
            ran = subprocess.run(
                [self._neovim, "--server", self._socket, "--remote-expr", f"luaeval('{quoted}')"],
                capture_output=True,
                text=True,
                timeout=ANSWERING,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        return json.loads(ran.stdout) if ran.returncode == 0 and ran.stdout else None

    def until(self, code: str, wanted: object = True) -> None:
        """Waits until an expression has a value."""
        deadline = time.monotonic() + DEADLINE
        while (found := self.lua(code)) != wanted:
            assert time.monotonic() < deadline, f"{code} is {found!r}, not {wanted!r}\n{self._seen()}"
            time.sleep(POLL)

    def _seen(self) -> str:
        """For who looks for the reason."""
        states = self.lua("vim.tbl_map(function(c) return {c.state, c.reason} end, require('specloom.client').all())")
        told = self.lua("require('specloom.tell').kept")
        return f"{states}\n{told}\n{self.screen.screen()}"

    def told(self, part: str) -> None:
        """Waits until a message was shown."""
        found = f"function(text) return text:find([[{part}]], 1, true) ~= nil end"
        self.until(f"vim.iter(require('specloom.tell').kept):any({found})")

    def leave(self) -> None:
        """Quits, whatever is unsaved."""
        self.screen.press("Escape", ":qa!", "Enter")
        # It takes its socket away as it goes, which must not be that of the next.
        self.screen.until_over()


@contextmanager
def person(
    neovim: Path, root: Path, home: Path, server: ScriptedServer, stage: Stage | None = None
) -> Generator[Person]:
    """In a home of its own; on a stage, with its daemon."""
    through = {} if stage is None else {"STORY_WORDS": "lsp", **stage.own}
    with terminal(environment(root, home, server) | through) as screen:
        yield Person(screen, neovim, root, home / "nvim.sock")
