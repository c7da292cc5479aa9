"""Orders of a person about one task, and what a task's change means for its dependants. Refuses by the state table."""

from collections import deque
from collections.abc import Iterator
from difflib import get_close_matches
from typing import assert_never

from specloom.domain import commands as c
from specloom.domain.draft import Draft
from specloom.domain.events import Event, tasks
from specloom.domain.events.tasks import TaskEvent
from specloom.domain.graph import TaskGraph
from specloom.domain.ids import TaskId
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.scope import leaves_below
from specloom.domain.states import TaskAction, TaskState, actions, transition


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
    return Rejected("illegal-transition", f"Task {task} is {now} and cannot be {_PAST[action]}{instead}")


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
        for task in _waiting_for(state.graph, cause)
        if state.record(task).state is TaskState.PENDING
    )


def freed_by(state: ProjectState, cause: TaskId) -> tuple[TaskEvent, ...]:
    """Every task that `cause` blocked is freed, unless something else that it waits for failed or is blocked."""
    events: list[TaskEvent] = []
    for task in _waiting_for(state.graph, cause):
        record = state.record(task)
        if record.state is TaskState.BLOCKED and record.cause == cause:
            other = _other_cause(state, task, cause)
            events.append(tasks.TaskUnblocked(task, by_cause=True))
            if other is not None:
                events.append(tasks.TaskBlocked(task, f"{other} failed or is blocked", other))
    return tuple(events)


def _other_cause(state: ProjectState, task: TaskId, cause: TaskId) -> TaskId | None:
    for before in _upstream(state.graph, task):
        record = state.record(before)
        reported = record.state is TaskState.BLOCKED and record.cause is None
        if before != cause and (reported or record.state is TaskState.FAILED):
            return before
    return None


def _waiting_for(graph: TaskGraph, task: TaskId) -> Iterator[TaskId]:
    return _reach(graph, task, forward=True)


def _upstream(graph: TaskGraph, task: TaskId) -> Iterator[TaskId]:
    return _reach(graph, task, forward=False)


def _reach(graph: TaskGraph, start: TaskId, *, forward: bool) -> Iterator[TaskId]:
    edges = graph.dependents if forward else graph.depends
    seen, queue = {start}, deque(edges.get(start, ()))
    while queue:
        task = queue.popleft()
        if task not in seen:
            seen.add(task)
            yield task
            queue.extend(edges.get(task, ()))
