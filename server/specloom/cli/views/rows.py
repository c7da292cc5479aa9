"""The tasks of a project as rows for lists and trees. Refuses rendering: no width, no colour."""

from collections.abc import Iterable
from dataclasses import dataclass

from specloom.cli.views.marks import remark
from specloom.domain.ids import SpecId, TaskId
from specloom.domain.project import ProjectState
from specloom.domain.runs import Scope
from specloom.domain.scope import tasks_in
from specloom.domain.spec import SpecDefinition, SpecStatus, TaskDefinition
from specloom.domain.states import SATISFIED, TaskState


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task, or the heading over some. `state` is `None` for a heading."""

    id: TaskId
    number: str
    title: str
    depth: int
    state: TaskState | None
    note: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class SpecRow:
    """A spec with its tasks; `done` of `total` non-optional leaves."""

    id: SpecId
    title: str
    state: TaskState
    done: int
    total: int
    tasks: tuple[TaskRow, ...]
    generating: bool = False


def spec_rows(state: ProjectState, scope: Scope | None = None) -> tuple[SpecRow, ...]:
    """Every spec in order, or those with a task in scope."""
    wanted = None if scope is None or scope.kind == "project" else _scope_ids(state, scope)
    rows = (_spec_row(state, spec, wanted) for spec in ordered_specs(state))
    return tuple(row for row in rows if wanted is None or row.tasks)


def ordered_specs(state: ProjectState) -> list[SpecDefinition]:
    """Specs as people number them."""
    return sorted(state.plan.specs.values(), key=lambda spec: (spec.path, spec.id))


def _scope_ids(state: ProjectState, scope: Scope) -> frozenset[TaskId]:
    """The leaves in scope with all headings above them."""
    ids = set(tasks_in(state.graph, scope))
    for task in tuple(ids):
        parent = state.graph.tasks[task].parent
        while parent is not None:
            ids.add(parent)
            parent = state.graph.tasks[parent].parent
    return frozenset(ids)


def _spec_row(state: ProjectState, spec: SpecDefinition, wanted: frozenset[TaskId] | None) -> SpecRow:
    generating = spec.status is SpecStatus.GENERATING
    listed = () if generating else tuple(task for task in spec.tasks if wanted is None or task.id in wanted)
    leaves = [task for task in listed if task.is_leaf and (not task.optional or wanted is not None)]
    states = [state.state_of(task.id) for task in leaves]
    depths = _depths(listed)
    return SpecRow(
        spec.id,
        spec.title,
        overall(states),
        sum(item in SATISFIED for item in states),
        len(states),
        tuple(_task_row(state, task, depths[task.id]) for task in listed),
        generating,
    )


def overall(states: Iterable[TaskState]) -> TaskState:
    """One state for many: the most urgent one; done when all are."""
    present = set(states)
    urgent = (TaskState.IN_PROGRESS, TaskState.FAILED, TaskState.BLOCKED, TaskState.READY, TaskState.PENDING)
    found = next((state for state in urgent if state in present), None)
    return found or (TaskState.DONE if present else TaskState.PENDING)


def _depths(tasks: tuple[TaskDefinition, ...]) -> dict[TaskId, int]:
    depths: dict[TaskId, int] = {}
    for task in tasks:
        depths[task.id] = depths.get(task.parent, -1) + 1 if task.parent is not None else 0
    return depths


def _task_row(state: ProjectState, task: TaskDefinition, depth: int) -> TaskRow:
    if not task.is_leaf:
        return TaskRow(task.id, task.number, task.title, depth, None, optional=task.optional)
    seen = state.state_of(task.id)
    note = remark(seen, state.record(task.id)) or ("optional" if task.optional else "")
    return TaskRow(task.id, task.number, task.title, depth, seen, note, task.optional)
