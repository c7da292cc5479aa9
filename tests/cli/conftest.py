"""A project, a scripted model, and the installed `specloom` command as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from specloom.llm.scripted import ScriptedServer
from tests.forks import FORKS

SPECLOOM = Path(sys.executable).parent / "specloom"
DEADLINE = 45.0

SPEC = """\
---
id: "01"
title: Greeting
requirements: [R1.1, R1.2]
---
# Greeting

## Purpose
Greets.

## Tasks

- [ ] 1 Build it
  - [ ] 1.1 Write the greeting
    - _Requirements: R1.1_
    - _Verify: `grep -q hello greeting.txt`_
  - [ ] 1.2 Write the farewell
    - _Requirements: R1.2_
    - _Verify: `grep -q goodbye farewell.txt`_
"""
REQUIREMENTS = """\
# Greeter

- R1.1 The project SHALL hold a file greeting.txt that says hello.
- R1.2 The project SHALL hold a file farewell.txt that says goodbye.
"""


def write_session(task: str, path: str, text: str, *, attempt: int = 1, **turn: Any) -> dict[str, Any]:
    """A session in which the executor writes one file and claims the task."""
    call = {"tool": "write_file", "input": {"path": path, "content": text}}
    return {
        "name": f"{task} attempt {attempt}",
        "first": f"# Task {task} (attempt {attempt}):",
        "turns": [{"answer": [{"text": f"I write {path} now."}, call], **turn}, {"answer": [{"text": "Written."}]}],
    }


BOTH_TASKS = {
    "sessions": [
        write_session("01/1.1", "greeting.txt", "hello\n"),
        write_session("01/1.2", "farewell.txt", "goodbye\n"),
    ]
}


class Project:
    """A root folder, and the command run in it."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self.root = root
        self.environment = dict(environment)

    def specloom(
        self, *words: str, stdin: str | None = None, deadline: float = DEADLINE
    ) -> subprocess.CompletedProcess[str]:
        """Runs the command to its end."""
        if stdin is None and FORKS.take(self.environment):
            return FORKS.run([str(SPECLOOM), *words], self.root, self.environment, deadline)
        return subprocess.run(
            [SPECLOOM, *words],
            cwd=self.root,
            env=self.environment,
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=deadline,
            check=False,
        )

    def start(self, *words: str) -> "Running":
        """Starts the command."""
        process = subprocess.Popen(
            [SPECLOOM, *words],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return Running(process)


class Running:
    """A started command whose lines are read as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._read, args=(stream, kept), daemon=True)
            for stream, kept in ((process.stdout, self.lines), (process.stderr, self.errors))
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, stream: Any, kept: list[str]) -> None:
        for line in stream:
            with self._changed:
                kept.append(line.rstrip("\n"))
                self._changed.notify_all()

    def wait_for(self, text: str) -> str:
        """The first line with this text, on either stream."""

        def found() -> str | None:
            return next((line for line in [*self.lines, *self.errors] if text in line), None)

        with self._changed:
            assert self._changed.wait_for(lambda: found() is not None, DEADLINE), f"no {text!r} in {self.lines}"
            return cast("str", found())

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> None:
        """As Ctrl-C does."""
        self.process.send_signal(number)

    def end(self) -> int:
        """The exit status."""
        status = self.process.wait(DEADLINE)
        for thread in self._threads:
            thread.join(DEADLINE)
        return status

    def kill(self) -> None:
        """Leaves nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE)
        for thread in self._threads:
            thread.join(DEADLINE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def clean_environment(home: Path) -> dict[str, str]:
    """The environment of a person who has set nothing."""
    # A test runner may have set a size for its own terminal.
    unset = ("ANTHROPIC_", "SPECLOOM_", "XDG_", "COLUMNS", "LINES")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    own = str(Path(sys.executable).parent)
    # Nobody's real daemon is looked at.
    apart = {"HOME": str(home), "SPECLOOM_RUNTIME_DIR": str(home / "run")}
    return {**kept, **apart, "PATH": os.pathsep.join((own, kept["PATH"])), "TERM": "xterm-256color"}


def empty_project(folder: Path) -> Project:
    """A root with nothing in it, and no key."""
    root, home = folder / "greeter", folder / "home"
    root.mkdir()
    home.mkdir()
    return Project(root, clean_environment(home))


def new_project(folder: Path) -> Project:
    """A root with requirements and a spec of two tasks."""
    project = empty_project(folder)
    (project.root / "requirements.md").write_text(REQUIREMENTS)
    (project.root / "specs").mkdir()
    (project.root / "specs" / "01-greeting.md").write_text(SPEC)
    return project


@pytest.fixture
def empty(tmp_path: Path) -> Project:
    """A root with nothing in it, and no key."""
    return empty_project(tmp_path)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A root with requirements and a spec of two tasks."""
    return new_project(tmp_path)


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    """Starts scripted models; all are stopped at the end."""
    servers: list[ScriptedServer] = []

    def start(script: Mapping[str, Any], **options: Any) -> ScriptedServer:
        server = ScriptedServer(script, **options)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def running() -> Iterator[Callable[[Project], Callable[..., Running]]]:
    """Starts commands that are ended at the latest with the test."""
    started: list[Running] = []

    def of(project: Project) -> Callable[..., Running]:
        def start(*words: str) -> Running:
            started.append(project.start(*words))
            return started[-1]

        return start

    yield of
    for command in started:
        command.kill()


def json_lines(text: str) -> list[dict[str, Any]]:
    """Every line, which must be a JSON object."""
    return [cast("dict[str, Any]", json.loads(line)) for line in text.splitlines()]


def until(condition: Callable[[], bool], what: str) -> None:
    """Waits for a condition that nobody announces."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"not within {DEADLINE:g} s: {what}"
        time.sleep(0.02)
