"""Which limits hold now, and what counts against them: of the run, the task at work and today. Refuses to ask."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from specloom.agent.roles import RoleName
from specloom.agent.session import Conversation, SessionSetup
from specloom.agent.window import size_of
from specloom.domain.budgets import NOTHING, UNLIMITED, Account, BudgetPart, Reached, Spent, added, in_day
from specloom.domain.ids import TaskId
from specloom.domain.ports import Calendar
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget
from specloom.engine.options import EngineOptions
from specloom.llm.messages import Usage


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of a project, by the settings as they are now."""

    options: Callable[[], EngineOptions]
    calendar: Calendar

    def of(self, state: ProjectState, task: TaskId | None, unfolded: float = 0.0) -> Iterator[Account]:
        """Every account that a turn at `task` counts in. `unfolded`: seconds of work that are in no event yet."""
        run, now = state.run, Spent(seconds=unfolded)
        if run is not None and run.active:
            yield Account(BudgetPart.RUN, run.budget, run.more, run.spent + now)
        limits = self.options().task_budget
        if task is not None and limits != UNLIMITED:
            yield self._of_task(state, task, limits, now)
        limits = self.options().day_budget
        if limits != UNLIMITED:
            yield self.today(state, now)

    def _of_task(self, state: ProjectState, task: TaskId, limits: Budget, now: Spent) -> Account:
        record = state.record(task)
        since_then = Spent(seconds=state.worked_s - record.clocked_s) if record.attempt is not None else NOTHING
        return Account(BudgetPart.TASK, limits, record.more, record.spent + since_then + now, task)

    def today(self, state: ProjectState, now: Spent = NOTHING) -> Account:
        """What this project used since midnight here, over all its runs and plans."""
        known = in_day(state.quarters, self.calendar.day_began())
        return Account(BudgetPart.DAY, self.options().day_budget, known.more, known.spent + now)

    def reached(
        self, state: ProjectState, task: TaskId | None, unfolded: float = 0.0, reserved: Spent = NOTHING
    ) -> Reached | None:
        """The first limit that is reached, or would be if all that is `reserved` came to be used."""
        found = (account.reached(reserved) for account in self.of(state, task, unfolded))
        return next((item for item in found if item is not None), None)

    def seconds_left(self, state: ProjectState) -> float | None:
        """Until the first limit in time of what is at work; `None`: there is none."""
        known = ((added(account.limits, account.more), account.spent) for account in self.of(state, state.in_flight))
        left = (limits.minutes * 60 - spent.seconds for limits, spent in known if limits.minutes is not None)
        return max(0.0, least) if (least := min(left, default=None)) is not None else None

    def limited(self, state: ProjectState) -> bool:
        """Whether what the last turn cost decides."""
        options, run = self.options(), state.run
        of_run = UNLIMITED if run is None else run.budget
        return any(
            (limits.usd, limits.tokens, limits.turns) != (None, None, None)
            for limits in (of_run, options.task_budget, options.day_budget)
        )

    def unpriced(self, run: Budget) -> Rejected | None:
        """The refusal of a limit in money that could not hold, because a model at work has no known price."""
        options = self.options()
        limits = (run.usd, options.task_budget.usd, options.day_budget.usd)
        usd = next((limit for limit in limits if limit is not None), None)
        return None if usd is None else unpriced(usd, options, PRICED)


PRICED = (RoleName.EXECUTOR, RoleName.REVIEWER, RoleName.SUMMARISER, RoleName.SUBAGENT)
"""Roles that spend in a run."""


def unpriced_day(options: EngineOptions) -> Rejected | None:
    """The refusal of a day's limit in money that a plan could not hold."""
    usd = options.day_budget.usd
    return None if usd is None else unpriced(usd, options, (RoleName.PLANNER,))


def unpriced(usd: float, options: EngineOptions, roles: tuple[RoleName, ...]) -> Rejected | None:
    """The refusal of a limit of `usd`, if a model of these roles has no known price."""
    models = dict.fromkeys(options.roles[role].model for role in roles if role in options.roles)
    unknown = [model for model in models if options.pricing.total(model, Usage(1, 1)).cost_usd is None]
    if not unknown:
        return None
    message = (
        f"The price of {unknown[0]} is not known, so a budget of ${usd:.2f} could not hold; "
        f'put it under [prices."{unknown[0]}"] in your settings, or limit `tokens` or `turns` under [budget]'
    )
    return Rejected("unknown-price", message)


def at_most(setup: SessionSetup, conversation: Conversation, options: EngineOptions) -> Spent:
    """The most that the next answer in a session may cost, by an estimate of what no endpoint has counted."""
    prompt = size_of(setup, conversation)
    total = options.pricing.total(setup.model, Usage(0, setup.max_tokens, cache_write=prompt))
    return Spent(total.cost_usd or 0.0, 0, prompt + setup.max_tokens, 1)
