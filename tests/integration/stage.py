"""Pieces from which the engine's tests build projects and scripts."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from specloom.domain.events import Event
from specloom.domain.ids import TaskId
from specloom.domain.project import ProjectState, RunRecord
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunOutcome, RunState, Scope
from specloom.engine.api import Accepted, Published
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import REQUIREMENTS, USER, hosted, session

E = TypeVar("E")
Json = dict[str, Any]

ONE, TWO, THREE = TaskId("01/1"), TaskId("01/2"), TaskId("01/3")
DEADLINE = 40.0
"""Seconds that a test waits for something that should happen at once, or for a run of some tasks: each of its commands
is a process that starts, which takes ten times as long beside ten others."""


def task(number: int, *verify: str, title: str = "", depends: str = "", requirements: str = "R1.1") -> str:
    """The lines of one task."""
    lines = [f"- [ ] {number} {title or f'Step {number}'}", f"  - _Requirements: {requirements}_"]
    lines += [f"  - _Depends: {depends}_"] if depends else []
    lines += [f"  - _Verify: `{command}`_" for command in verify]
    return "\n".join(lines)


def project(root: Path, *tasks: str, requirements: str = REQUIREMENTS) -> Path:
    """A root with one spec of these tasks."""
    (root / "specs").mkdir(parents=True)
    (root / "requirements.md").write_text(requirements)
    head = '---\nid: "01"\ntitle: Steps\ndepends_on: []\nrequirements: [R1.1, R1.2]\n---\n\n# Steps\n\n## Tasks\n\n'
    (root / "specs" / "01-steps.md").write_text(head + "\n".join(tasks) + "\n")
    return root


def write(path: str, content: str) -> Json:
    """A call that writes a file."""
    return {"tool": "write_file", "input": {"path": path, "content": content}}


def read(path: str) -> Json:
    """A call that reads a file."""
    return {"tool": "read_file", "input": {"path": path}}


def replace_line(path: str, line: int, old: str, new: str) -> Json:
    """A call that replaces one line."""
    edit = {"start_line": line, "start_text": old, "end_line": line, "end_text": old, "new_text": new}
    return {"tool": "edit_file", "input": {"path": path, "edits": [edit]}}


def command(text: str) -> Json:
    """A call that runs a command."""
    return {"tool": "run_command", "input": {"command": text}}


def says(text: str = "It is done.") -> Json:
    """Text without a call: a claim."""
    return {"text": text}


def turn(*parts: Json, **rest: Any) -> Json:
    """One answer."""
    return {"answer": list(parts), **rest}


def attempt(number: int, *turns: Json, at: int = 1, **rest: Any) -> Json:
    """The session of attempt `at` at task 01/`number`."""
    return session(f"{number} at {at}", f"# Task 01/{number} (attempt {at})", turns=list(turns), **rest)


def review(number: int, *turns: Json, at: int = 1) -> Json:
    """The session of a reviewer of task 01/`number`."""
    return session(f"review {number} at {at}", f"# Review task 01/{number} (attempt {at})", turns=list(turns))


def script(*sessions: Json) -> Json:
    """A script of these sessions."""
    return {"sessions": list(sessions)}


@asynccontextmanager
async def staged(
    root: Path, *sessions: Json, strict: bool = True, **settings: Any
) -> AsyncGenerator[tuple[ProjectRuntime, ScriptedServer]]:
    """A runtime of `root` and the model that plays `sessions`, every turn of which must have been asked at the end."""
    async with ScriptedServer(script(*sessions), keep=None) as server:
        async with hosted(root, server, **settings) as runtime:
            yield runtime, server
        if strict:
            server.check()


async def start(runtime: ProjectRuntime, scope: Scope | None = None, **limits: Any) -> Accepted:
    """Starts an unattended run."""
    answer = await runtime.start_run(scope or Scope(), Budget(**limits), USER, unattended=True)
    assert not isinstance(answer, Rejected), answer
    return answer


async def ended(runtime: ProjectRuntime) -> RunRecord:
    """The run once nothing goes on."""
    async with asyncio.timeout(DEADLINE):
        await runtime.wait_idle()
    return run_of(runtime.state)


async def finished(runtime: ProjectRuntime) -> RunOutcome | None:
    """How the run ended, with all its pauses."""
    await until(runtime, lambda state: state.run is not None and state.run.state is RunState.FINISHED)
    return (await ended(runtime)).outcome


def run_of(state: ProjectState) -> RunRecord:
    """The newest run."""
    assert state.run is not None
    return state.run


async def until(runtime: ProjectRuntime, holds: Callable[[ProjectState], bool]) -> ProjectState:
    """The first state that `holds`, looked at after each event."""
    met = asyncio.Event()

    def heard(published: Published, state: ProjectState) -> None:
        del published
        if holds(state):
            met.set()

    with runtime.listen(heard):
        if not holds(runtime.state):
            async with asyncio.timeout(DEADLINE):
                await met.wait()
    return runtime.state


async def until_event(runtime: ProjectRuntime, kind: type[E], holds: Callable[[E], bool] = lambda _: True) -> None:
    """Returns once such an event is in the log."""
    met = asyncio.Event()

    def heard(published: Published, state: ProjectState) -> None:
        del state
        if isinstance(published.event, kind) and holds(published.event):
            met.set()

    with runtime.listen(heard):
        if not any(holds(event) for event in await events_of(runtime, kind)):
            async with asyncio.timeout(DEADLINE):
                await met.wait()


async def until_file(path: Path, holds: Callable[[str], bool] | None = None, *, deadline: float = DEADLINE) -> None:
    """Returns once the file stands there and `holds`."""
    async with asyncio.timeout(deadline):
        while not await asyncio.to_thread(_stands, path, holds):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)


def _stands(path: Path, holds: Callable[[str], bool] | None) -> bool:
    return path.exists() and (holds is None or holds(path.read_text()))


async def log_of(runtime: ProjectRuntime) -> list[Event]:
    """All events."""
    return [item.event for item in await runtime.events(0, 100_000)]


async def events_of(runtime: ProjectRuntime, kind: type[E]) -> list[E]:
    """All events of one kind."""
    return [event for event in await log_of(runtime) if isinstance(event, kind)]


def codes(runtime: ProjectRuntime, path: str = "specs/01-steps.md") -> list[str]:
    """The codes of the problems of a document."""
    return [problem.code for problem in runtime.problems.get(path, ())]


def first_message(server: ScriptedServer, name: str) -> str:
    """What the session `name` of the script was first told."""
    request = next(item for item in server.requests if item.session == name)
    return texts(request.body["messages"][0]["content"])


def newest_message(server: ScriptedServer, name: str, number: int) -> str:
    """What the session `name` was told before its turn `number`."""
    request = next(item for item in server.requests if item.session == name and item.turn == number)
    return texts(request.body["messages"][-1]["content"])


def texts(content: Any) -> str:
    """All text in the blocks of a message."""
    if isinstance(content, str):
        return content
    blocks: Iterable[Any] = content
    return "\n".join(str(block.get("text") or texts(block.get("content") or "")) for block in blocks)
