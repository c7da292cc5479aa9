"""Asks a person whether to go on past a limit that is reached. Refuses to answer for him: no limit lifts itself."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from specloom.domain import commands as c
from specloom.domain.budgets import UNLIMITED, BudgetPart, Reached, enough, turns_reached
from specloom.domain.events.runs import BudgetExtended
from specloom.domain.ids import TaskId
from specloom.domain.ports import Calendar
from specloom.domain.runs import PauseCause, RunOutcome, RunState
from specloom.engine.approvals import Answer, ApprovalDesk, Ask
from specloom.engine.context import EngineContext
from specloom.engine.mailbox import Mailbox

STOP = "Stop"


@dataclass(slots=True)
class _Standing:
    """The question that a run waits for."""

    reached: Reached
    answer: asyncio.Task[Answer]
    granted: bool = False
    """A plan that waited for the same answer took the grant."""


@dataclass(slots=True)
class BudgetQuestion:
    """A `gate.BudgetAsker`: at most one question stands, until somebody answers it, and no deadline ends it."""

    mailbox: Mailbox
    desk: ApprovalDesk
    ready: Callable[[], Awaitable[None]]
    """Called after a yes: returns when the run may go on."""
    work: Callable[[], None]
    """Called then: somebody must work on it."""
    calendar: Calendar
    _asking: asyncio.Task[None] | None = field(default=None, init=False)
    _standing: _Standing | None = field(default=None, init=False)

    @property
    def unattended(self) -> bool:
        """Whether nobody is to be asked."""
        return self.desk.unattended

    def ask(self, reached: Reached) -> None:
        """Asks, unless a question stands."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(reached))

    async def withdraw(self) -> None:
        """Takes the question back: the run goes on or ends by another order, or Specloom is closed."""
        asking, self._asking = self._asking, None
        if asking is not None and asking is not asyncio.current_task():
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def replaced(self) -> None:
        """Ends a run that waits for a budget, since another one is ordered: its attempt is gone on with in that one."""
        run = self.mailbox.state.run
        if run is not None and run.state is RunState.PAUSED and run.cause is PauseCause.BUDGET:
            await self.withdraw()
            await self.mailbox.submit(c.FinishRun(RunOutcome.BUDGET, f"{run.reason}; another run was started"))

    async def _ask(self, reached: Reached) -> None:
        began = self.calendar.day_began()
        asked = asyncio.create_task(self.desk.ask(question(reached, "the run is paused")))
        standing = self._standing = _Standing(reached, asked)
        answer = await asked
        if goes_on(answer, reached):
            await self.ready()
            await self.mailbox.submit(self._order(standing, answer, began), answer.by)
            self.work()
        else:
            reason = reached.text if answer.by_person else f"{reached.text}; {answer.reason}"
            await self.mailbox.submit(c.FinishRun(RunOutcome.BUDGET, reason), answer.by)

    def _order(self, standing: _Standing, answer: Answer, began: str) -> c.ExtendBudget | c.ResumeRun:
        reached = standing.reached
        if reached.more == UNLIMITED or standing.granted or self._is_over(reached, began):
            return c.ResumeRun(PauseCause.BUDGET)
        return c.ExtendBudget(reached.part, reached.more, reached.task, answer.rule)

    def _is_over(self, reached: Reached, began: str) -> bool:
        """Whether the day is over that was asked about: what is granted to it is not the next one's."""
        return reached.part is BudgetPart.DAY and self.calendar.day_began() != began

    async def about_plan(self, reached: Reached) -> bool:
        """Whether a plan may go on past the limit of the day. Waits for the answer, also where a run waits for it."""
        if self.unattended:
            return False
        began = self.calendar.day_began()
        shared = await self._shared()
        if shared is None:
            answer = await self.desk.ask(question(reached, "the plan waits"))
        else:
            reached, answer = shared.reached, shared.answer.result()
        if goes_on(answer, reached) and not self._is_over(reached, began):
            if shared is not None:
                shared.granted = True
            extended = BudgetExtended(BudgetPart.DAY, reached.more, rule=answer.rule)
            await self.mailbox.record(extended, by=answer.by)
        return goes_on(answer, reached)

    async def _shared(self) -> _Standing | None:
        """The question of a run about the same limit once it is answered; `None`: there is none, or it is withdrawn."""
        standing = self._standing
        if standing is None or standing.answer.done() or standing.reached.part is not BudgetPart.DAY:
            return None
        await asyncio.wait([standing.answer])
        return None if standing.answer.cancelled() else standing


def question(reached: Reached, waits: str) -> Ask:
    """The one question of a limit."""
    purpose = f"{waits}; `{STOP}` ends it, and what is begun can be gone on with later"
    return Ask("budget", reached.text, purpose, None, reached.task, (reached.offer, STOP), covered=False, lasting=True)


def goes_on(answer: Answer, reached: Reached) -> bool:
    """Only a person's own word raises a limit."""
    return answer.by_person and answer.choice == reached.offer


def waiting_for(engine: EngineContext) -> Reached | None:
    """The limit that a paused run waits for, whoever asked about it before."""
    state = engine.state
    run = state.run
    if run is None or run.state is not RunState.PAUSED or run.cause is not PauseCause.BUDGET:
        return None
    task = state.in_flight
    reached = engine.accounts.reached(state, task)
    if reached is None and task is not None:
        reached = _turns_of(engine, task)
    # Since then another day may have begun, or the limits are others.
    return reached or Reached(BudgetPart.RUN, f"{run.reason}; by now there is room again", UNLIMITED)


def _turns_of(engine: EngineContext, task: TaskId) -> Reached | None:
    record, limits = engine.state.record(task), engine.options.limits
    sessions = engine.state.sessions.values()
    same = (item for item in sessions if item.attempt == record.attempt and item.role == "executor")
    used = sum(item.turns for item in same)
    limit = limits.turns + record.more_turns
    return turns_reached(task, used, enough(limits.continue_turns, limit, used)) if used >= limit else None
