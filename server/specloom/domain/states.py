"""The states of a task and every legal change between them, as one table. Refuses what the table does not hold."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class TaskState(StrEnum):
    """What is true of a task now. `READY` is never stored: it is a pending task whose dependencies are satisfied."""

    PENDING = "pending"
    READY = "ready"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    SKIPPED = "skipped"


class TaskAction(StrEnum):
    """What can happen to a task."""

    START = "start"
    PROVE = "prove"
    """The engine has evidence."""
    TICK = "tick"
    """A person ticked the box."""
    FAIL = "fail"
    """Attempts are used up, or a proof no longer holds."""
    BLOCK = "block"
    FREE = "free"
    """The cause of a block is gone."""
    UNBLOCK = "unblock"
    """A person lifts a block."""
    SKIP = "skip"
    RETRY = "retry"
    RESET = "reset"
    RELEASE = "release"
    """An attempt ended without a verdict (cancelled, paused)."""


SATISFIED = frozenset({TaskState.DONE, TaskState.SKIPPED})
"""States that satisfy dependants."""

_S, _A = TaskState, TaskAction

TRANSITIONS: Mapping[tuple[TaskState, TaskAction], TaskState] = MappingProxyType(
    {
        (_S.PENDING, _A.START): _S.IN_PROGRESS,
        (_S.PENDING, _A.TICK): _S.DONE,
        (_S.PENDING, _A.BLOCK): _S.BLOCKED,
        (_S.PENDING, _A.SKIP): _S.SKIPPED,
        (_S.IN_PROGRESS, _A.PROVE): _S.DONE,
        (_S.IN_PROGRESS, _A.FAIL): _S.FAILED,
        (_S.IN_PROGRESS, _A.BLOCK): _S.BLOCKED,
        (_S.IN_PROGRESS, _A.RELEASE): _S.PENDING,
        (_S.DONE, _A.FAIL): _S.FAILED,
        (_S.DONE, _A.RESET): _S.PENDING,
        (_S.FAILED, _A.RETRY): _S.PENDING,
        (_S.FAILED, _A.RESET): _S.PENDING,
        (_S.FAILED, _A.SKIP): _S.SKIPPED,
        (_S.FAILED, _A.TICK): _S.DONE,
        (_S.BLOCKED, _A.FREE): _S.PENDING,
        (_S.BLOCKED, _A.UNBLOCK): _S.PENDING,
        (_S.BLOCKED, _A.RETRY): _S.PENDING,
        (_S.BLOCKED, _A.RESET): _S.PENDING,
        (_S.BLOCKED, _A.SKIP): _S.SKIPPED,
        (_S.BLOCKED, _A.TICK): _S.DONE,
        (_S.SKIPPED, _A.RESET): _S.PENDING,
        (_S.SKIPPED, _A.RETRY): _S.PENDING,
        (_S.SKIPPED, _A.TICK): _S.DONE,
    }
)


def transition(state: TaskState, action: TaskAction) -> TaskState | None:
    """The state after `action`, or `None` where the table has no such change. `READY` behaves as `PENDING`."""
    return TRANSITIONS.get((TaskState.PENDING if state is TaskState.READY else state, action))


def actions(state: TaskState) -> tuple[TaskAction, ...]:
    """What may happen in `state`, for messages and menus."""
    return tuple(action for action in TaskAction if transition(state, action) is not None)
