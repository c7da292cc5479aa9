"""Decides before each request and each task whether the run goes on: pause, cancel, budget. Refuses to poll."""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from specloom.agent.ports import Halt, Recorder
from specloom.domain import commands as c
from specloom.domain.budgets import NOTHING, UNLIMITED, Reached, Spent, turns_reached
from specloom.domain.events import runs
from specloom.domain.evolve_spending import Timed
from specloom.domain.ids import RunId, SessionId, TaskId
from specloom.domain.ports import Clock
from specloom.domain.project import ProjectState, RunRecord
from specloom.domain.runs import PauseCause, RunOutcome, RunState
from specloom.engine.accounts import Accounts
from specloom.engine.api import Published
from specloom.engine.head import HeadWatch
from specloom.engine.mailbox import Mailbox
from specloom.llm.errors import ProviderError

HELD_BACK = (
    "HEAD changed since your last turn, and git wrote files of the work tree; the run was paused for it. "
    "Look at what stands there now, then send this call again if it still makes sense"
)


class BudgetAsker(Protocol):
    """Puts a limit that is reached before a person."""

    @property
    def unattended(self) -> bool:
        """Whether nobody is to be asked, so that the run ends."""
        ...

    def ask(self, reached: Reached) -> None:
        """Asks, unless that is being asked already; the answer resumes or finishes the run."""
        ...


class EndpointWaiter(Protocol):
    """Knows what may cure an endpoint that gives no answer."""

    def cause(self, error: ProviderError) -> PauseCause | None:
        """Why the run is to be paused; `None`: nothing cures it, so that it ends."""
        ...

    def begin(self) -> None:
        """The run was paused for that: from now on it is seen to that it goes on."""
        ...


