"""What is counted for budgets: each day what was used in it, and of time only that of work."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from specloom.domain.budgets import (
    NOTHING,
    Account,
    BudgetPart,
    Quarter,
    Spent,
    added,
    charged,
    granted,
    in_day,
    quarter_of,
    stated,
)
from specloom.domain.events import Event, agents, runs, tasks
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import AgentId, AttemptId, RunId, SessionId, TaskId
from specloom.domain.project import ProjectState
from specloom.domain.runs import Budget, PauseCause, RunOutcome, Scope
from specloom.domain.usage import UsageTotal

START = datetime(2026, 11, 21, 8, tzinfo=UTC)
RUN, TASK, SESSION, ATTEMPT, AGENT = RunId("r"), TaskId("01/1"), SessionId("s"), AttemptId("a"), AgentId("agent-1")


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


moments = st.lists(st.tuples(st.integers(0, 40 * 3600), st.integers(0, 5)), max_size=30)
limits = st.builds(Budget, st.none() | st.just(1.0), st.none() | st.just(10), st.none() | st.just(3), st.none())


@given(moments, st.integers(0, 40 * 4))
def test_a_day_counts_what_was_used_in_it_in_whatever_order_it_came(used: list[tuple[int, int]], quarter: int) -> None:
    quarters: tuple[Quarter, ...] = ()
    for seconds, tokens in used:
        quarters = charged(quarters, at(seconds), Spent(tokens=tokens))
    began = at(quarter * 900)
    expected = sum(tokens for seconds, tokens in used if 0 <= seconds - quarter * 900 < 25 * 3600)
    assert in_day(quarters, began).spent.tokens == expected
    assert [item.at for item in quarters] == sorted({quarter_of(at(seconds)) for seconds, _ in used})


def test_quarters_that_no_day_reaches_are_forgotten() -> None:
    quarters: tuple[Quarter, ...] = ()
    for number in range(1000):
        quarters = charged(quarters, at(number * 900), Spent(tokens=1))
    assert 2 * 96 <= len(quarters) < 250


def test_what_a_clock_years_ahead_wrote_counts_in_no_day_before_and_hides_none() -> None:
    quarters = charged((), at(0), Spent(tokens=1))
    for number in range(500):
        quarters = charged(quarters, at(9e7 + number * 900), Spent(tokens=50))
    for number in range(500):
        quarters = charged(quarters, at(number * 900), Spent(tokens=1))
    assert in_day(quarters, at(490 * 900)).spent.tokens == 10
    assert in_day(quarters, at(9e7 + 490 * 900)).spent.tokens == 500
    assert len(quarters) < 500


@given(limits, limits, limits)
def test_grants_raise_what_is_limited_and_limit_nothing_else(own: Budget, one: Budget, other: Budget) -> None:
    whole = added(own, granted(one, other))
    assert whole == added(added(own, one), other)
    assert (whole.usd is None, whole.tokens is None) == (own.usd is None, own.tokens is None)
    assert stated(own, own) == own
    assert stated(Budget(), own) == own


def fold(*events: tuple[float, Event]) -> ProjectState:
    state = EMPTY
    for seq, (seconds, event) in enumerate(events, 1):
        state = evolve(state, event, at(seconds), seq)
    return state


def turn(number: int, usd: float | None = 0.5) -> agents.TurnFinished:
    return agents.TurnFinished(SESSION, number, "[]", "end_turn", UsageTotal(10, 5, cost_usd=usd), "m")


BEGUN: tuple[tuple[float, Event], ...] = (
    (0, runs.RunStarted(RUN, Scope(), Budget(), unattended=False)),
    (1, tasks.TaskStarted(TASK, ATTEMPT, AGENT, RUN, 1, ())),
    (1, agents.SessionStarted(SESSION, AGENT, "executor", ATTEMPT, TASK, "m", "", ())),
)


def test_time_of_work_leaves_out_pauses_and_what_nobody_knows() -> None:
    state = fold(
        *BEGUN,
        (11, turn(1)),
        (12, runs.RunPausing(RUN, "")),
        (15, runs.RunPaused(RUN, "")),
        (1000, runs.RunResumed(RUN)),
        (1010, turn(2)),
        (9000, runs.RunPaused(RUN, "interrupted", PauseCause.INTERRUPTED)),
        (9100, runs.RunResumed(RUN)),
        (9105, turn(3)),
        (9050, turn(4)),
        (9060, tasks.TaskReleased(TASK, ATTEMPT, "")),
        (9070, runs.RunFinished(RUN, RunOutcome.CANCELLED)),
    )
    assert state.run is not None
    assert state.run.spent.seconds == 15 + 10 + 5 + 0 + 10 + 10
    assert state.record(TASK).spent.seconds == state.run.spent.seconds - 1 - 10
    assert in_day(state.quarters, at(0)).spent.seconds == state.run.spent.seconds


def test_machine_that_slept_worked_no_more_than_an_hour_of_it() -> None:
    state = fold(*BEGUN, (3 * 24 * 3600, turn(1)))
    assert state.run is not None
    assert state.run.spent.seconds == 1 + 3600


def test_unknown_price_is_kept_apart_from_what_is_known() -> None:
    state = fold(*BEGUN, (2, turn(1)), (3, turn(2, usd=None)))
    assert state.run is not None
    for spent in (state.run.spent, state.record(TASK).spent):
        assert (spent.usd, spent.unpriced, spent.tokens, spent.turns) == (0.5, 15, 30, 2)
    assert NOTHING + Spent.of(UsageTotal(cost_usd=None)) == NOTHING


@given(st.floats(0.01, 100.0), st.floats(0.0, 1_000.0))
@example(69.47, 2084.1)
def test_one_yes_leads_on_also_where_more_is_used_than_the_limit_allows_now(limit: float, used: float) -> None:
    account = Account(BudgetPart.RUN, Budget(usd=limit), Budget(), Spent(used))
    if (reached := account.reached()) is not None:
        raised = Account(BudgetPart.RUN, Budget(usd=limit), reached.more, Spent(used))
        assert raised.reached() is None
        assert reached.more.usd is not None
        assert limit <= reached.more.usd <= used + limit
    many = Account(BudgetPart.TASK, Budget(turns=3), Budget(), Spent(turns=8)).reached()
    assert many is not None
    assert many.offer == "Continue with 6 turns more"


@pytest.mark.parametrize("name", ["usd", "tokens", "turns", "minutes"])
def test_more_of_a_limit_of_nothing_is_one(name: str) -> None:
    account = Account(BudgetPart.RUN, Budget(**{name: 0}), Budget(), NOTHING)
    reached = account.reached()
    assert reached is not None
    assert reached.more == Budget(**{name: 1})
