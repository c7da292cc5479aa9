"""What a person's yes raises: the limit that he was asked about, as long as it is that of today."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest

from specloom.domain import commands as c
from specloom.domain.budgets import BudgetPart, Reached
from specloom.domain.events import runs
from specloom.domain.events.agents import PERSON
from specloom.domain.origin import Origin
from specloom.domain.runs import Budget, PauseCause, RunOutcome
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

    given: list[object] = field(default_factory=list[object])

    async def submit(self, command: c.Command, by: Origin) -> None:
        del by
        self.given.append(command)

    async def record(self, event: runs.BudgetExtended, by: Origin) -> None:
        del by
        self.given.append(event)


async def _ready() -> None:
    """No plan goes on."""


@dataclass
class Slow:
    """A person who is asked, and answers later."""

    unattended: bool = False
    asked: list[Ask] = field(default_factory=list[Ask])
    put: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    choice: int = 0

    async def ask(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        self.put.set()
        await self.answer.wait()
        return Answer(ask.choices[self.choice], PERSON)


REACHED = Reached(BudgetPart.DAY, "a limit", MORE)


@pytest.mark.parametrize("choice", [0, 1])
async def test_a_plan_and_a_run_that_wait_for_the_same_day_ask_once(choice: int) -> None:
    desk, orders = Slow(choice=choice), Orders()
    plan: asyncio.Task[bool] | None = None

    async def planned() -> None:
        assert plan is not None
        await asyncio.wait([plan])

    days = Days(["2026-11-21"])
    question = BudgetQuestion(cast("Mailbox", orders), cast("ApprovalDesk", desk), planned, lambda: None, days)
    question.ask(REACHED)
    await desk.put.wait()
    plan = asyncio.create_task(question.about_plan(REACHED))
    await asyncio.sleep(0)
    desk.answer.set()
    assert await plan is (choice == 0)
    assert question._asking is not None  # pyright: ignore[reportPrivateUsage] - nothing else says when it is over
    await question._asking  # pyright: ignore[reportPrivateUsage]
    assert len(desk.asked) == 1
    extended = runs.BudgetExtended(BudgetPart.DAY, MORE, rule=PERSON)
    ends = c.FinishRun(RunOutcome.BUDGET, "a limit")
    assert orders.given == ([extended, c.ResumeRun(PauseCause.BUDGET)] if choice == 0 else [ends])


async def test_a_plan_asks_itself_once_the_question_of_the_run_is_withdrawn() -> None:
    desk, orders = Slow(), Orders()
    days = Days(["2026-11-21"])
    question = BudgetQuestion(cast("Mailbox", orders), cast("ApprovalDesk", desk), _ready, lambda: None, days)
    question.ask(REACHED)
    await desk.put.wait()
    plan = asyncio.create_task(question.about_plan(REACHED))
    await asyncio.sleep(0)
    await question.withdraw()
    desk.answer.set()
    assert await plan
    assert len(desk.asked) == 2


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
