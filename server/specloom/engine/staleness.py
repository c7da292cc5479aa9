"""Tells which proofs no longer stand on the files that they were made on. Refuses to undo a verdict: it only marks."""

from collections.abc import Collection, Iterator

from specloom.domain import commands as c
from specloom.domain.evidence import is_by_hand, stale_paths
from specloom.domain.ids import TaskId, spec_of
from specloom.domain.project import ProjectState, TaskRecord
from specloom.domain.states import TaskState
from specloom.engine.context import EngineContext
from specloom.engine.verification.evidence import digests
from specloom.workspace.workspace import Workspace


async def mark_stale(engine: EngineContext, paths: Collection[str] | None = None) -> tuple[TaskId, ...]:
    """Compares proofs (those that stand on one of `paths`, or all) with the present files; returns the stale ones."""
    found: list[TaskId] = []
    for task, record in tuple(_proofs(engine.state, paths)):
        stale = await _stale(engine.state, engine.workspace, task, record)
        if stale != record.stale:
            await engine.mailbox.submit(c.MarkStale(task, stale))
        if stale:
            found.append(task)
    return tuple(found)


async def stale_now(state: ProjectState, workspace: Workspace) -> tuple[tuple[TaskId, tuple[str, ...]], ...]:
    """What `mark_stale` would mark, with the files that were changed since; none: they are again as they were."""
    looked = [(task, record, await _stale(state, workspace, task, record)) for task, record in _proofs(state, None)]
    return tuple((task, paths) for task, record, paths in looked if paths != record.stale)


async def _stale(state: ProjectState, workspace: Workspace, task: TaskId, record: TaskRecord) -> tuple[str, ...]:
    behind = {file.path for piece in record.evidence for file in piece.files}
    return stale_paths(record.evidence, await digests(workspace, sorted(behind))) or _unticked(state, task, record)


def _proofs(state: ProjectState, paths: Collection[str] | None) -> Iterator[tuple[TaskId, TaskRecord]]:
    for task in state.graph.order:
        record = state.record(task)
        if record.state is TaskState.DONE and record.evidence:
            behind = (file.path for piece in record.evidence for file in piece.files)
            box = _box(state, task) if is_by_hand(record.evidence) else ()
            if paths is None or any(path in paths for path in (*behind, *box)):
                yield task, record


def _box(state: ProjectState, task: TaskId) -> tuple[str, ...]:
    """The document that holds it; nothing where it was not read yet."""
    spec = state.plan.specs.get(spec_of(task))
    return () if spec is None or spec.id in state.unread else (spec.path,)


def _unticked(state: ProjectState, task: TaskId, record: TaskRecord) -> tuple[str, ...]:
    """The document whose box was ticked and is not any more, though no hand took that back: git or an agent did."""
    return _box(state, task) if is_by_hand(record.evidence) and not state.graph.tasks[task].ticked else ()
