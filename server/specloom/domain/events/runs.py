"""What happened to a run: a user's order to work through a scope within a budget. Refuses anything about one task."""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from specloom.domain.budgets import BudgetPart
from specloom.domain.ids import RunId, TaskId
from specloom.domain.runs import Budget, PauseCause, RunOutcome, Scope


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run began; there is at most one active run a project."""

    V: ClassVar[int] = 1
    run: RunId
    scope: Scope
    budget: Budget
    unattended: bool
    """`--yes`: every ask is answered with allow-once."""


@dataclass(frozen=True, slots=True)
class RunPausing:
    """No new turn (or task, by `after`) starts; the one in flight ends first."""

    V: ClassVar[int] = 1
    run: RunId
    reason: str
    after: Literal["turn", "task"] = "turn"


@dataclass(frozen=True, slots=True)
class RunPaused:
    """Nothing is in flight; `reason` says what it waits for."""

    V: ClassVar[int] = 1
    run: RunId
    reason: str
    cause: PauseCause = PauseCause.OTHER


@dataclass(frozen=True, slots=True)
class RunResumed:
    """Goes on where it was."""

    V: ClassVar[int] = 1
    run: RunId


@dataclass(frozen=True, slots=True)
class RunCancelling:
    """What is in flight is being stopped."""

    V: ClassVar[int] = 1
    run: RunId


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over."""

    V: ClassVar[int] = 1
    run: RunId
    outcome: RunOutcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BudgetExtended:
    """A limit that was reached was raised: by a person, or in an unattended run the turns of an attempt."""

    V: ClassVar[int] = 1
    part: BudgetPart
    more: Budget
    """By how much; what is not set stays as it is."""
    run: RunId | None = None
    """`None`: for a plan."""
    task: TaskId | None = None
    rule: str = ""
    """Who said so: `user`, or the rule."""


RunEvent: TypeAlias = RunStarted | RunPausing | RunPaused | RunResumed | RunCancelling | RunFinished | BudgetExtended
TYPES = (RunStarted, RunPausing, RunPaused, RunResumed, RunCancelling, RunFinished, BudgetExtended)
