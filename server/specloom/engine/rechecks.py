"""Verifies stale proofs once more at the end of a run. Refuses to run what the user has not granted."""

from dataclasses import replace

from specloom.agent.ports import Halt
from specloom.domain import commands as c
from specloom.domain.citations import cited_by
from specloom.domain.events.proof import CheckPhase
from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.ids import TaskId
from specloom.domain.project import ProjectState
from specloom.domain.states import TaskState
from specloom.engine.attempt import verify_commands
from specloom.engine.changes import tick, ticking
from specloom.engine.context import EngineContext
from specloom.engine.gate import RunGate
from specloom.engine.saving import saved, unsaved
from specloom.engine.staleness import mark_stale
from specloom.engine.trust import Trust
from specloom.engine.verification.checks import CheckResult
from specloom.engine.verification.evidence import Proof, digests_on_disk, files_behind


async def recheck(
    engine: EngineContext, trust: Trust, gate: RunGate, scope: frozenset[TaskId], *, asks: bool
) -> Halt | None:
    """Runs the commands of each stale proof in scope again: it holds and is renewed, or the task has regressed.

    Stale is also what was done for requirements that read otherwise now. A proof whose files stand unsaved in an editor
    stays stale, since commands read the disk; with `asks`, a person is asked to save them, as before any other check.
    """
    stale = frozenset(await mark_stale(engine))
    state = engine.state
    doubtful = [task for task in state.graph.order if task in scope and (task in stale or state.record(task).outdated)]
    commands = {task: commands_again(engine, task) for task in doubtful}
    # What is in evidence was granted once; nothing that a command of an agent wrote gets there.
    wanted = [(command, command in _proven_by(state, task)) for task in doubtful for command in commands[task]]
    await trust.ask_for((command for command, proved in wanted if proved), at_start=True)
    await trust.ask_for(command for command, _ in wanted)
    for task, found in commands.items():
        halt = await gate.unpaused()
        if halt is not None:
            return halt
        if not found or trust.missing(found) or engine.state.record(task).state is not TaskState.DONE:
            continue
        halt = await saved(engine, gate, await _behind(engine, task, found)) if asks else None
        if halt is not None:
            return halt
        behind = await _behind(engine, task, found)
        if await unsaved(engine, behind):
            continue
        if not await _recheck(engine, task, found, behind):
            # Which proofs stand is another question now; it waits until somebody resumes the run.
            return await gate.unpaused() or await recheck(engine, trust, gate, scope, asks=asks)
        # Somebody may have typed while the commands ran.
        await mark_stale(engine, frozenset(behind))
    return None


async def _behind(engine: EngineContext, task: TaskId, commands: tuple[str, ...]) -> tuple[str, ...]:
    known = (file.path for piece in engine.state.record(task).evidence for file in piece.files)
    return await files_behind(engine.workspace, known, commands)


def commands_again(engine: EngineContext, task: TaskId) -> tuple[str, ...]:
    """What verifies a proven task once more: what proved it; for changed requirements, what is said to prove it now."""
    proven, definition = _proven_by(engine.state, task), engine.state.graph.tasks.get(task)
    if not proven or definition is None or not engine.state.record(task).outdated:
        return proven
    return verify_commands(engine, definition) or proven


def _proven_by(state: ProjectState, task: TaskId) -> tuple[str, ...]:
    return tuple(item.command for item in state.record(task).evidence if item.command)


async def _recheck(engine: EngineContext, task: TaskId, commands: tuple[str, ...], behind: tuple[str, ...]) -> bool:
    """False: git wrote files meanwhile, so that what was found is true of no tree.

    `behind`: the files that the proof stands on.
    """
    tree = engine.head.changes
    old, cited = engine.state.record(task).evidence, cited_by(engine.state, task)
    present = await digests_on_disk(engine.workspace, behind)
    culprit = changed_by(engine.state, task)
    results = await engine.checker().run(commands, task, None, CheckPhase.RECHECK)
    await engine.head.look()
    if engine.head.changes != tree:
        return False
    failed = [result for result in results if not result.passed]
    if failed:
        reason = f"regressed{_cause(engine.state, task, culprit)}: {_told(failed[0])}"
        with ticking(engine, task):
            await engine.mailbox.submit(c.RegressTask(task, reason, culprit))
            await tick(engine, task)
        return True
    renewed = Proof(engine.clock.now(), old[0].attempt, present, {}, ()).of(results)
    kept = tuple(_as_before(old, piece) for piece in renewed)
    with ticking(engine, task):
        await engine.mailbox.submit(c.RenewProof(task, kept, cited))
        await tick(engine, task)
    return True


def _cause(state: ProjectState, task: TaskId, culprit: TaskId | None) -> str:
    changed = ", ".join(state.record(task).outdated)
    return f" by {culprit}" if culprit is not None else f", after {changed} changed" if changed else ""


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
