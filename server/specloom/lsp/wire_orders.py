"""What may be ordered of a task: one table for lenses, actions and the menus of clients. Refuses to carry it out."""

from collections.abc import Iterator

from specloom.domain.evidence import is_verifiable
from specloom.domain.project import TaskRecord
from specloom.domain.states import TaskAction, TaskState, transition
from specloom.lsp import protocol_project as shapes

RUN_METHOD = "specloom/run/start"
_ACTIONS = {
    TaskAction.RETRY: ("Retry", "specloom/task/retry"),
    TaskAction.UNBLOCK: ("Unblock", "specloom/task/unblock"),
    TaskAction.SKIP: ("Skip", "specloom/task/skip"),
    TaskAction.RESET: ("Reset", "specloom/task/reset"),
}


def _named(*states: TaskState) -> list[shapes.TaskState]:
    return [state.value for state in states]


def _of(action: TaskAction) -> shapes.TaskOrder:
    title, method = _ACTIONS[action]
    able = _named(*(state for state in TaskState if transition(state, action) is not None))
    return shapes.TaskOrder(title=title, method=method, leaf_states=able, group_states=[], idle=False, doubtful=False)


TASK_ORDERS = (
    shapes.TaskOrder(
        title="Verify again",
        method=RUN_METHOD,
        leaf_states=_named(TaskState.DONE),
        group_states=[],
        idle=True,
        doubtful=True,
    ),
    shapes.TaskOrder(
        title="Run",
        method=RUN_METHOD,
        # Who names a failed task wants it tried again.
        leaf_states=_named(TaskState.READY, TaskState.FAILED),
        group_states=_named(*(state for state in TaskState if state is not TaskState.DONE)),
        idle=True,
        doubtful=False,
    ),
    *map(_of, _ACTIONS),
)
"""In the order of menus."""


def orders_for(now: TaskState, record: TaskRecord, *, is_leaf: bool, idle: bool) -> Iterator[shapes.TaskOrder]:
    """What may be ordered of a task now."""
    doubtful = bool(record.stale or record.outdated) and is_verifiable(record.evidence)
    for order in TASK_ORDERS:
        fits = now in (order.leaf_states if is_leaf else order.group_states)
        if fits and (idle or not order.idle) and (doubtful or not order.doubtful):
            yield order
