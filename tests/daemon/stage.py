"""A person's machine for daemons: a runtime folder of its own, bridges as editors start them, nothing left behind."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from specloom.daemon.hello import Answer, Hello, Met, Want, meet
from specloom.daemon.place import DaemonPlace, is_held, place_of
from tests.lsp.editor import SPECLOOM
from tests.lsp.wire import Wire

PYTHON = sys.executable
DEADLINE = 40.0
POLL = 0.02
ENDING = 15.0


class Stage:
    """One user's folder and environment."""

    def __init__(self, folder: Path, **own: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "SPECLOOM_"))}
        path = os.pathsep.join((str(SPECLOOM.parent), kept.get("PATH", "")))
        run = folder / "run"
        run.mkdir(mode=0o700)
        self.logs = folder / "logs"
        self.own = {"SPECLOOM_RUNTIME_DIR": str(run), "SPECLOOM_LOG_DIR": str(self.logs), **own}
        """What makes the stage, beside what its user has anyway."""
        self.environment = {**kept, "PATH": path, "XDG_STATE_HOME": str(folder / "state"), **self.own}
        self.place: DaemonPlace = place_of(self.environment)
        self._pids: set[int] = set()

    def meet(self, want: Want = "lsp", *, force: bool = False, environment: Mapping[str, str] | None = None) -> Met:
        """A connection to the daemon that is up."""
        hello, end = Hello("/", environment or {}, want, force), time.monotonic() + ENDING
        while (met := meet(str(self.place.socket), hello)) is None:
            # One that has its lock is about to listen: its socket is there a moment before that.
            assert is_held(self.place.lock), "no daemon is up"
            assert time.monotonic() < end, "the daemon does not listen"
            time.sleep(POLL)
        self._pids.add(met.answer.members["pid"])
        return met

    def ask(self, want: Want, *, force: bool = False) -> Answer:
        """What the daemon that is up answers to one line."""
        met = self.meet(want, force=force)
        met.connection.close()
        return met.answer

    def status(self) -> dict[str, Any]:
        """Of the daemon that is up."""
        return dict(self.ask("status").members)

    def pid(self) -> int:
        """Of the daemon that is up."""
        return int(self.status()["pid"])

    def log(self) -> str:
        """What daemons wrote to their standard error."""
        path = self.logs / "daemon.log"
        return path.read_text() if path.exists() else ""

    def end(self) -> None:
        """Leaves no daemon behind."""
        note = self.place.read_note().get("pid")
        deadline = time.monotonic() + ENDING
        if isinstance(note, int) and is_held(self.place.lock):
            with contextlib.suppress(ProcessLookupError):
                os.kill(note, signal.SIGTERM)
        while is_held(self.place.lock):
            if time.monotonic() > deadline and isinstance(note, int):
                os.kill(note, signal.SIGKILL)
                deadline += ENDING
            time.sleep(POLL)
        # Its last words come behind the lock: a folder that is removed before them would stand there again.
        while isinstance(note, int) and _is_other(note) and time.monotonic() < deadline:
            time.sleep(POLL)


def _is_other(pid: int) -> bool:
    """Whether it lives, and is not the test that wrote itself down."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return pid != os.getpid()


@contextmanager
def staged(**own: str) -> Generator[Stage]:
    """A stage in a folder with a short name, as sockets need it."""
    folder = Path(tempfile.mkdtemp(prefix="sl-", dir="/tmp"))
    stage = Stage(folder, **own)
    try:
        yield stage
    finally:
        stage.end()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def bridge(
    stage: Stage, *words: str, environment: Mapping[str, str] | None = None
) -> AsyncGenerator[tuple[Wire, asyncio.subprocess.Process]]:
    """`specloom lsp` as an editor starts it; killed at the end if the test did not end it."""
    process = await asyncio.create_subprocess_exec(
        SPECLOOM,
        "lsp",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**stage.environment, **(environment or {})},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Wire(process.stdout, process.stdin), process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def eventually(condition: Callable[[], object], what: str) -> None:
    """Waits for a condition that nobody announces; looked at beside the loop, since looking blocks."""
    end = time.monotonic() + DEADLINE
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < end, f"not within {DEADLINE:g} s: {what}"
        await asyncio.sleep(POLL)


async def said(wire: Wire, method: str, text: str = "") -> dict[str, Any]:
    """The next message with this method that holds the text."""
    while (message := await wire.next()) is not None:
        if message.get("method") == method and text in json.dumps(message):
            return message["params"]
    raise AssertionError(f"the connection ended without {method} {text}")


async def follow(wire: Wire, since: int | None = None) -> dict[str, Any]:
    """Subscribes to events."""
    return await result(wire, "specloom/events/subscribe", {"since": since} if since is not None else {})


async def result(wire: Wire, method: str, params: Any = None) -> Any:
    """The result of a request that must not be refused."""
    wire.ask(method, method, params)
    answer = await wire.answer(method)
    assert "result" in answer, answer
    return answer["result"]


async def run_state(wire: Wire) -> str | None:
    """The state of the run, `None` without one."""
    project = await result(wire, "specloom/project/get", {})
    return None if project["run"] is None else project["run"]["state"]


def settings_for(base_url: str) -> dict[str, Any]:
    """What an editor sets for a model at an address."""
    return {"specloom": {"models": {"default": {"model": "scripted-1", "base_url": base_url}}}}


async def begin(wire: Wire, root: Path, options: Any = None, **capabilities: Any) -> dict[str, Any]:
    """The handshake, with settings."""
    params = {"processId": None, "rootUri": root.as_uri(), "capabilities": capabilities}
    wire.ask("init", "initialize", params | ({} if options is None else {"initializationOptions": options}))
    answer = await wire.answer("init")
    wire.tell("initialized", {})
    return answer["result"]