@dataclass(slots=True)
class RunGate:
    """An `agent.ports.Gate` over the state of the active run."""

    mailbox: Mailbox
    clock: Clock
    accounts: Accounts
    asker: BudgetAsker
    task: TaskId | None = None
    """The one at work."""
    endpoints: EndpointWaiter | None = None
    """`None`: a run whose endpoint gives no answer ends."""
    head: HeadWatch | None = None
    """`None`: nobody follows what git does."""
    run: RunId | None = None
    """That it is about; `None`: whichever is active."""
    _heeded: int = 0
    """Of the changes of HEAD, those from before the newest turn."""
    _strandings: int = 0
    """How often the run was paused for the sake of an endpoint."""
    _stranded: int = 0
    """How many wait for the others to arrive, to pause it for that."""
    _pausing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the run is being paused for that."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _beside: list[Spent] = field(default_factory=list[Spent])
    """What the turns of sub-agents that are under way may cost."""
    _heard: float = 0.0
    """`monotonic()` when the time of work was counted last."""

    def __post_init__(self) -> None:
        self._heard = self.clock.monotonic()

    def heard(self, published: Published, state: ProjectState) -> None:
        """An event listener: wakes whoever waits for the run to change."""
        if isinstance(published.event, Timed):
            self._heard = self.clock.monotonic()
        if isinstance(published.event, runs.RunEvent) and state.run is not None:
            self._changed.set()

    async def before_turn(self, session: SessionId) -> Halt | None:
        """Waits while paused; a halt when the run is cancelled, or a limit is reached and nobody lets it go on."""
        del session
        halt = await self.passed()
        self._heeded = 0 if self.head is None else self.head.changes
        return halt

    async def held_back(self) -> str:
        """Why nothing may be changed before the next turn; empty: it may."""
        if self.head is None:
            return ""
        await self.head.look()
        return HELD_BACK if self.head.changes != self._heeded else ""

    async def passed(self) -> Halt | None:
        """As `before_turn`, between tasks.

        Turns of others that are under way count with the most that they may cost: where that leaves no room, they are
        waited for, so that no limit is passed by several who each saw room.
        """
        while True:
            halt = await self.unpaused()
            if halt is not None:
                return halt
            if self._stranded:
                # Whoever went in now would ask while the run is being paused, or hold that up.
                await self._change()
                continue
            state = self.mailbox.state
            task = None if self.task is None else state.renumbered(self.task)
            reached = self.accounts.reached(state, task, self._unfolded, sum(self._beside, NOTHING))
            refused = self.accounts.unpriced(UNLIMITED if state.run is None else state.run.budget)
            if reached is None and refused is None:
                return None
            reason = reached.text if reached is not None else "" if refused is None else refused.message
            if self._beside:
                await self._change()
            elif self.asker.unattended:
                return Halt("budget", reason)
            elif reached is not None:
                await self._ask(reached)
            else:
                await self.pause(reason)

    @property
    def _unfolded(self) -> float:
        """Seconds of work that are in no event yet."""
        run = self.mailbox.state.run
        return self.clock.monotonic() - self._heard if run is not None and run.works else 0.0

    async def _ask(self, reached: Reached) -> None:
        """Pauses the run and asks; who waits for the end of the pause hears the answer."""
        await self.mailbox.submit(c.SettlePause(reached.text, PauseCause.BUDGET))
        run = self.mailbox.state.run
        if run is not None and run.state is RunState.PAUSED and run.cause is PauseCause.BUDGET:
            self.asker.ask(reached)

    async def stranded(self, session: SessionId, error: ProviderError) -> bool:
        """Pauses the run until its endpoint answers again, or a person says so; false: it would be of no use.

        Of several who are stranded beside each other the last one pauses, for all of them.
        """
        del session
        cause = None if self.endpoints is None else self.endpoints.cause(error)
        if cause is None or self.endpoints is None:
            return False
        self._stranded += 1
        try:
            await self._pause_together(error, cause, self.endpoints)
        finally:
            self._stranded -= 1
            self._changed.set()
        await self.unpaused()
        return True

    async def _pause_together(self, error: ProviderError, cause: PauseCause, endpoints: EndpointWaiter) -> None:
        known = self._strandings
        while self._beside:
            await self._change()
        # Who comes second finds the run paused, and not about to be.
        async with self._pausing:
            if known == self._strandings:
                self._strandings += 1
                await self._pause_for(error, cause, endpoints)

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _pause_for(self, error: ProviderError, cause: PauseCause, endpoints: EndpointWaiter) -> None:
        run = self.mailbox.state.run
        if run is None:
            return
        # Where a person wanted a pause at the next turn anyway, it is over when he says so.
        goes_on = run.state is RunState.RUNNING or self._goes_to_its_end(run)
        kept = cause if goes_on else PauseCause.OTHER
        await self.mailbox.submit(c.SettlePause(told(error, kept), kept))
        endpoints.begin()

    async def unpaused(self) -> Halt | None:
        """Waits while paused; a halt when the run is over. For what costs none of the budget."""
        while True:
            if self.head is not None:
                await self.head.look()
            self._changed.clear()
            run = self.mailbox.state.run
            if run is not None and self.run not in (None, run.id):
                return Halt("budget", "another run was started")
            if run is not None and run.outcome in (RunOutcome.BUDGET, RunOutcome.FAULT):
                return Halt("budget" if run.outcome is RunOutcome.BUDGET else "fault", run.reason)
            if run is None or run.state in (RunState.CANCELLING, RunState.FINISHED):
                return Halt("cancelled", "the run was cancelled")
            if run.state is RunState.RUNNING or self._goes_to_its_end(run):
                return None
            if run.state is RunState.PAUSED or self._beside:
                await self._changed.wait()
            else:
                await self.mailbox.submit(c.SettlePause())

    def _goes_to_its_end(self, run: RunRecord) -> bool:
        """The task in flight, where the pause is to come after it."""
        return self.task is not None and run.state is RunState.PAUSING and run.pause_after == "task"

    async def more_turns(self, task: TaskId, used: int, more: int, *, progressed: bool) -> int | Halt:
        """How many turns the attempt at `task` gets on top, once it has `used` up its own; 0: none."""
        before = self._more_turns(task)
        reached = turns_reached(task, used, more)
        if self.asker.unattended:
            if not progressed:
                return 0
            await self.mailbox.submit(c.ExtendBudget(reached.part, reached.more, task, "progress"))
            return self._more_turns(task) - before
        while True:
            halt = await self.unpaused()
            if halt is not None:
                return halt
            if given := self._more_turns(task) - before:
                return given
            await self._ask(reached)

    def _more_turns(self, task: TaskId) -> int:
        state = self.mailbox.state
        return state.record(state.renumbered(task)).more_turns

    def enter(self, reserved: Spent) -> None:
        """A sub-agent begins a turn, which may cost so much."""
        self._beside.append(reserved)

    def leave(self, reserved: Spent) -> None:
        """The turn of a sub-agent is over: a pause, or a turn that had no room, may have waited for that."""
        self._beside.remove(reserved)
        self._changed.set()

    def settled_by(self, recorder: Recorder) -> "SettlingGate":
        """The gate of one session, whose facts `recorder` holds back until the next commit."""
        return SettlingGate(self, recorder)

    @property
    def needs_facts(self) -> bool:
        """Whether what the last turn cost decides, or the next commit may be long in coming."""
        state = self.mailbox.state
        return state.run is None or state.run.state is not RunState.RUNNING or self.accounts.limited(state)

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

    async def stranded(self, session: SessionId, error: ProviderError) -> bool:
        """As `RunGate.stranded`."""
        await self.recorder.commit()
        return await self.gate.stranded(session, error)


def told(error: ProviderError, cause: PauseCause) -> str:
    """Why a run is paused."""
    if cause is PauseCause.OFFLINE:
        return f"offline: {error.what}; the run goes on by itself once it answers"
    return f"key needed: {error}" if cause is PauseCause.KEY else str(error)


class Reserve(Protocol):
    """What the next turn of a session may cost at the most."""

    def __call__(self) -> Spent:
        """By its conversation as it stands."""
        ...


@dataclass(slots=True)
class SideGate:
    """An `agent.ports.Gate` for a session that runs beside others: each sees the turns that the others are in."""

    gate: RunGate
    recorder: Recorder
    reserve: Reserve
    _inside: Spent | None = None

    async def before_turn(self, session: SessionId) -> Halt | None:
        """As `SettlingGate.before_turn`; the run is paused only when all who run beside it have arrived."""
        del session
        if self.gate.needs_facts:
            await self.recorder.commit()
        self.leave()
        reserved = self.reserve()
        halt = await self.gate.passed()
        if halt is None:
            self._inside = reserved
            self.gate.enter(reserved)
        return halt

    async def stranded(self, session: SessionId, error: ProviderError) -> bool:
        """As `RunGate.stranded`; its own turn is over."""
        await self.recorder.commit()
        self.leave()
        return await self.gate.stranded(session, error)

    def leave(self) -> None:
        """To be called when the session is over, however it ended."""
        if self._inside is not None:
            inside, self._inside = self._inside, None
            self.gate.leave(inside)
