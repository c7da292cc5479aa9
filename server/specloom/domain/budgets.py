"""What runs, tasks and days may use, what they have used, and which limit is reached. Refuses to price, and to ask."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from specloom.domain.ids import TaskId
from specloom.domain.runs import Budget
from specloom.domain.usage import UsageTotal


class BudgetPart(StrEnum):
    """What a limit is about."""

    RUN = "run"
    TASK = "task"
    DAY = "day"
    ATTEMPT = "attempt"
    """The turns of one attempt."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used; sums of it never lose what is known to what is not."""

    usd: float = 0.0
    """Of the tokens whose price is known."""
    unpriced: int = 0
    """Tokens whose price is not known."""
    tokens: int = 0
    turns: int = 0
    seconds: float = 0.0
    """Of work: without pauses, and without the time that nothing ran."""

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.usd + other.usd,
            self.unpriced + other.unpriced,
            self.tokens + other.tokens,
            self.turns + other.turns,
            self.seconds + other.seconds,
        )

    @classmethod
    def of(cls, usage: UsageTotal, turns: int = 0) -> "Spent":
        """What one answer cost."""
        unpriced = usage.tokens if usage.cost_usd is None else 0
        return cls(usage.cost_usd or 0.0, unpriced, usage.tokens, turns)


NOTHING = Spent()
UNLIMITED = Budget()


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that is reached."""

    part: BudgetPart
    text: str
    """Which, and what was used."""
    more: Budget
    """The same again: what a person may grant to go on."""
    task: TaskId | None = None

    @property
    def offer(self) -> str:
        """The answer by which a person goes on."""
        return "Continue" if self.more == UNLIMITED else f"Continue with {amount(self.more)} more"


def amount(budget: Budget) -> str:
    """`$1.00`, `30 turns`: the limits that are set."""
    return ", ".join(_said(item.name, value) for item in fields(Budget) if (value := getattr(budget, item.name)))


def _said(kind: str, value: float) -> str:
    match kind:
        case "usd":
            return f"${value:.2f}"
        case "minutes":
            return f"{value:g} minutes"
        case _:
            return f"{value:,.0f} {kind}"


def added(budget: Budget, more: Budget) -> Budget:
    """Limits raised by what was granted; what has no limit gets none."""
    pairs = {item.name: (getattr(budget, item.name), getattr(more, item.name)) for item in fields(Budget)}
    return Budget(**{name: None if limit is None else limit + (given or 0) for name, (limit, given) in pairs.items()})


def granted(one: Budget, other: Budget) -> Budget:
    """Two grants as one."""
    pairs = ((getattr(one, item.name), getattr(other, item.name)) for item in fields(Budget))
    return Budget(*(None if a is None and b is None else (a or 0) + (b or 0) for a, b in pairs))


def stated(order: Budget, otherwise: Budget) -> Budget:
    """The limits that an order names, and those of the settings where it names none."""
    pairs = ((getattr(order, item.name), getattr(otherwise, item.name)) for item in fields(Budget))
    return Budget(*(b if a is None else a for a, b in pairs))


def enough(step: Any, limit: float, used: float) -> Any:
    """`step` as often as it takes to get past what was used: a limit may be lowered below that."""
    times = (used - limit) // step + 1
    if limit + step * times <= used:  # of fractions of a dollar the division may come out a little low
        times += 1
    return step * times


OF = {BudgetPart.RUN: "", BudgetPart.TASK: " for task {task}", BudgetPart.DAY: " for today"}


@dataclass(frozen=True, slots=True)
class Account:
    """One part's limits, what was granted on top of them, and what was used."""

    part: BudgetPart
    limits: Budget
    more: Budget
    spent: Spent
    task: TaskId | None = None

    def reached(self, reserved: Spent = NOTHING) -> Reached | None:
        """The first limit that is reached, or would be if all that is `reserved` came to be used."""
        whole, used = added(self.limits, self.more), self.spent + reserved
        known = ((whole.usd, used.usd), (whole.tokens, used.tokens), (whole.turns, used.turns))
        for (limit, value), name in zip((*known, (whole.minutes, used.seconds / 60)), NAMES, strict=True):
            if limit is not None and value >= limit:
                return Reached(self.part, self._told(name, limit), self._again(name, limit, value), self.task)
        return None

    def _again(self, name: str, limit: float, used: float) -> Budget:
        """The same again; of nothing that would be nothing again: there it is one (dollar, token, turn, minute)."""
        return Budget(**{name: enough(getattr(self.limits, name) or 1, limit, used)})

    def _told(self, name: str, limit: float) -> str:
        about = OF.get(self.part, "").format(task=self.task)
        spent = self.spent
        match name:
            case "usd":
                least = "at least " if spent.unpriced else ""
                return f"the budget of ${limit:.2f}{about} is used up ({least}${spent.usd:.2f})"
            case "tokens":
                return f"the budget of {limit:.0f} tokens{about} is used up ({spent.tokens})"
            case "turns":
                return f"the budget of {limit:.0f} turns{about} is used up"
            case _:
                return f"the time limit of {limit:g} minutes{about} is reached"


