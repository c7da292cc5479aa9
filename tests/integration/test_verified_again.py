"""What was done for requirements that read otherwise now: verified once more by the next run, as any stale proof."""

import asyncio
from pathlib import Path

from specloom.domain.events import proof, tasks
from specloom.domain.evidence import is_proven
from specloom.domain.ids import RequirementId
from specloom.domain.runs import RunOutcome, Scope
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from tests.integration.projects import REQUIREMENTS
from tests.integration.stage import (
    ONE,
    attempt,
    codes,
    ended,
    events_of,
    project,
    review,
    says,
    staged,
    start,
    task,
    turn,
    write,
)
from tests.integration.test_engine_verify import CITES, verdict

SPEC = "specs/01-steps.md"
QUIET = REQUIREMENTS.replace("SHALL print a greeting", "SHALL be silent")
NAMED = (RequirementId("R1.1"),)
WORKS = attempt(1, turn(write("a.txt", "loud\n")), turn(says()))


async def said(runtime: ProjectRuntime, path: str, text: str) -> None:
    """Somebody writes a document; returns when it was read."""
    await asyncio.to_thread((runtime.root / path).write_text, text)
    await runtime.refresh()


async def run(runtime: ProjectRuntime) -> RunOutcome | None:
    """A run of the one task, to its end."""
    await start(runtime, Scope("task", ONE))
    return (await ended(runtime)).outcome


async def test_command_that_passes_renews_what_was_proven_for_a_requirement_that_has_changed(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "grep -q loud a.txt"))
    async with staged(root, WORKS) as (runtime, _):
        assert await run(runtime) is RunOutcome.COMPLETED
        (first,) = runtime.evidence(ONE)
        await said(runtime, "requirements.md", QUIET)
        assert codes(runtime) == ["proof-outdated"]
        assert "run it again" in runtime.problems[SPEC][0].message
        assert await run(runtime) is RunOutcome.COMPLETED
        assert codes(runtime) == []
        (second,) = runtime.evidence(ONE)
        assert second.check != first.check
        assert second.files == first.files
        assert is_proven(runtime.evidence(ONE))
        assert await run(runtime) is RunOutcome.COMPLETED
        assert len(await events_of(runtime, tasks.ProofRenewed)) == 1, "once is enough"
        await said(runtime, "requirements.md", REQUIREMENTS)
        assert runtime.state.record(ONE).outdated == NAMED, "it stands on the new words now"


async def test_command_that_is_said_to_prove_the_changed_requirement_is_the_one_that_counts(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "grep -q loud a.txt"))
    async with staged(root, WORKS) as (runtime, _):
        assert await run(runtime) is RunOutcome.COMPLETED
        await said(runtime, "requirements.md", QUIET)
        spec = await asyncio.to_thread((root / SPEC).read_text)
        await said(runtime, SPEC, spec.replace("grep -q loud a.txt", "! grep -q loud a.txt"))
        assert await run(runtime) is RunOutcome.INCOMPLETE
        record = runtime.state.record(ONE)
        assert record.state is TaskState.FAILED
        assert record.reason == "regressed, after R1.1 changed: `! grep -q loud a.txt` exited with 1"
        assert codes(runtime) == ["task-failed"]


async def test_requirement_that_changes_again_while_it_is_verified_stays_told(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt; cp new.md requirements.md"))
    await asyncio.to_thread((root / "new.md").write_text, REQUIREMENTS)
    async with staged(root, WORKS) as (runtime, _):
        assert await run(runtime) is RunOutcome.COMPLETED
        await said(runtime, "requirements.md", QUIET)
        await asyncio.to_thread((root / "new.md").write_text, QUIET.replace("silent", "mute"))
        await run(runtime)
        await runtime.refresh()
        assert runtime.state.record(ONE).outdated == NAMED


async def test_what_was_reviewed_stays_outdated_and_says_what_to_do(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1))
    reviewed = review(1, turn({"tool": "read_file", "input": {"path": "a.txt"}}), turn(verdict("pass", CITES)))
    async with staged(root, WORKS, reviewed) as (runtime, _):
        assert await run(runtime) is RunOutcome.COMPLETED
        await said(runtime, "requirements.md", QUIET)
        assert await run(runtime) is RunOutcome.COMPLETED
        assert runtime.state.record(ONE).outdated == NAMED
        assert "untick and tick its box if it still holds" in runtime.problems[SPEC][0].message
        assert await events_of(runtime, proof.CheckRequested) == []
