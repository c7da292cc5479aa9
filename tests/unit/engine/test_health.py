"""What is told of how a project does, and that the worst of it is told."""

from dataclasses import replace

import pytest

from specloom.domain.events import agents
from specloom.domain.ids import ProjectId, RunId, SessionId
from specloom.domain.origin import Origin
from specloom.domain.project import ProjectState, RunRecord
from specloom.domain.runs import Budget, PauseCause, RunState, Scope
from specloom.engine.api import Published
from specloom.engine.health import LAG, STUCK, Retries, Signs, health_of

NONE = {"orders": 0, "work": 0, "readings": 0}
RUN = RunRecord(RunId("run-1"), Scope(), Budget(), False, RunState.RUNNING, "2026-11-21T10:00:00.000Z")
OFFLINE = replace(RUN, state=RunState.PAUSED, cause=PauseCause.OFFLINE, reason="the endpoint gives no answer")


def state(run: RunRecord | None = None) -> ProjectState:
    """With a run or without."""
    return ProjectState(id=ProjectId("p"), run=run)


@pytest.mark.parametrize(
    ("run", "signs", "status", "words"),
    [
        (None, Signs(), "ok", ""),
        (RUN, Signs(), "ok", ""),
        (replace(OFFLINE, cause=PauseCause.BUDGET), Signs(), "ok", ""),
        (RUN, Signs(lag_s=LAG), "warning", "busy"),
        (RUN, Signs(lag_s=LAG, retrying="overloaded"), "warning", "overloaded"),
        (RUN, Signs(lag_s=LAG, unwatched="cannot be watched"), "warning", "watched"),
        (RUN, Signs(retrying="overloaded", unwatched="cannot be watched"), "warning", "overloaded"),
        (OFFLINE, Signs(), "warning", "no answer"),
        (OFFLINE, Signs(refusal="there is no key"), "error", "no key"),
        (OFFLINE, Signs(stuck_s=STUCK, refusal="there is no key"), "error", "waited"),
        (OFFLINE, Signs("the disk is full", "there is no key", "", STUCK, lag_s=LAG), "error", "full"),
    ],
)
def test_the_worst_is_told(run: RunRecord | None, signs: Signs, status: str, words: str) -> None:
    health = health_of(state(run), signs, NONE)
    assert health.status == status
    assert words in health.message
    assert bool(health.message) == (status != "ok")


def test_quiescent_is_what_has_nothing_to_do_and_nobody_to_wait_for() -> None:
    assert health_of(state(), Signs(), NONE).quiescent
    assert health_of(state(OFFLINE), Signs(), NONE).quiescent
    assert not health_of(state(RUN), Signs(), NONE).quiescent
    assert not health_of(state(), Signs(), {**NONE, "work": 1}).quiescent


def test_a_retry_is_told_until_an_answer_comes() -> None:
    retries = Retries()

    def hear(event: agents.AgentEvent) -> str:
        retries.hear(Published(1, "", Origin("engine"), event), state())
        return retries.told

    one, two = SessionId("s-1"), SessionId("s-2")
    assert hear(agents.TurnFailed(one, 1, "overloaded", "529", 2.0)) == "529"
    assert hear(agents.TurnFailed(two, 1, "reset", "reset", 2.0)) == "reset"
    assert hear(agents.TurnFailed(two, 1, "reset", "reset for good", None)) == "529"
    assert hear(agents.TurnRequested(one, 1, 2)) == "529"
    assert hear(agents.SessionEnded(one, "", "")) == ""
