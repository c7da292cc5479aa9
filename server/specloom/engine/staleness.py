"""Tells which proofs no longer stand on the files that they were made on. Refuses to undo a verdict: it only marks."""

from collections.abc import Collection, Iterator

from specloom.domain import commands as c
from specloom.domain.evidence import stale_paths
from specloom.domain.ids import TaskId
from specloom.domain.project import ProjectState, TaskRecord
from specloom.domain.states import TaskState
from specloom.engine.context import EngineContext
from specloom.engine.verification.evidence import digests


async def mark_stale(engine: EngineContext, paths: Collection[str] | None = None) -> tuple[TaskId, ...]:
    """Compares proofs (those that stand on one of `paths`, or all) with the present files; returns the stale ones."""
    found: list[TaskId] = []
    for task, record in tuple(_proofs(engine.state, paths)):
        behind = {file.path for piece in record.evidence for file in piece.files}
        stale = stale_paths(record.evidence, await digests(engine.workspace, sorted(behind)))
        if stale != record.stale:
            await engine.mailbox.submit(c.MarkStale(task, stale))
        if stale:
            found.append(task)
    return tuple(found)


def _proofs(state: ProjectState, paths: Collection[str] | None) -> Iterator[tuple[TaskId, TaskRecord]]:
    for task in state.graph.order:
        record = state.record(task)
        behind = (file.path for piece in record.evidence for file in piece.files)
        if record.state is TaskState.DONE and record.evidence and (paths is None or any(p in paths for p in behind)):
            yield task, record
