"""What happened to a run: a user's order to work through a scope within a budget. Refuses anything about one task."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from specloom.domain.ids import RunId
from specloom.domain.runs import Budget, RunOutcome, Scope


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
    """No new turn starts; the one in flight ends first."""

    V: ClassVar[int] = 1
    run: RunId
    reason: str


@dataclass(frozen=True, slots=True)
class RunPaused:
    """Nothing is in flight; `reason` says what it waits for."""

    V: ClassVar[int] = 1
    run: RunId
    reason: str


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


RunEvent: TypeAlias = RunStarted | RunPausing | RunPaused | RunResumed | RunCancelling | RunFinished
TYPES = (RunStarted, RunPausing, RunPaused, RunResumed, RunCancelling, RunFinished)
