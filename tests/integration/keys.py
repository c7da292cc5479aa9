"""Endpoints that need keys, keyrings that have some, and runtimes that are given them.

Endpoints have names, as loopback needs no key; the fixture `names` leads these to loopback.
"""

import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import keyring.errors
from keyring.backend import KeyringBackend

from specloom.compose import open_runtime
from specloom.domain.rejection import Rejected
from specloom.domain.runs import PauseCause, RunState
from specloom.engine.api import KeyAnswer, KeyOrder
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import USER
from tests.integration.stage import DEADLINE, attempt, project, run_of, says, script, task, turn, until, write

HERE, THERE = "keys-here.invalid", "keys-there.invalid"
KEY, OTHER = "set-key-7Rz2Wc9Lm4Xt", "other-key-6Vb8Np3Ks5Jd"
PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


class FileKeyring(KeyringBackend):
    """A keyring of the system, in a file; as one on a desktop it may be locked, or lose what it is given."""

    priority = 1  # pyright: ignore[reportAssignmentType] # a class property there
    locked: ClassVar[bool] = False
    loses: ClassVar[bool] = False

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.looked: list[str] = []
        """Whose entries were asked for."""

    def get_password(self, service: str, username: str) -> str | None:
        """The entry."""
        self.looked.append(username)
        if self.locked:
            raise keyring.errors.KeyringLocked("no word for you")
        return self._entries().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Adds one."""
        if self.locked:
            raise keyring.errors.KeyringLocked(f"no {password} for you")
        if not self.loses:
            self._write({**self._entries(), f"{service} {username}": password})

    def delete_password(self, service: str, username: str) -> None:
        """Removes one."""
        self._write({name: value for name, value in self._entries().items() if name != f"{service} {username}"})

    def _entries(self) -> dict[str, str]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return dict(line.split("\t") for line in lines)

    def _write(self, entries: Mapping[str, str]) -> None:
        self.path.write_text("".join(f"{name}\t{value}\n" for name, value in entries.items()))


class SlowKeyring(FileKeyring):
    """One that waits for a person before it takes a key, and before it gives one if it is `closed`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked, self.unlocked = threading.Event(), threading.Event()
        self.closed = False

    def get_password(self, service: str, username: str) -> str | None:
        """The entry."""
        found = super().get_password(service, username)
        assert not self.closed or self.unlocked.wait(DEADLINE)
        return found

    def set_password(self, service: str, username: str, password: str) -> None:
        """Adds one once it is unlocked."""
        self.asked.set()
        assert self.unlocked.wait(DEADLINE)
        super().set_password(service, username, password)  # pyright: ignore[reportUnknownMemberType] # wrapped there


@asynccontextmanager
async def at(
    root: Path, default: str, environment: Mapping[str, str] | None = None, **models: str
) -> AsyncGenerator[ProjectRuntime]:
    """A runtime whose roles are asked at these addresses."""
    roles = {name: {"base_url": url} for name, url in models.items()}
    overrides = {"models": {"default": {"model": "scripted-1", "base_url": default}, **roles}}
    own = {"XDG_STATE_HOME": str(root.parent / "state")}
    runtime = await open_runtime(root, environment={**PATH, **own, **(environment or {})}, overrides=overrides)
    try:
        yield runtime
    finally:
        await runtime.close()


def named(name: str, server: ScriptedServer) -> str:
    """The server by a name that needs a key."""
    return server.base_url.replace("127.0.0.1", name)


def sent(server: ScriptedServer) -> set[str]:
    """Keys that any request came with."""
    headers = (request.headers for request in server.requests)
    return {value for each in headers for name in ("x-api-key", "authorization") if (value := each.get(name, ""))}


def one_task(tmp_path: Path, *verify: str) -> Path:
    return project(tmp_path / "p", task(1, *verify))


def story(hold: str = "") -> ScriptedServer:
    second = turn(write("b.txt", "b\n"), **({"hold": hold} if hold else {}))
    return ScriptedServer(script(attempt(1, turn(write("a.txt", "a\n")), second, turn(says()))), keep=None)


async def given(runtime: ProjectRuntime, key: str, endpoint: str | None = None, *, keep: bool = False) -> KeyAnswer:
    answer = await runtime.set_key(KeyOrder(endpoint, key, keep), USER)
    assert not isinstance(answer, Rejected), answer
    assert not key or key not in repr(answer)
    return answer


async def paused(runtime: ProjectRuntime, cause: PauseCause) -> str:
    state = await until(runtime, lambda s: s.run is not None and (s.run.state, s.run.cause) == (RunState.PAUSED, cause))
    return run_of(state).reason
