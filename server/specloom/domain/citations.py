"""Which requirements a task was done for, as they read then, and which of them read otherwise now.

Refuses to go by ids: a requirement whose words stand under another id was renumbered, and not changed. Of two that
read the same each is followed on its own (`requirement_moves`).
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from specloom.domain.documents.layouts import concerns
from specloom.domain.events.tasks import ProofStale
from specloom.domain.ids import Digest, RequirementId, TaskId, spec_of
from specloom.domain.project import ProjectState, TaskRecord
from specloom.domain.requirement import Requirement
from specloom.domain.spec import SpecDefinition, TaskDefinition
from specloom.domain.states import TaskState

Cited: TypeAlias = tuple[tuple[RequirementId, Digest], ...]
"""Ids and hashes of texts."""


def cited_by(state: ProjectState, task: TaskId) -> Cited:
    """What a task of the graph names, with all below each id, as it reads now."""
    known = state.graph.tasks.get(task)
    return () if known is None else cited_in(state, known)


def cited_in(state: ProjectState, task: TaskDefinition) -> Cited:
    """The same where the task is at hand as its spec has it, which is not being generated: no graph is built for it."""
    names, spec = task.requirements, state.plan.specs.get(spec_of(task.id))
    if spec is None or not names:
        return ()
    heads = tuple(f"{name}." for name in names)
    found = (item for item in _meant(state, spec) if item.id in names or item.id.startswith(heads))
    return tuple(dict.fromkeys((item.id, item.hash) for item in found))


def changed_since(state: ProjectState, record: TaskRecord, spec: SpecDefinition) -> tuple[RequirementId, ...]:
    """The ids, as they were cited, of requirements whose words stand nowhere any more, or are another one's alone."""
    if not record.cited:
        return ()
    present, edited = {item.hash for item in _meant(state, spec)}, _edited(record)
    gone = (item for item in record.cited if item[1] not in present or item in edited)
    return tuple(dict.fromkeys(name for name, _ in gone))


def _edited(record: TaskRecord) -> set[tuple[RequirementId, Digest]]:
    return {(place.name, place.digest) for place in record.places if place.edited}


def renumbered(
    state: ProjectState, record: TaskRecord, spec: SpecDefinition
) -> Iterator[tuple[RequirementId, RequirementId]]:
    """The ids under which requirements were cited whose words stand under others now, and those."""
    if not record.cited:
        return
    meant = list(_meant(state, spec))
    present = {(item.id, item.hash) for item in meant}
    now = {item.hash: item.id for item in reversed(meant)}
    known, edited = {(place.name, place.digest): place.now for place in record.places}, _edited(record)
    for name, digest in record.cited:
        if (name, digest) not in present and digest in now and (name, digest) not in edited:
            place = known.get((name, digest), name)
            yield name, place if (place, digest) in present else now[digest]


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
