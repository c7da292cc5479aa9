"""How requirements became specs and tasks. Refuses what the specs say: that is `SpecRead`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, TypeAlias

from specloom.domain.ids import PlanId, RequirementId, SpecId
from specloom.domain.problem import Problem


class PlanStage(StrEnum):
    """What a plan produces."""

    SPECS = "specs"
    TASKS = "tasks"


@dataclass(frozen=True, slots=True)
class PlanStarted:
    """A planner took a requirements document (or one spec, for its tasks)."""

    V: ClassVar[int] = 1
    plan: PlanId
    path: str
    stage: PlanStage
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class OutlineAccepted:
    """The list of specs passed its checks; `out_of_scope` pairs requirement ids with the reason given."""

    V: ClassVar[int] = 1
    plan: PlanId
    outline: str
    """JSON of the accepted outline."""
    out_of_scope: tuple[tuple[RequirementId, str], ...] = ()
    steps: int = 0
    """How many texts are still to be written: bodies of specs and task lists, each a `SpecWritten`."""


@dataclass(frozen=True, slots=True)
class SpecGenerating:
    """Text of this spec streams into `path`, which carries `status: generating` until `SpecWritten`."""

    V: ClassVar[int] = 1
    plan: PlanId
    spec: SpecId
    path: str
    stage: PlanStage


@dataclass(frozen=True, slots=True)
class SpecWritten:
    """The text stands complete in `path`, or is offered because the user edited the file meanwhile (`offered`)."""

    V: ClassVar[int] = 1
    plan: PlanId
    spec: SpecId
    path: str
    stage: PlanStage
    text: str
    offered: bool = False


@dataclass(frozen=True, slots=True)
class PlanRefused:
    """What came back has faults; they go to the model again (`repair` counts from 1), and at last to the user."""

    V: ClassVar[int] = 1
    plan: PlanId
    repair: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class PlanFinished:
    """The plan is whole."""

    V: ClassVar[int] = 1
    plan: PlanId
    specs: tuple[SpecId, ...]


@dataclass(frozen=True, slots=True)
class PlanFailed:
    """The plan ended without result; what was written before stays."""

    V: ClassVar[int] = 1
    plan: PlanId
    reason: str
    problems: tuple[Problem, ...] = ()


PlanningEvent: TypeAlias = (
    PlanStarted | OutlineAccepted | SpecGenerating | SpecWritten | PlanRefused | PlanFinished | PlanFailed
)
TYPES = (PlanStarted, OutlineAccepted, SpecGenerating, SpecWritten, PlanRefused, PlanFinished, PlanFailed)
