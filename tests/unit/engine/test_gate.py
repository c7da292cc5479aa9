"""Before each turn: who waits for whom in a pause, what of it counts, and which turns are counted."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.agent.ports import Halt
from specloom.domain import commands as c
from specloom.domain.budgets import UNLIMITED, Reached, Spent
from specloom.domain.decide import decide
from specloom.domain.events import Event, agents, runs
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import AgentId, RunId, SessionId, TaskId
from specloom.domain.origin import Origin
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, PauseCause, RunOutcome, RunState, Scope
from specloom.domain.usage import UsageTotal
from specloom.engine.accounts import Accounts
from specloom.engine.api import Published
from specloom.engine.gate import RunGate, SideGate
from specloom.engine.mailbox import Mailbox
from specloom.engine.options import EngineOptions
from specloom.llm.errors import ProviderError, ProviderFault
from specloom.llm.messages import Usage

AT = "2026-11-21T08:00:00Z"
RUN = RunId("run-1")
TASK, AGENT = TaskId("01/1"), AgentId("agent-1")
ONE_TURN = Spent(turns=1)


@dataclass
class Clock:
    """Stands still until it is moved."""

    seconds: float = 0.0

    def now(self) -> str:
        return AT

    def monotonic(self) -> float:
        return self.seconds

    def day_began(self) -> str:
        return "2026-11-20T23:00:00Z"


@dataclass
class Orders:
    """A mailbox without a log: decides, folds, and tells one listener."""

    gates: list[RunGate] = field(default_factory=list[RunGate])
    state: ProjectState = EMPTY
    at: str = AT

    def tell(self, event: Event) -> None:
        self.state = evolve(self.state, event, self.at, self.state.seq + 1)
        for gate in self.gates:
            gate.heard(Published(self.state.seq, self.at, Origin("engine"), event), self.state)

    async def submit(self, command: c.Command) -> None:
        decided = decide(self.state, command)
        assert not isinstance(decided, Rejected), decided
        for event in decided:
            self.tell(event)


class Nowhere:
    """Keeps nothing."""

    def note(self, *events: agents.AgentEvent) -> None:
        del events

    async def commit(self, *events: agents.AgentEvent) -> None:
        del events


@dataclass
class Person:
    """Is asked, if he is there."""

    unattended: bool = True
    asked: list[Reached] = field(default_factory=list[Reached])

    def ask(self, reached: Reached) -> None:
        self.asked.append(reached)


def opened(
    budget: Budget = UNLIMITED, *, task: Budget = UNLIMITED, day: Budget = UNLIMITED, person: Person | None = None
) -> tuple[RunGate, Orders, Clock]:
    """The gate of a run that has just begun."""
    orders, clock = Orders(), Clock()
    orders.tell(runs.RunStarted(RUN, Scope(), budget, unattended=True))
    options = EngineOptions({}, Free(), lambda text: text, {}, task_budget=task, day_budget=day)
    gate = RunGate(cast("Mailbox", orders), clock, Accounts(lambda: options, clock), person or Person(), TASK, run=RUN)
    orders.gates.append(gate)
    return gate, orders, clock


class Free:
    """Prices nothing."""

    def total(self, model: str, usage: Usage) -> UsageTotal:
        del model
        return UsageTotal(usage.input, usage.output)


def spends(orders: Orders, usd: float | None, tokens: int = 10) -> None:
    """A turn of the task that cost so much."""
    orders.tell(agents.SessionStarted(SessionId("s"), AGENT, "executor", None, TASK, "m", "", ()))
    orders.tell(agents.TurnFinished(SessionId("s"), 1, "[]", "end_turn", UsageTotal(tokens, cost_usd=usd), "m"))


def beside(gate: RunGate, count: int, most: Spent = ONE_TURN) -> list[SideGate]:
    """The gates of sub-agents whose turns cost `most`, at the most."""
    return [SideGate(gate, Nowhere(), lambda: most) for _ in range(count)]


async def pass_all(gates: list[SideGate]) -> list[asyncio.Task[Halt | None]]:
    """All of them arrive; those that must wait do so when this returns."""
    waiting = [asyncio.create_task(gate.before_turn(SessionId("s"))) for gate in gates]
    for _ in range(20):
        await asyncio.sleep(0)
    return waiting


async def test_turns_that_others_are_in_count_as_used() -> None:
    gate, orders, _ = opened(Budget(turns=2))
    gates = beside(gate, 3)
    first, second, third = await pass_all(gates)
    assert (first.done(), second.done(), third.done()) == (True, True, False)
    for one in gates[:2]:
        spends(orders, 0.0)
        one.leave()
    assert (await third) == Halt("budget", "the budget of 2 turns is used up")


@pytest.mark.parametrize("limits", [Budget(usd=1.0), Budget(tokens=1000)], ids=["money", "tokens"])
@pytest.mark.parametrize("part", ["run", "task", "day"])
@given(data=st.data())
def test_no_turn_begins_where_those_under_way_may_have_used_up_a_limit(
    limits: Budget, part: str, data: st.DataObject
) -> None:
    """Five at once, each turn of which costs anything up to its most: whatever they cost, and however they end."""

    async def play() -> None:
        of = {name: limits if name == part else UNLIMITED for name in ("run", "task", "day")}
        gate, orders, _ = opened(of["run"], task=of["task"], day=of["day"])
        most = Spent(usd=data.draw(st.floats(0.01, 0.6)), tokens=data.draw(st.integers(1, 600)), turns=1)
        waiting = [(one, asyncio.create_task(one.before_turn(SessionId("s")))) for one in beside(gate, 5, most)]
        inside: list[SideGate] = []
        again = 8
        while waiting or inside:
            for _ in range(20):
                await asyncio.sleep(0)
            entered = [one for one, task in waiting if task.done() and task.result() is None]
            run = orders.state.run
            assert run is not None
            before = Spent(run.spent.usd + len(inside) * most.usd, 0, run.spent.tokens + len(inside) * most.tokens)
            if entered:
                last = Spent(
                    before.usd + (len(entered) - 1) * most.usd, 0, before.tokens + (len(entered) - 1) * most.tokens
                )
                assert limits.usd is None or last.usd < limits.usd
                assert limits.tokens is None or last.tokens < limits.tokens
            inside += entered
            waiting = [(one, task) for one, task in waiting if not task.done()]
            if inside:
                done = inside.pop(data.draw(st.integers(0, len(inside) - 1)))
                share = data.draw(st.floats(0, 1))
                spends(orders, most.usd * share, round(most.tokens * share))
                again -= 1
                if again > 0:
                    waiting.append((done, asyncio.create_task(done.before_turn(SessionId("s")))))
                else:
                    done.leave()
            else:
                assert not waiting, "whoever waits for others that are none waits for ever"

    asyncio.run(play())


async def test_a_person_is_asked_once_and_the_same_again_goes_on() -> None:
    person = Person(unattended=False)
    gate, orders, _ = opened(Budget(usd=1.0), person=person)
    spends(orders, 1.25)
    waiting = await pass_all(beside(gate, 5))
    run = orders.state.run
    assert run is not None
    assert (run.state, run.cause, run.reason) == (
        RunState.PAUSED,
        PauseCause.BUDGET,
        "the budget of $1.00 is used up ($1.25)",
    )
    assert {item.text for item in person.asked} == {run.reason}
    assert person.asked[0].offer == "Continue with $1.00 more"
    await orders.submit(c.ExtendBudget(person.asked[0].part, person.asked[0].more, rule="user"))
    assert await asyncio.gather(*waiting) == [None] * 5
    spends(orders, 0.75)
    for one in await pass_all([SideGate(gate, Nowhere(), lambda: ONE_TURN)]):
        assert not one.done(), "two dollars are all that there are now"
        one.cancel()


async def test_a_question_that_was_stopped_at_ends_the_run_for_its_budget() -> None:
    gate, orders, _ = opened(Budget(turns=1), person=Person(unattended=False))
    spends(orders, 0.0)
    (waiting,) = await pass_all(beside(gate, 1))
    await orders.submit(c.FinishRun(RunOutcome.BUDGET, "enough"))
    assert await waiting == Halt("budget", "enough")


async def test_what_has_no_known_price_is_told_and_counts_as_nothing_less_than_what_is_known() -> None:
    gate, orders, _ = opened(Budget(usd=1.0))
    spends(orders, None, 500)
    assert await gate.passed() is None
    spends(orders, 1.5)
    assert await gate.passed() == Halt("budget", "the budget of $1.00 is used up (at least $1.50)")


async def test_only_today_counts_for_the_day() -> None:
    gate, orders, _ = opened(day=Budget(turns=2))
    orders.at = "2026-11-20T22:59:00Z"
    spends(orders, 0.0)
    orders.at = "2026-11-20T23:00:00Z"
    spends(orders, 0.0)
    assert await gate.passed() is None
    spends(orders, 0.0)
    assert await gate.passed() == Halt("budget", "the budget of 2 turns for today is used up")


@pytest.mark.parametrize("progressed", [True, False])
async def test_turns_of_an_attempt_extend_themselves_only_unattended_and_with_progress(*, progressed: bool) -> None:
    gate, orders, _ = opened()
    assert await gate.more_turns(TASK, 30, 20, progressed=progressed) == (20 if progressed else 0)
    assert orders.state.record(TASK).more_turns == (20 if progressed else 0)


async def test_turns_of_an_attempt_are_asked_for_until_there_is_an_answer() -> None:
    person = Person(unattended=False)
    gate, orders, _ = opened(person=person)
    waiting = asyncio.create_task(gate.more_turns(TASK, 30, 20, progressed=False))
    for _ in range(2):
        for _ in range(20):
            await asyncio.sleep(0)
        orders.tell(runs.RunResumed(RUN))
    for _ in range(20):
        await asyncio.sleep(0)
    assert [item.offer for item in person.asked] == ["Continue with 20 turns more"] * 3
    await orders.submit(c.ExtendBudget(person.asked[0].part, person.asked[0].more, TASK, "user"))
    assert await waiting == 20


async def test_one_that_ended_holds_no_turn_and_no_pause_any_more() -> None:
    gate, orders, _ = opened(Budget(turns=2))
    first, second, third = beside(gate, 3)
    await pass_all([first, second])
    first.leave()
    first.leave()
    assert await third.before_turn(SessionId("s")) is None
    second.leave()
    third.leave()
    orders.tell(runs.RunPausing(RUN, ""))
    (waiting,) = await pass_all([first])
    assert orders.state.run is not None
    assert orders.state.run.state is RunState.PAUSED
    waiting.cancel()


async def test_a_run_is_paused_when_the_last_of_them_has_arrived() -> None:
    gate, orders, _ = opened()
    first, second = beside(gate, 2)
    await pass_all([first, second])
    orders.tell(runs.RunPausing(RUN, ""))
    arrived = await pass_all([first])
    assert orders.state.run is not None
    assert orders.state.run.state is RunState.PAUSING
    arrived += await pass_all([second])
    assert orders.state.run.state is RunState.PAUSED
    assert not any(task.done() for task in arrived)
    orders.tell(runs.RunResumed(RUN))
    assert await asyncio.gather(*arrived) == [None, None]


@dataclass
class Away:
    """An endpoint that answers when somebody resumes the run."""

    waits: int = 0

    def cause(self, error: ProviderError) -> PauseCause:
        del error
        return PauseCause.OFFLINE

    def begin(self) -> None:
        self.waits += 1


async def test_nobody_asks_again_beside_one_whose_endpoint_is_away() -> None:
    gate, orders, _ = opened()
    away = Away()
    gate.endpoints = away
    first, second = beside(gate, 2)
    await pass_all([first, second])
    gone = ProviderError(ProviderFault.UNREACHABLE, "nobody answers")
    stranded = asyncio.create_task(first.stranded(SessionId("s"), gone))
    await asyncio.sleep(0)
    (again,) = await pass_all([second])
    run = orders.state.run
    assert run is not None
    assert (run.state, run.cause, away.waits) == (RunState.PAUSED, PauseCause.OFFLINE, 1)
    assert not again.done()
    assert not stranded.done()
    orders.tell(runs.RunResumed(RUN))
    assert await asyncio.gather(again, stranded) == [None, True]


async def test_the_time_of_a_pause_does_not_count_however_many_waited() -> None:
    gate, orders, clock = opened(Budget(minutes=1))
    orders.tell(runs.RunPausing(RUN, ""))
    gates = beside(gate, 3)
    waiting = await pass_all(gates)
    clock.seconds += 600
    orders.tell(runs.RunResumed(RUN))
    assert await asyncio.gather(*waiting) == [None] * 3
    for one in gates:
        one.leave()
    clock.seconds += 59
    assert await gate.passed() is None
    clock.seconds += 1
    assert await gate.passed() == Halt("budget", "the time limit of 1 minutes is reached")


async def test_run_that_waits_has_ended_when_another_one_took_its_place_at_once() -> None:
    gate, orders, _ = opened(person=Person(unattended=False))
    await orders.submit(c.SettlePause("a limit", PauseCause.BUDGET))
    waiting = asyncio.create_task(gate.passed())
    await asyncio.sleep(0)
    await orders.submit(c.FinishRun(RunOutcome.BUDGET, "another run was started"))
    orders.tell(runs.RunStarted(RunId("run-2"), Scope(), UNLIMITED, unattended=True))
    assert await waiting == Halt("budget", "another run was started")


@pytest.mark.parametrize("end", ["session", "run"])
async def test_one_that_waits_to_pause_the_run_holds_nobody_when_it_is_over(end: str) -> None:
    gate, orders, _ = opened()
    gate.endpoints = Away()
    first, second, third = beside(gate, 3)
    await pass_all([first, second])
    gone = ProviderError(ProviderFault.UNREACHABLE, "nobody answers")
    stranded = asyncio.create_task(first.stranded(SessionId("s"), gone))
    (waiting,) = await pass_all([third])
    assert not waiting.done()
    if end == "session":
        stranded.cancel()
    else:
        orders.tell(runs.RunCancelling(RUN))
    async with asyncio.timeout(5):
        halt = await waiting
        second.leave()
        third.leave()
        await asyncio.gather(stranded, return_exceptions=True)
    assert (halt and halt.kind) == (None if end == "session" else "cancelled")
