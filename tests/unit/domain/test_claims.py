"""What an executor claims is kept with its task, bounded, until it claims something else."""

import pytest

from specloom.domain.events import Event, agents, tasks
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.evolve_agents import CLAIM_KEPT
from specloom.domain.ids import AgentId, AttemptId, RunId, SessionId, TaskId
from specloom.domain.project import ProjectState

TASK = TaskId("01/1")
ATTEMPT = AttemptId("attempt-1")
AGENT = AgentId("agent-1")
RUN = RunId("run-1")


def session(name: str, outcome: str, reason: str, role: str = "executor") -> tuple[Event, ...]:
    """A session from start to end."""
    opened = agents.SessionStarted(SessionId(name), AGENT, role, ATTEMPT, TASK, "model", "system", ())
    return opened, agents.SessionEnded(SessionId(name), outcome, reason)


def after(*events: Event) -> ProjectState:
    """The state after these events."""
    state = EMPTY
    for seq, event in enumerate(events, 1):
        state = evolve(state, event, "2026-01-01T00:00:00Z", seq)
    return state


def test_claim_of_the_executor_is_kept_with_its_task() -> None:
    assert after(*session("s1", "claimed", "Built it.")).record(TASK).claim == "Built it."


def test_long_claim_is_cut() -> None:
    assert len(after(*session("s1", "claimed", "x" * 5000)).record(TASK).claim) == CLAIM_KEPT


@pytest.mark.parametrize("outcome", ["turn-limit", "blocked", "refused"])
def test_reason_of_another_end_is_no_claim(outcome: str) -> None:
    claimed = session("s1", "claimed", "Built it.")
    assert after(*claimed, *session("s2", outcome, "30 turns")).record(TASK).claim == ""


def test_what_a_reviewer_says_is_no_claim() -> None:
    claimed = session("s1", "claimed", "Built it.")
    assert after(*claimed, *session("s2", "claimed", "Fine.", "reviewer")).record(TASK).claim == "Built it."


def test_failed_attempt_leaves_its_claim_to_the_next_and_a_reset_forgets_it() -> None:
    started = tasks.TaskStarted(TASK, ATTEMPT, AGENT, RUN, 1, ("true",))
    failed = tasks.AttemptFailed(TASK, ATTEMPT, "failed", "boom")
    events = (started, *session("s1", "claimed", "Built it."), failed)
    again = tasks.TaskStarted(TASK, AttemptId("attempt-2"), AGENT, RUN, 2, ("true",))
    assert after(*events, again).record(TASK).claim == "Built it."
    done = tasks.TaskDone(TASK, ())
    assert after(*events, done, tasks.TaskReset(TASK)).record(TASK).claim == ""
