"""Neovim as tests start it: the configuration of a person, nothing of the machine's own, ended whatever happens."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from specloom.llm.scripted.server import ScriptedServer
from tests.daemon.stage import Stage

HERE = Path(__file__).parent / "nvim"
SPECLOOM = Path(sys.executable).parent / "specloom"
DEADLINE = 180.0
"""Seconds for one story of some steps, each with a deadline, on a machine that is busy with others."""
POLL = 0.02


def environment(root: Path, home: Path, server: ScriptedServer) -> dict[str, str]:
    """Of a person who works in `root` with the model at `server`; makes the home folder."""
    home.mkdir()
    places = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    story = {"STORY_ROOT": str(root), "STORY_SPECLOOM": str(SPECLOOM), "STORY_MODEL": server.base_url}
    story["STORY_WORDS"] = "lsp --standalone"
    path = os.pathsep.join((str(SPECLOOM.parent), os.environ.get("PATH", "")))
    return places | story | {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


class Story:
    """A running Neovim; what it says is kept, and held answers of the model are released when it asks for them."""

    def __init__(self, process: subprocess.Popen[str], release: Callable[[str], None]) -> None:
        self._process = process
        self._log: list[str] = []
        self._release = release
        self._reader = threading.Thread(target=self._read, args=(process.stdout,))
        self._reader.start()

    def must_pass(self) -> None:
        """Waits for the end; a story that failed shows its whole log."""
        try:
            status = self._process.wait(DEADLINE)
        finally:
            self._process.kill()
            self._reader.join()
        assert status == 0, f"exit status {status}\n" + "".join(self._log)

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._log.append(line)
            if line.startswith("release "):
                self._release(line.removeprefix("release ").strip())


@contextmanager
def playing(
    story: str,
    neovim: Path,
    root: Path,
    home: Path,
    server: ScriptedServer,
    stage: Stage | None = None,
) -> Generator[Story]:
    """Neovim without a screen that plays `nvim/<story>.lua` in the project; on a stage, through its daemon."""
    through = {} if stage is None else {"STORY_WORDS": "lsp", **stage.own}
    with subprocess.Popen(
        [neovim, "--headless", "-u", HERE / "init.lua", "-l", HERE / f"{story}.lua"],
        cwd=root,
        env=environment(root, home, server) | through,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield Story(process, server.release)


def must_all_end(root: Path) -> None:
    """Waits until no process stands in the project."""
    deadline = time.monotonic() + DEADLINE
    while left := _running_in(root):
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(POLL)


def _running_in(root: Path) -> list[str]:
    """Command lines."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(root):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            # Ended meanwhile, or somebody else's
            continue
    return found
