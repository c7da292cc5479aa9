"""The table of orders on the wire: it names what the server takes, and nothing that it refuses at once."""

import pytest

from specloom.domain import commands as c
from specloom.domain.decide import decide
from specloom.domain.events import documents, tasks
from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import Digest, RequirementId, SpecId, TaskId
from specloom.domain.project import ProjectState, TaskRecord
from specloom.domain.rejection import Rejected
from specloom.domain.spec import SpecDefinition, TaskDefinition
from specloom.domain.states import TaskState
from specloom.lsp.wire_orders import TASK_ORDERS, orders_for

AT = "2026-01-01T00:00:00.000Z"
TASK = TaskId("01/1")
ORDERS: dict[str, c.UserTaskCommand] = {
    "Retry": c.RetryTask(TASK),
    "Unblock": c.UnblockTask(TASK),
    "Skip": c.SkipTask(TASK, ""),
    "Reset": c.ResetTask(TASK),
}
BY_HAND = Evidence(EvidenceKind.USER, AT)
PROOF = Evidence(EvidenceKind.COMMAND, AT, command="true", exit_code=0)


def lived(*events: tasks.TaskEvent) -> ProjectState:
    """A project of one task to which all this happened."""
    definition = TaskDefinition(TASK, "1", "Draw the map")
    state = evolve(
        EMPTY, documents.SpecRead(SpecDefinition(SpecId("01"), "Spec", "specs/01-spec.md", tasks=(definition,))), AT, 1
    )
    for event in events:
        state = evolve(state, event, AT, state.seq + 1)
    return state


LIVES: dict[TaskState, tuple[tasks.TaskEvent, ...]] = {
    TaskState.READY: (),
    TaskState.DONE: (tasks.TaskDone(TASK, (PROOF,)),),
    TaskState.FAILED: (tasks.TaskDone(TASK, (PROOF,)), tasks.TaskFailed(TASK, "regressed")),
    TaskState.BLOCKED: (tasks.TaskBlocked(TASK, "no key"),),
    TaskState.SKIPPED: (tasks.TaskSkipped(TASK),),
}


@pytest.mark.parametrize("now", LIVES)
def test_an_order_about_a_task_is_named_where_it_is_taken(now: TaskState) -> None:
    state = lived(*LIVES[now])
    assert state.state_of(TASK) is now
    named = {order.title for order in TASK_ORDERS if now in order.leaf_states}
    taken = {title for title, command in ORDERS.items() if not isinstance(decide(state, command), Rejected)}
    assert named & set(ORDERS) == taken


def offered(record: TaskRecord, now: TaskState = TaskState.DONE, *, idle: bool = True) -> list[str]:
    """The titles."""
    return [order.title for order in orders_for(now, record, is_leaf=True, idle=idle)]


def test_verifying_again_is_offered_where_a_command_can_be_repeated() -> None:
    cited = ((RequirementId("1"), Digest("0")),)
    proven, ticked = (
        lived(tasks.TaskDone(TASK, (PROOF,), cited=cited)),
        lived(tasks.TaskDone(TASK, (BY_HAND,), cited=cited)),
    )
    assert offered(proven.record(TASK)) == ["Reset"], "nobody doubts it"
    for doubt in (tasks.ProofStale(TASK, ("map.txt",)), tasks.ProofStale(TASK, (), (RequirementId("1"),))):
        doubted = evolve(proven, doubt, AT, 9).record(TASK)
        assert offered(doubted) == ["Verify again", "Reset"]
        assert offered(doubted, idle=False) == ["Reset"]
        assert offered(evolve(ticked, doubt, AT, 9).record(TASK)) == ["Reset"], "there is nothing to run"
