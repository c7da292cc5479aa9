"""Decides before each request and each task whether the run goes on: pause, cancel, budget. Refuses to poll."""

import asyncio
from dataclasses import dataclass, field, replace

from specloom.agent.ports import Halt, Recorder
from specloom.agent.roles import RoleName
from specloom.domain import commands as c
from specloom.domain.events import runs
from specloom.domain.ids import SessionId
from specloom.domain.ports import Clock
from specloom.domain.project import ProjectState, RunRecord
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunState
from specloom.engine.api import Published
from specloom.engine.mailbox import Mailbox
from specloom.engine.options import EngineOptions
from specloom.llm.messages import Usage


@dataclass(slots=True)
class RunGate:
    """An `agent.ports.Gate` over the state of the active run."""

    mailbox: Mailbox
    clock: Clock
    started: float
    """`monotonic()` at the start of this process's part of the run, pushed on by the time that it was paused."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _beside: int = 0
    """Sub-agents that are in a turn."""
    _paused: float | None = None
    """`monotonic()` when the present pause began."""

    def heard(self, published: Published, state: ProjectState) -> None:
        """An event listener: wakes whoever waits for the run to change."""
        if isinstance(published.event, runs.RunEvent) and state.run is not None:
            self._clock(state.run.state)
            self._changed.set()

    async def before_turn(self, session: SessionId) -> Halt | None:
        """Waits while paused; a halt when the run is cancelled or its budget is used up."""
        del session
        return await self.passed()

    async def passed(self) -> Halt | None:
        """As `before_turn`, between tasks."""
        halt = await self.unpaused()
        run = self.mailbox.state.run
        if halt is not None or run is None:
            return halt
        used_up = over_budget(run, self.clock.monotonic() - self.started, self._beside)
        return Halt("budget", used_up) if used_up else None

    async def unpaused(self) -> Halt | None:
        """Waits while paused; a halt when the run is cancelled. For what costs none of the budget."""
        while True:
            self._changed.clear()
            run = self.mailbox.state.run
            if run is None or run.state in (RunState.CANCELLING, RunState.FINISHED):
                return Halt("cancelled", "the run was cancelled")
            if run.state is RunState.RUNNING:
                return None
            if run.state is RunState.PAUSED:
                self._clock(run.state)
                await self._changed.wait()
            elif self._beside:
                await self._changed.wait()
            else:
                await self.mailbox.submit(c.SettlePause())

    def _clock(self, state: RunState) -> None:
        """The time of a pause does not count, however many wait for its end."""
        now = self.clock.monotonic()
        if state is RunState.PAUSED:
            self._paused = now if self._paused is None else self._paused
        elif self._paused is not None:
            self.started, self._paused = self.started + now - self._paused, None

    def enter(self) -> None:
        """A sub-agent begins a turn."""
        self._beside += 1

    def leave(self) -> None:
        """The turn of a sub-agent is over: a pause may have waited for that."""
        self._beside -= 1
        self._changed.set()

    def settled_by(self, recorder: Recorder) -> "SettlingGate":
        """The gate of one session, whose facts `recorder` holds back until the next commit."""
        return SettlingGate(self, recorder)

    @property
    def needs_facts(self) -> bool:
        """Whether what the last turn cost decides, or the next commit may be long in coming."""
        run = self.mailbox.state.run
        return run is None or run.state is not RunState.RUNNING or replace(run.budget, minutes=None) != Budget()

    async def pause(self, reason: str) -> None:
        """Pauses the run for a reason of the engine's own."""
        await self.mailbox.submit(c.SettlePause(reason))


@dataclass(frozen=True, slots=True)
class SettlingGate:
    """An `agent.ports.Gate` that commits what is noted where that matters, and saves the sync of the disk elsewhere."""

    gate: RunGate
    recorder: Recorder

    async def before_turn(self, session: SessionId) -> Halt | None:
        """As `RunGate.before_turn`."""
        if self.gate.needs_facts:
            await self.recorder.commit()
        return await self.gate.before_turn(session)


@dataclass(slots=True)
class SideGate:
    """An `agent.ports.Gate` for a session that runs beside others: each sees the turns that the others are in."""

    gate: RunGate
    recorder: Recorder
    _inside: bool = False

    async def before_turn(self, session: SessionId) -> Halt | None:
        """As `SettlingGate.before_turn`; the run is paused only when all who run beside it have arrived."""
        if self.gate.needs_facts:
            await self.recorder.commit()
        self.leave()
        halt = await self.gate.before_turn(session)
        if halt is None:
            self._inside = True
            self.gate.enter()
        return halt

    def leave(self) -> None:
        """To be called when the session is over, however it ended."""
        if self._inside:
            self._inside = False
            self.gate.leave()


PRICED = (RoleName.EXECUTOR, RoleName.REVIEWER, RoleName.SUMMARISER, RoleName.SUBAGENT)
"""Roles that spend in a run."""


def unpriced(budget: Budget, options: EngineOptions) -> Rejected | None:
    """The refusal of a limit in money that could not hold, because a model at work has no known price."""
    models = dict.fromkeys(options.roles[role].model for role in PRICED if role in options.roles)
    unknown = [model for model in models if options.pricing.total(model, Usage(1, 1)).cost_usd is None]
    if budget.usd is None or not unknown:
        return None
    message = (
        f"The price of {unknown[0]} is not known, so a budget of ${budget.usd:.2f} could not hold; "
        f'put it under [prices."{unknown[0]}"] in your settings, or limit `tokens` or `turns` under [budget]'
    )
    return Rejected("unknown-price", message)


def over_budget(run: RunRecord, seconds: float, beside: int = 0) -> str:
    """Which limit of the run is reached; empty when none is. An unknown cost cannot exceed a limit in money.

    `beside`: turns that are under way and will count.
    """
    budget, usage = run.budget, run.usage
    if budget.usd is not None and usage.cost_usd is not None and usage.cost_usd >= budget.usd:
        return f"the budget of ${budget.usd:.2f} is used up (${usage.cost_usd:.2f})"
    if budget.tokens is not None and usage.tokens >= budget.tokens:
        return f"the budget of {budget.tokens} tokens is used up ({usage.tokens})"
    if budget.turns is not None and run.turns + beside >= budget.turns:
        return f"the budget of {budget.turns} turns is used up"
    if budget.minutes is not None and seconds >= budget.minutes * 60:
        return f"the time limit of {budget.minutes:g} minutes is reached"
    return ""
