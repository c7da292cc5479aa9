"""What happened to tasks, as lines. Refuses what happened inside an attempt: that is `event_lines`."""

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from specloom.cli.views.formats import one_line
from specloom.cli.views.marks import MARKS, done_by
from specloom.domain.events import tasks
from specloom.domain.ids import TaskId
from specloom.domain.project import ProjectState
from specloom.domain.scope import tasks_in
from specloom.domain.states import TaskState


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `weight` 2 is for what a person must see, 1 for milestones, 0 for steps on the way."""

    text: str
    style: str = ""
    weight: int = 1
    indent: int = 0


_Order: TypeAlias = tasks.TaskUnblocked | tasks.TaskSkipped | tasks.TaskReset | tasks.TaskRetried | tasks.TaskReleased


def task_name(state: ProjectState, task: TaskId) -> str:
    """Id and title."""
    known = state.graph.tasks.get(task)
    return f"{task} {known.title}" if known else task


def _marked(seen: TaskState, text: str, weight: int = 1) -> Line:
    mark = MARKS[seen]
    return Line(f"{mark.symbol} {text}", mark.style, weight)


def task_line(event: tasks.TaskEvent, state: ProjectState) -> Line:
    """What happened to a task, with its title."""
    name = task_name(state, event.task)
    match event:
        case tasks.TaskStarted():
            again = f" (attempt {event.number})" if event.number > 1 else ""
            return _marked(TaskState.IN_PROGRESS, f"{name}{again}")
        case tasks.TaskDone():
            return _marked(TaskState.DONE, f"{name}: {done_by(state.record(event.task))}")
        case tasks.TaskFailed():
            by = f" (regressed by {event.regressed_by})" if event.regressed_by else ""
            return _marked(TaskState.FAILED, f"{name}: failed: {one_line(event.reason, 400)}{by}", 2)
        case tasks.TaskBlocked():
            return _marked(TaskState.BLOCKED, f"{name}: blocked: {one_line(event.reason, 400)}", 2)
        case tasks.AttemptFailed():
            return _marked(TaskState.FAILED, f"{name}: this attempt failed: {one_line(event.reason, 400)}", 2)
        case tasks.ProofStale():
            return Line(f"{name}: {_stale(event, state)}", "yellow")
        case tasks.ProofRenewed():
            return _marked(TaskState.DONE, f"{name}: verified once more, still proven")
        case _:
            seen, words = _moved(event)
            return _marked(seen, f"{name}: {words}")


def _stale(event: tasks.ProofStale, state: ProjectState) -> str:
    if event.requirements:
        return f"proof stale, reads otherwise since: {one_line(', '.join(event.requirements))}"
    if not event.paths:
        return "all is again as it was when it was proven"
    again = state.run is not None and state.run.active and event.task in tasks_in(state.graph, state.run.scope)
    then = "; will be verified again at the end of the run" if again else ""
    return f"proof stale, changed since: {one_line(', '.join(event.paths))}{then}"


def _moved(event: _Order) -> tuple[TaskState, str]:
    match event:
        case tasks.TaskUnblocked():
            return TaskState.READY, "unblocked"
        case tasks.TaskSkipped():
            return TaskState.SKIPPED, "skipped"
        case tasks.TaskReset():
            return TaskState.PENDING, "reset"
        case tasks.TaskRetried():
            return TaskState.PENDING, "will be tried again"
        case tasks.TaskReleased():
            return TaskState.PENDING, f"waits again: {one_line(event.reason)}" if event.reason else "waits again"
        case _:
            assert_never(event)
