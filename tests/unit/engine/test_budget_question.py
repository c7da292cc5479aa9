"""What a person's yes raises: the limit that he was asked about, as long as it is that of today."""

from dataclasses import dataclass, field
from typing import cast

import pytest

from specloom.domain import commands as c
from specloom.domain.budgets import BudgetPart, Reached
from specloom.domain.events.agents import PERSON
from specloom.domain.origin import Origin
from specloom.domain.runs import Budget, PauseCause
from specloom.engine.approvals import Answer, ApprovalDesk, Ask
from specloom.engine.budget_question import BudgetQuestion
from specloom.engine.mailbox import Mailbox

MORE = Budget(turns=2)


@dataclass
class Days:
    """A calendar that a night passes in while somebody is asked."""

    days: list[str]

    def day_began(self) -> str:
        return self.days[0]


@dataclass
class Night:
    """A person who sleeps on it, and says yes then."""

    calendar: Days
    unattended: bool = False

    async def ask(self, ask: Ask) -> Answer:
        self.calendar.days.pop(0)
        return Answer(ask.choices[0], PERSON)


@dataclass
class Orders:
    """A mailbox that keeps what it was told."""

    given: list[c.Command] = field(default_factory=list[c.Command])

    async def submit(self, command: c.Command, by: Origin) -> None:
        del by
        self.given.append(command)


async def _ready() -> None:
    """No plan goes on."""


@pytest.mark.parametrize("part", [BudgetPart.DAY, BudgetPart.RUN])
async def test_yes_after_midnight_lets_the_run_go_on_and_gives_the_new_day_nothing(part: BudgetPart) -> None:
    calendar, orders, worked = Days(["2026-11-20", "2026-11-21"]), Orders(), list[bool]()
    desk = cast("ApprovalDesk", Night(calendar))
    question = BudgetQuestion(cast("Mailbox", orders), desk, _ready, lambda: worked.append(True), calendar)
    question.ask(Reached(part, "a limit", MORE))
    assert question._asking is not None  # pyright: ignore[reportPrivateUsage] - nothing else says when it is over
    await question._asking  # pyright: ignore[reportPrivateUsage]
    raised = c.ExtendBudget(part, MORE, None, PERSON)
    assert orders.given == [c.ResumeRun(PauseCause.BUDGET) if part is BudgetPart.DAY else raised]
    assert worked == [True]
