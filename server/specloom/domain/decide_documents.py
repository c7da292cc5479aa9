"""What a changed document means for the log. Refuses to guess: only a box that changed by hand is a tick."""

from typing import assert_never

from specloom.domain import commands as c
from specloom.domain.citations import cited_in, restated
from specloom.domain.decide_tasks import freed
from specloom.domain.draft import Draft
from specloom.domain.events import Event, documents, runs, tasks
from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.ids import TaskId
from specloom.domain.project import ProjectState
from specloom.domain.rematching import matched, rematch
from specloom.domain.runs import PauseCause, RunState
from specloom.domain.spec import SpecDefinition, SpecStatus, TaskDefinition
from specloom.domain.states import TaskAction, TaskState, transition


def decide_document(state: ProjectState, command: c.DocumentCommand) -> tuple[Event, ...]:
    """The facts that a document brings; nothing when it says what is already known."""
    match command:
        case c.ReadRequirements():
            if state.requirements.get(command.path) == command.requirements:
                return ()
            return _restated(state, documents.RequirementsRead(command.path, command.requirements))
        case c.DropRequirements():
            known = command.path in state.requirements
            return _restated(state, documents.RequirementsRemoved(command.path)) if known else ()
        case c.ReadSpec():
            return _read(state, command)
        case c.DropSpec():
            return _dropped(state, command)
        case c.ChangeHead():
            return (command.seen, *(_paused(state, command.seen) if command.seen.files else ()))
        case _:
            assert_never(command)


def _restated(state: ProjectState, event: Event) -> tuple[Event, ...]:
    draft = Draft(state).add(event)
    return draft.add(*restated(draft.state, draft.state.tasks)).events


def _paused(state: ProjectState, seen: documents.HeadChanged) -> tuple[Event, ...]:
    run = state.run
    if run is None or not run.active:
        return ()
    reason = f"{HEAD_CHANGED} {changed(seen)}; look at what stands there now, then resume the run"
    if run.state in (RunState.RUNNING, RunState.PAUSING):
        return (runs.RunPausing(run.id, reason),)
    # What pauses for a while, such as a lack of network, shall not go on by itself now.
    again = run.state is RunState.PAUSED and run.cause is not PauseCause.INTERRUPTED
    return (runs.RunPaused(run.id, reason),) if again else ()


HEAD_CHANGED = "HEAD changed"
"""How the reason of such a pause begins."""
SHOWN = 8
"""Digits of a commit that people are shown."""


def changed(seen: documents.HeadChanged) -> str:
    """`from main (0123abcd) to feature (4567cdef)`, or where it stayed and what was done there."""
    before, after = _named(seen.before_branch, seen.before), _named(seen.branch, seen.after)
    if before == after:
        return f"at {after}" + (f" ({seen.how})" if seen.how else "")
    return f"to {after}" if not seen.before else f"from {before} to {after}"


def _named(branch: str, commit: str) -> str:
    short = commit[:SHOWN] or "no commit"
    return f"{branch} ({short})" if branch else short


def _read(state: ProjectState, command: c.ReadSpec) -> tuple[Event, ...]:
    old, new = state.plan.specs.get(command.spec.id), command.spec
    if old is not None and _same(old, new) and new.id not in state.unread:
        return ()
    gone, by_text = () if old is None else old.tasks, command.checked_out
    moved = matched(gone, new.tasks, by_text=by_text)
    renamed = rematch(state, gone, new.tasks, moved, by_text=by_text)
    boxes_only = old is not None and not renamed and _but_for_boxes(old, new)
    draft = Draft(state, command.at).add(documents.SpecRead(new, renamed, boxes_only))
    before = {moved[task.id]: task for task in gone if task.id in moved}
    if command.by_hand:
        _take_boxes(draft, before, command, known=new.id not in state.unread)
    draft.add(*restated(draft.state, [task.id for task in new.tasks]))
    return draft.add(*freed(draft.state, draft.state.tasks)).events


def _dropped(state: ProjectState, command: c.DropSpec) -> tuple[Event, ...]:
    known = state.plan.specs.get(command.spec)
    if known is None:
        return ()
    renamed = rematch(state, known.tasks, (), {}, by_text=False)
    draft = Draft(state).add(documents.SpecRemoved(command.spec, renamed))
    return draft.add(*freed(draft.state, draft.state.tasks)).events


def _same(old: SpecDefinition, new: SpecDefinition) -> bool:
    boxes = [(task.id, task.ticked) for task in old.tasks] == [(task.id, task.ticked) for task in new.tasks]
    return old == new and boxes


def _but_for_boxes(old: SpecDefinition, new: SpecDefinition) -> bool:
    """Whether all that is told of them is the same, also the places, which do not take part in comparison."""
    return old == new and [task.line for task in old.tasks] == [task.line for task in new.tasks]


def _take_boxes(draft: Draft, before: dict[TaskId, TaskDefinition], command: c.ReadSpec, *, known: bool) -> None:
    if command.spec.status is SpecStatus.GENERATING:
        return
    for task in command.spec.tasks:
        # Of what came with a checkout only what was never heard of is taken as it was found.
        heard = task.id in before or task.id in draft.state.tasks
        if task.is_leaf and not (command.checked_out and heard):
            _take_box(draft, before.get(task.id), task, command.at, known=known)


def _take_box(draft: Draft, old: TaskDefinition | None, new: TaskDefinition, at: str, *, known: bool) -> None:
    """`known`: who ticked it would stand in the log if it was not a hand."""
    was = old.ticked if old is not None else False
    now = draft.state.record(new.id).state
    if new.ticked and not was and transition(now, TaskAction.TICK) is not None:
        kind = EvidenceKind.USER if known and old is not None else EvidenceKind.IMPORTED
        draft.add(tasks.TaskDone(new.id, (Evidence(kind, at),), cited=cited_in(draft.state, new)))
    elif was and not new.ticked and now is TaskState.DONE:
        draft.add(tasks.TaskReset(new.id))
