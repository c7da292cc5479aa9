"""Which requirements a task was done for, as they read then, and which of them read otherwise now.

Refuses to go by ids: a requirement whose words stand under another id was renumbered, and not changed.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from specloom.domain.documents.layouts import concerns
from specloom.domain.events.tasks import ProofStale
from specloom.domain.ids import Digest, RequirementId, TaskId, spec_of
from specloom.domain.project import ProjectState, TaskRecord
from specloom.domain.requirement import Requirement
from specloom.domain.spec import SpecDefinition
from specloom.domain.states import TaskState

Cited: TypeAlias = tuple[tuple[RequirementId, Digest], ...]
"""Ids and hashes of texts."""


def cited_by(state: ProjectState, task: TaskId) -> Cited:
    """What a task of the graph names, with all below each id, as it reads now."""
    known, spec = state.graph.tasks.get(task), state.plan.specs.get(spec_of(task))
    if known is None or spec is None or not known.requirements:
        return ()
    names = known.requirements
    heads = tuple(f"{name}." for name in names)
    found = (item for item in _meant(state, spec) if item.id in names or item.id.startswith(heads))
    return tuple(dict.fromkeys((item.id, item.hash) for item in found))


def changed_since(state: ProjectState, record: TaskRecord, spec: SpecDefinition) -> tuple[RequirementId, ...]:
    """The ids, as they were cited, of requirements whose words stand nowhere any more."""
    if not record.cited:
        return ()
    present = {item.hash for item in _meant(state, spec)}
    return tuple(dict.fromkeys(name for name, digest in record.cited if digest not in present))


def renumbered(
    state: ProjectState, record: TaskRecord, spec: SpecDefinition
) -> Iterator[tuple[RequirementId, RequirementId]]:
    """The ids under which requirements were cited whose words stand under others now, and those."""
    if not record.cited:
        return
    meant = list(_meant(state, spec))
    present = {(item.id, item.hash) for item in meant}
    now = {item.hash: item.id for item in reversed(meant)}
    yield from ((name, now[digest]) for name, digest in record.cited if (name, digest) not in present and digest in now)


def restated(state: ProjectState, tasks: Iterable[TaskId]) -> tuple[ProofStale, ...]:
    """One event for each of `tasks` that is done and whose requirements read otherwise than one last heard."""
    events: list[ProofStale] = []
    for task in tasks:
        record, spec = state.record(task), state.plan.specs.get(spec_of(task))
        if record.state is TaskState.DONE and spec is not None and record.cited:
            outdated = changed_since(state, record, spec)
            if outdated != record.outdated:
                events.append(ProofStale(task, record.stale, outdated))
    return tuple(events)


def _meant(state: ProjectState, spec: SpecDefinition) -> Iterator[Requirement]:
    for path, requirements in state.requirements.items():
        if concerns(path, spec):
            yield from requirements
