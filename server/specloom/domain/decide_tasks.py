"""Orders of a person about one task, and what a task's change means for its dependants. Refuses by the state table."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import assert_never

from specloom.domain import commands as c
from specloom.domain.draft import Draft
from specloom.domain.events import Event, tasks
from specloom.domain.events.tasks import TaskEvent
from specloom.domain.graph_edges import leaves_behind
from specloom.domain.ids import TaskId
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.scope import leaves_below
from specloom.domain.states import SATISFIED, TaskAction, TaskState, actions, transition


def decide_user_task(state: ProjectState, command: c.UserTaskCommand) -> tuple[Event, ...] | Rejected:
    """Skip, retry, unblock or reset a leaf, or all leaves below a parent for which it makes sense."""
    unknown = unknown_task(state, command.task)
    if unknown is not None:
        return unknown
    action = _ACTION[type(command)]
    leaves = leaves_below(state.graph, command.task)
    able = [task for task in leaves if transition(state.record(task).state, action) is not None]
    if not able:
        return _not_now(state, command.task, action)
    draft = Draft(state)
    for task in able:
        _carry_out(draft, command, task)
    return draft.events


_ACTION: dict[type[c.UserTaskCommand], TaskAction] = {
    c.SkipTask: TaskAction.SKIP,
    c.RetryTask: TaskAction.RETRY,
    c.UnblockTask: TaskAction.UNBLOCK,
    c.ResetTask: TaskAction.RESET,
}


def _carry_out(draft: Draft, command: c.UserTaskCommand, task: TaskId) -> None:
    match command:
        case c.SkipTask():
            draft.add(tasks.TaskSkipped(task, command.reason))
            draft.add(*freed_by(draft.state, task))
        case c.RetryTask():
            draft.add(tasks.TaskRetried(task))
        case c.UnblockTask():
            draft.add(tasks.TaskUnblocked(task))
        case c.ResetTask():
            draft.add(tasks.TaskReset(task))
        case _:
            assert_never(command)


def unknown_task(state: ProjectState, task: TaskId) -> Rejected | None:
    """A refusal with suggestions when the graph has no such task."""
    if task in state.graph.tasks:
        return None
    near = tuple(get_close_matches(task, state.graph.tasks, n=3, cutoff=0.5))
    hint = f"; did you mean {' or '.join(near)}?" if near else "; `specloom tasks` lists them"
    return Rejected("unknown-task", f"There is no task {task!r}{hint}", near)


def _not_now(state: ProjectState, task: TaskId, action: TaskAction) -> Rejected:
    now = state.state_of(task) if state.graph.tasks[task].is_leaf else None
    if now is None:
        return Rejected("illegal-transition", f"No task below {task} can be {_PAST[action]} now")
    may = [item.value for item in actions(now) if item in _PAST]
    instead = f"; it can be: {', '.join(may)}" if may else ""
    return Rejected(
        "illegal-transition", f"Task {task} is {now.value.replace('_', ' ')} and cannot be {_PAST[action]}{instead}"
    )


_PAST = {
    TaskAction.SKIP: "skipped",
    TaskAction.RETRY: "retried",
    TaskAction.UNBLOCK: "unblocked",
    TaskAction.RESET: "reset",
}


def blocked_by(state: ProjectState, cause: TaskId) -> tuple[TaskEvent, ...]:
    """Every task that waits for `cause`, directly or not, becomes blocked, with the reason."""
    verb = "is blocked" if state.record(cause).state is TaskState.BLOCKED else "failed"
    return tuple(
        tasks.TaskBlocked(task, f"{cause} {verb}", cause)
        for task in _held_by(state, cause)
        if state.record(task).state is TaskState.PENDING
    )


def freed_by(state: ProjectState, task: TaskId) -> tuple[TaskEvent, ...]:
    """What `task`, which is now satisfied, held up and nothing else does, is freed."""
    return freed(state, _behind(state, task))


def freed(state: ProjectState, among: Iterable[TaskId]) -> tuple[TaskEvent, ...]:
    """Every task that no longer waits for the cause of its block is freed, unless it waits for another such cause."""
    free = tuple(_no_longer_held(state, among))
    others = _causes(state) if free else {}
    events: list[TaskEvent] = []
    for task in free:
        events.append(tasks.TaskUnblocked(task, by_cause=True))
        if task in others:
            events.append(tasks.TaskBlocked(task, f"{others[task]} failed or is blocked", others[task]))
    return tuple(events)


def _no_longer_held(state: ProjectState, among: Iterable[TaskId]) -> Iterator[TaskId]:
    held: dict[TaskId, frozenset[TaskId]] = {}
    for task in among:
        record = state.record(task)
        cause = record.cause
        if record.state is not TaskState.BLOCKED or cause is None:
            continue
        if cause not in held:
            held[cause] = frozenset(_held_by(state, cause))
        # A task that its document leaves out for a moment keeps its block, unless the cause is gone too.
        if cause not in state.graph.tasks or (task in state.graph.positions and task not in held[cause]):
            yield task


def _held_by(state: ProjectState, cause: TaskId, seen: set[TaskId] | None = None) -> Iterator[TaskId]:
    """The tasks that wait for `cause`, directly or through others, as long as it is not satisfied."""
    return iter(()) if _is_satisfied(state, cause) else _behind(state, cause, seen)


def _behind(state: ProjectState, task: TaskId, seen: set[TaskId] | None = None) -> Iterator[TaskId]:
    """The tasks after `task`; what is satisfied passes nothing on."""
    graph = state.graph
    return leaves_behind(graph.followers, graph.positions, (task,), lambda leaf: not _is_satisfied(state, leaf), seen)


def _causes(state: ProjectState) -> dict[TaskId, TaskId]:
    """What is held up to what holds it: a task that failed or reported a block."""
    found: dict[TaskId, TaskId] = {}
    seen = set[TaskId]()
    for cause in state.graph.order:
        record = state.record(cause)
        reported = record.state is TaskState.BLOCKED and record.cause is None
        if reported or record.state is TaskState.FAILED:
            found.update((task, cause) for task in _held_by(state, cause, seen))
    return found


def _is_satisfied(state: ProjectState, task: TaskId) -> bool:
    return state.record(task).state in SATISFIED
