"""Verifies stale proofs once more at the end of a run. Refuses to run what the user has not granted."""

from dataclasses import replace

from specloom.domain import commands as c
from specloom.domain.events.proof import CheckPhase
from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.ids import TaskId
from specloom.domain.project import ProjectState
from specloom.engine.changes import tick
from specloom.engine.context import EngineContext
from specloom.engine.staleness import mark_stale
from specloom.engine.trust import Trust
from specloom.engine.verification.checks import Checker, CheckResult
from specloom.engine.verification.evidence import Proof, digests


async def recheck(engine: EngineContext, trust: Trust, scope: frozenset[TaskId]) -> None:
    """Runs the commands of each stale proof in scope again: it holds and is renewed, or the task has regressed."""
    for task in await mark_stale(engine):
        commands = tuple(item.command for item in engine.state.record(task).evidence if item.command)
        if task in scope and commands and not trust.missing(commands):
            await _recheck(engine, task, commands)


async def _recheck(engine: EngineContext, task: TaskId, commands: tuple[str, ...]) -> None:
    checker = Checker(engine.workspace.root, engine.mailbox, engine.ids, engine.options)
    culprit = changed_by(engine.state, task)
    results = await checker.run(commands, task, None, CheckPhase.RECHECK)
    failed = [result for result in results if not result.passed]
    if failed:
        reason = f"regressed: {_told(failed[0])}" if culprit is None else f"regressed by {culprit}: {_told(failed[0])}"
        await engine.mailbox.submit(c.RegressTask(task, reason, culprit))
        await tick(engine, task)
        return
    old = engine.state.record(task).evidence
    behind = dict.fromkeys(file.path for piece in old for file in piece.files)
    present = await digests(engine.workspace, behind)
    renewed = Proof(engine.clock.now(), old[0].attempt, present, {}, ()).of(results)
    kept = tuple(_as_before(old, piece) for piece in renewed)
    await engine.mailbox.submit(c.RenewProof(task, kept))


def _told(result: CheckResult) -> str:
    return f"`{result.command}` {result.ended}"


def _as_before(old: tuple[Evidence, ...], new: Evidence) -> Evidence:
    # What the first proof learnt about its command still holds; only when and on which files it ran is new.
    was = next((item for item in old if item.command == new.command and item.kind is EvidenceKind.COMMAND), None)
    if was is None:
        return new
    return replace(new, discriminating=was.discriminating, touched_tests=was.touched_tests)


def changed_by(state: ProjectState, task: TaskId) -> TaskId | None:
    """The other task that changed one of the stale files last, if a task did."""
    stale = set(state.record(task).stale)
    touching = [
        (change.seq, other)
        for other, changes in state.change_sets.items()
        for change in changes
        if other != task and stale.intersection(change.paths)
    ]
    return max(touching)[1] if touching else None