NAMES = ("usd", "tokens", "turns", "minutes")


def turns_reached(task: TaskId, used: int, more: int) -> Reached:
    """The limit of an attempt's turns."""
    text = f"the {used} turns of the attempt at task {task} are used up"
    return Reached(BudgetPart.ATTEMPT, text, Budget(turns=more), task)


@dataclass(frozen=True, slots=True)
class Quarter:
    """What was used in a quarter of an hour: the grain in which the days of all time zones can be told."""

    at: str
    """Its beginning, as `2026-11-21T08:15`, in UTC."""
    spent: Spent = NOTHING
    more: Budget = UNLIMITED
    """What was granted on top of the limits of the day."""


KEPT = 200
"""Quarters that are kept: two days and a little."""


def quarter_of(at: str) -> str:
    """The quarter of an hour that a time (ISO-8601, UTC) lies in."""
    minute = int(at[14:16]) if at[14:16].isdecimal() else 0
    return f"{at[:14]}{minute // 15 * 15:02}"


def charged(quarters: tuple[Quarter, ...], at: str, spent: Spent, more: Budget | None = None) -> tuple[Quarter, ...]:
    """The quarters with what came to be used, or was granted, at a time. In order, whatever the clock does."""
    key = quarter_of(at)
    known = next((item for item in reversed(quarters) if item.at == key), Quarter(key))
    fresh = Quarter(key, known.spent + spent, known.more if more is None else granted(known.more, more))
    if not quarters or quarters[-1].at <= key:
        others = quarters[:-1] if quarters and quarters[-1].at == key else quarters
        return (*others[-KEPT:], fresh)
    # A clock that was set back; nobody knows whether it is right now or was before.
    before = [item for item in quarters if item.at < key]
    return (*before[-KEPT:], fresh, *[item for item in quarters if item.at > key][-KEPT:])


LONGEST_DAY = timedelta(hours=25)
"""What a clock that ran ahead wrote behind it is no part of the day, however long it is later than its beginning."""


def in_day(quarters: tuple[Quarter, ...], began: str) -> Quarter:
    """All that was used in a day, as one; `began` is when it began here, in UTC."""
    key, end = quarter_of(began), quarter_of((datetime.fromisoformat(began) + LONGEST_DAY).isoformat())
    total = Quarter(key)
    for item in quarters:
        if key <= item.at < end:
            total = Quarter(key, total.spent + item.spent, granted(total.more, item.more))
    return total


LONGEST = 3_600.0
"""Seconds that may lie between two facts of a run at work; more than that is a machine that slept, or a clock set."""


def seconds_between(before: str, after: str) -> float:
    """Seconds from one time to a later one; 0 where a clock went back, or one of them is no time."""
    try:
        passed = (datetime.fromisoformat(after) - datetime.fromisoformat(before)).total_seconds()
    except ValueError:
        return 0.0
    return min(max(passed, 0.0), LONGEST)
