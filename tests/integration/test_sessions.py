"""A task may need many sessions: it ends as in one, and nothing that was said or done is lost on the way."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specloom.domain.evidence import EvidenceKind
from specloom.domain.project import SessionRecord
from specloom.domain.runs import RunOutcome
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.people import Person
from tests.integration.projects import hosted
from tests.integration.rotation_story import (
    WORDS,
    in_many,
    in_one,
    rotation_project,
)
from tests.integration.stage import ONE, ended, first_message, start

MANY = 40


@dataclass(frozen=True, slots=True)
class End:
    """What a run in one session and one in many must agree on."""

    state: TaskState
    evidence: tuple[tuple[EvidenceKind, str, int | None, bool | None], ...]
    files: dict[str, str]
    boxes: int


def end_of(runtime: ProjectRuntime, root: Path) -> End:
    """How it ended."""
    return End(
        runtime.state.record(ONE).state,
        tuple((item.kind, item.command, item.exit_code, item.discriminating) for item in runtime.evidence(ONE)),
        {path.name: path.read_text() for path in sorted(root.glob("*.txt"))},
        (root / "specs" / "01-steps.md").read_text().count("- [x]"),
    )


async def played(root: Path, told: dict[str, Any], steps: int) -> tuple[End, ProjectRuntime, ScriptedServer]:
    """Runs the story to its end with a person who answers."""
    rotation_project(root, steps)
    async with ScriptedServer(told, keep=None) as server, hosted(root, server, limits={"turns": 200}) as runtime:
        with runtime.attach(Person(lambda _: WORDS)):
            await start(runtime)
            run = await ended(runtime)
        assert run.outcome is RunOutcome.COMPLETED, run
        return end_of(runtime, root), runtime, server


def executors(runtime: ProjectRuntime) -> list[SessionRecord]:
    """The executor's sessions in order."""
    known = (item for item in runtime.state.sessions.values() if item.role == "executor")
    return sorted(known, key=lambda item: item.number)


async def test_a_task_that_needs_forty_sessions_ends_as_one_that_needs_one(tmp_path: Path) -> None:
    one, _, _ = await played(tmp_path / "one", in_one(MANY), MANY)
    many, runtime, server = await played(tmp_path / "many", in_many(MANY), MANY)
    assert many == one
    server.check()
    sessions = executors(runtime)
    assert [item.number for item in sessions] == list(range(1, MANY + 1))
    assert [item.previous for item in sessions] == [None, *(item.id for item in sessions[:-1])]
    assert [item.outcome for item in sessions] == [*["rotated"] * (MANY - 1), "claimed"]
    assert WORDS in first_message(server, f"step {MANY}")
