"""A real Neovim, with no plugin and no mock, drives the whole job through plain `vim.lsp.start`."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import ENDS, WRITES, greeter, session
from tests.unit.planning.planning_scripts import says, script, submits
from tests.unit.planning.planning_scripts import session as planned

pytestmark = pytest.mark.editor

SUITES = ("trixie", "forky")
HERE = Path(__file__).parent / "nvim"
SPECLOOM = Path(sys.executable).parent / "specloom"
DEADLINE = 90.0
"""Seconds for one story, on a machine that is busy with others."""

REQUIREMENTS = """# Greeter

- R1.1 THE greeting SHALL end with an exclamation mark.
- R1.2 THE greeting SHALL name the person.
- R1.2 THE greeting SHALL be short.
"""
CODE = 'def greet(name):\n    return "Hello " + name\n'
OUTLINE = {
    "id": "01",
    "slug": "greeter",
    "title": "Greeter",
    "summary": "Greets people.",
    "depends_on": [],
    "requirements": ["R1.1", "R1.2"],
}
BODY = """## Purpose

Greets people by name (R1.1, R1.2).

## Interfaces

`greet.py`: `greet(name)` returns the greeting.

## Use cases

Greet Ann: `Hello Ann!`.

## Dependencies

None; Python 3.11.
"""
TASKS = """- [ ] 1 Greeting
  - [ ] 1.1 End with an exclamation mark
    - `greet.py`: `greet` adds it
    - _Requirements: R1.1, R1.2_
    - _Depends: none_
    - _Verify: `python3 -c "from greet import greet; assert greet('Ann') == 'Hello Ann!'"`_
"""
EDITS = [ENDS[0], ENDS[1] | {"hold": "typed"}, *ENDS[2:]]


def job() -> dict[str, Any]:
    """A plan of one spec with one task, whose edit waits for the person to type."""
    return script(
        planned("# Outline: requirements.md", submits(OUTLINE)),
        planned("# Write spec 01: Greeter", says(BODY, hold="half", hold_after_events=8)),
        planned("# Write the tasks of spec 01: Greeter", says(TASKS)),
        session("1.1", "# Task 01/1.1 (attempt 1)", turns=EDITS),
    )


def project(root: Path) -> Path:
    """Requirements, and code that serves the half of them."""
    root.mkdir()
    (root / "requirements.md").write_text(REQUIREMENTS)
    (root / "greet.py").write_text(CODE)
    return root


def environment(root: Path, home: Path, server: ScriptedServer) -> dict[str, str]:
    """Nothing of the machine's own Neovim or Specloom."""
    home.mkdir()
    places = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    story = {"STORY_ROOT": str(root), "STORY_SPECLOOM": str(SPECLOOM), "STORY_MODEL": server.base_url}
    path = os.pathsep.join((str(SPECLOOM.parent), os.environ.get("PATH", "")))
    return places | story | {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8"}


class Story:
    """A running Neovim; what it says is kept, and what it asks of the test is done."""

    def __init__(self, process: subprocess.Popen[str], release: Callable[[str], None]) -> None:
        self._process = process
        self.log: list[str] = []
        self._release = release
        self._reader = threading.Thread(target=self._read, args=(process.stdout,))
        self._reader.start()

    def verdict(self) -> str:
        """The whole log once Neovim has exited with 0."""
        try:
            status = self._process.wait(DEADLINE)
        finally:
            self._process.kill()
            self._reader.join()
        assert status == 0, f"exit status {status}\n" + self.text
        return self.text

    @property
    def text(self) -> str:
        return "".join(self.log)

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self.log.append(line)
            if line.startswith("release "):
                self._release(line.removeprefix("release ").strip())


@contextmanager
def neovim_playing(story: str, binary: Path, root: Path, home: Path, server: ScriptedServer) -> Generator[Story]:
    """Neovim in the project, with the configuration of a person; ended whatever happens."""
    arguments = [binary, "--headless", "-u", HERE / "init.lua", "-l", HERE / f"{story}.lua"]
    with subprocess.Popen(
        arguments,
        cwd=root,
        env=environment(root, home, server),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield Story(process, server.release)


def left_running(root: Path) -> list[str]:
    """Command lines of processes that stand in the project."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(root):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            # Ended meanwhile, or somebody else's
            continue
    return found


@pytest.mark.parametrize("suite", SUITES)
def test_a_person_goes_from_requirements_to_proven_code_and_back(
    suite: str, neovim: Callable[[str], Path], tmp_path: Path
) -> None:
    root = project(tmp_path / "greeter")
    with ScriptedServer(job(), delta_chars=16) as server:
        with neovim_playing("main_job", neovim(suite), root, tmp_path / "home", server) as story:
            story.verdict()
        server.check()
    assert not left_running(root)


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("name", ["denied", "dismissed"])
def test_a_command_of_the_repository_waits_for_a_yes(
    name: str, suite: str, neovim: Callable[[str], Path], tmp_path: Path
) -> None:
    root = greeter(tmp_path / "greeter")
    writes = script(session("1.1", "# Task 01/1.1 (attempt 1)", turns=WRITES))
    with ScriptedServer(writes) as server:
        with neovim_playing(name, neovim(suite), root, tmp_path / "home", server) as story:
            story.verdict()
        server.check()
    assert not left_running(root)
