"""What a changed document means for the log. Refuses to guess: only a box that changed by hand is a tick."""

from typing import assert_never

from specloom.domain import commands as c
from specloom.domain.decide_tasks import freed
from specloom.domain.documents.matching import match_tasks
from specloom.domain.draft import Draft
from specloom.domain.events import Event, documents, tasks
from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.ids import TaskId
from specloom.domain.project import ProjectState
from specloom.domain.spec import SpecDefinition, SpecStatus, TaskDefinition
from specloom.domain.states import TaskAction, TaskState, transition


def decide_document(state: ProjectState, command: c.DocumentCommand) -> tuple[Event, ...]:
    """The facts that a document brings; nothing when it says what is already known."""
    match command:
        case c.ReadRequirements():
            if state.requirements.get(command.path) == command.requirements:
                return ()
            return (documents.RequirementsRead(command.path, command.requirements),)
        case c.DropRequirements():
            return (documents.RequirementsRemoved(command.path),) if command.path in state.requirements else ()
        case c.ReadSpec():
            return _read(state, command)
        case c.DropSpec():
            if command.spec not in state.plan.specs:
                return ()
            draft = Draft(state).add(documents.SpecRemoved(command.spec))
            return draft.add(*freed(draft.state, draft.state.tasks)).events
        case _:
            assert_never(command)


def _read(state: ProjectState, command: c.ReadSpec) -> tuple[Event, ...]:
    old, new = state.plan.specs.get(command.spec.id), command.spec
    if old is not None and _same(old, new):
        return ()
    moved = dict(match_tasks(old.tasks, new.tasks)) if old is not None else {}
    renamed = tuple((a, b) for a, b in moved.items() if a != b)
    draft = Draft(state, command.at).add(documents.SpecRead(new, renamed))
    before = {moved.get(task.id, task.id): task for task in old.tasks} if old is not None else {}
    if command.by_hand:
        _take_boxes(draft, before, new, command.at)
    return draft.add(*freed(draft.state, draft.state.tasks)).events


def _same(old: SpecDefinition, new: SpecDefinition) -> bool:
    boxes = [(task.id, task.ticked) for task in old.tasks] == [(task.id, task.ticked) for task in new.tasks]
    return old == new and boxes


def _take_boxes(draft: Draft, before: dict[TaskId, TaskDefinition], spec: SpecDefinition, at: str) -> None:
    if spec.status is SpecStatus.GENERATING:
        return
    for task in spec.tasks:
        if task.is_leaf:
            _take_box(draft, before.get(task.id), task, at)


def _take_box(draft: Draft, old: TaskDefinition | None, new: TaskDefinition, at: str) -> None:
    was = old.ticked if old is not None else False
    now = draft.state.record(new.id).state
    if new.ticked and not was and transition(now, TaskAction.TICK) is not None:
        kind = EvidenceKind.IMPORTED if old is None else EvidenceKind.USER
        draft.add(tasks.TaskDone(new.id, (Evidence(kind, at),)))
    elif was and not new.ticked and now is TaskState.DONE:
        draft.add(tasks.TaskReset(new.id))
