"""A turn that broke off is no turn, and what it cost counts."""

from specloom.domain.events import agents
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import AgentId, SessionId
from specloom.domain.usage import UsageTotal

AT = "2026-01-01T00:00:00Z"
SESSION = SessionId("s")
SPENT = UsageTotal(input=900, output=7, cost_usd=0.25)


def test_the_cost_of_an_answer_that_broke_off_counts_and_its_turn_does_not() -> None:
    started = agents.SessionStarted(SESSION, AgentId("a"), "planner", None, None, "m", "", ())
    failed = agents.TurnFailed(SESSION, 1, "broken-stream", "cut", 1.0, SPENT)
    state = evolve(EMPTY, started, AT, 1)
    state = evolve(state, agents.TurnRequested(SESSION, 1), AT, 2)
    state = evolve(state, failed, AT, 3)
    assert state.usage == SPENT
    record = state.sessions[SESSION]
    assert (record.usage, record.turns, record.awaiting) == (SPENT, 0, 0), "nothing is awaited: what it cost is known"


def test_a_failure_without_a_cost_leaves_a_known_sum_known() -> None:
    started = agents.SessionStarted(SESSION, AgentId("a"), "planner", None, None, "m", "", ())
    state = evolve(evolve(EMPTY, started, AT, 1), agents.TurnFailed(SESSION, 1, "key", "no"), AT, 2)
    assert state.usage.cost_usd == 0.0
