"""Which tasks an order means. Refuses to choose by anything but the graph and the order's own words."""

from collections.abc import Iterator

from specloom.domain.graph import TaskGraph
from specloom.domain.ids import TaskId, spec_of
from specloom.domain.project import ProjectState
from specloom.domain.runs import Scope
from specloom.domain.states import TaskState


def leaves_below(graph: TaskGraph, task: TaskId) -> tuple[TaskId, ...]:
    """The leaf itself, optional or not; of a parent, optional or not, the leaves that make it done."""
    return (task,) if graph.tasks[task].is_leaf else graph.required(task)


def tasks_in(graph: TaskGraph, scope: Scope) -> tuple[TaskId, ...]:
    """The leaves in scope in work order; optional ones only when the scope names them."""
    if scope.kind == "task":
        return leaves_below(graph, TaskId(scope.id)) if TaskId(scope.id) in graph.tasks else ()
    return tuple(task for task in graph.order if _is_meant(graph, scope, task))


def _is_meant(graph: TaskGraph, scope: Scope, task: TaskId) -> bool:
    """For a scope that names a project or a spec."""
    return not graph.tasks[task].optional and (scope.kind == "project" or spec_of(task) == scope.id)


def ready_in(state: ProjectState, scope: Scope) -> Iterator[TaskId]:
    """Ready tasks in scope, in work order; costs no look at those that are not ready."""
    graph = state.graph
    named = tasks_in(graph, scope) if scope.kind == "task" else None
    for task in state.progress.readiness.ready(graph):
        wanted = _is_meant(graph, scope, task) if named is None else task in named
        if wanted and state.record(task).state is TaskState.PENDING and task not in graph.faulty:
            yield task
