"""Before each turn: who waits for whom in a pause, what of it counts, and which turns are counted."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

from specloom.agent.ports import Halt
from specloom.domain import commands as c
from specloom.domain.decide import decide
from specloom.domain.events import Event, agents, runs
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import RunId, SessionId
from specloom.domain.origin import Origin
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunState, Scope
from specloom.engine.api import Published
from specloom.engine.gate import RunGate, SideGate
from specloom.engine.mailbox import Mailbox

AT = "2026-11-21T08:00:00Z"
RUN = RunId("run-1")


@dataclass
class Clock:
    """Stands still until it is moved."""

    seconds: float = 0.0

    def now(self) -> str:
        return AT

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Orders:
    """A mailbox without a log: decides, folds, and tells one listener."""

    gates: list[RunGate] = field(default_factory=list[RunGate])
    state: ProjectState = EMPTY

    def tell(self, event: Event) -> None:
        self.state = evolve(self.state, event, AT, self.state.seq + 1)
        for gate in self.gates:
            gate.heard(Published(self.state.seq, AT, Origin("engine"), event), self.state)

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


def opened(**limits: float) -> tuple[RunGate, Orders, Clock]:
    """The gate of a run that has just begun."""
    orders, clock = Orders(), Clock()
    turns = int(limits["turns"]) if "turns" in limits else None
    orders.tell(runs.RunStarted(RUN, Scope(), Budget(turns=turns, minutes=limits.get("minutes")), unattended=True))
    gate = RunGate(cast("Mailbox", orders), clock, clock.monotonic())
    orders.gates.append(gate)
    return gate, orders, clock


def beside(gate: RunGate, count: int) -> list[SideGate]:
    """The gates of sub-agents."""
    return [SideGate(gate, Nowhere()) for _ in range(count)]


async def pass_all(gates: list[SideGate]) -> list[asyncio.Task[Halt | None]]:
    """All of them arrive; those that must wait do so when this returns."""
    waiting = [asyncio.create_task(gate.before_turn(SessionId("s"))) for gate in gates]
    for _ in range(20):
        await asyncio.sleep(0)
    return waiting


async def test_turns_that_others_are_in_count_as_used() -> None:
    gate, _, _ = opened(turns=2)
    halts = [task.result() for task in await pass_all(beside(gate, 3))]
    assert [halt is None for halt in halts] == [True, True, False]


async def test_one_that_ended_holds_no_turn_and_no_pause_any_more() -> None:
    gate, orders, _ = opened(turns=2)
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


async def test_the_time_of_a_pause_does_not_count_however_many_waited() -> None:
    gate, orders, clock = opened(minutes=1)
    orders.tell(runs.RunPausing(RUN, ""))
    waiting = await pass_all(beside(gate, 3))
    clock.seconds += 600
    orders.tell(runs.RunResumed(RUN))
    assert await asyncio.gather(*waiting) == [None] * 3
    clock.seconds += 59
    assert await gate.passed() is None
    clock.seconds += 1
    assert await gate.passed() == Halt("budget", "the time limit of 1 minutes is reached")
