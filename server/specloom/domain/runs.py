"""Values of a run: scope, budget, state. Refuses to know how a run is carried out."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from specloom.domain.ids import SpecId, TaskId, spec_of


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run works through. `id` is empty for the project, else a spec id or a task id."""

    kind: Literal["project", "spec", "task"] = "project"
    id: str = ""

    def contains(self, task: TaskId) -> bool:
        """Whether the task is in scope by itself; a parent's children are told apart by the graph."""
        if self.kind == "project":
            return True
        if self.kind == "spec":
            return spec_of(task) == SpecId(self.id)
        return task == self.id


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of a run; `None` is no limit."""

    usd: float | None = None
    tokens: int | None = None
    turns: int | None = None
    minutes: float | None = None


class RunState(StrEnum):
    """The states of a run on the wire."""

    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    FINISHED = "finished"


class PauseCause(StrEnum):
    """Why nothing is in flight."""

    OTHER = "other"
    """As the reason says: a person, a file that waits to be saved, a lack of something."""
    BUDGET = "budget"
    """A limit is reached, and a person is asked whether to go on."""
    INTERRUPTED = "interrupted"
    """Specloom was stopped."""
    OFFLINE = "offline"
    """The endpoint cannot be reached; the run goes on by itself once it can."""
    PROVIDER = "provider"
    """The endpoint answers, but not with an answer (key, billing, overload), and a person is asked what to do."""
    KEY = "key"
    """The endpoint needs a key and there is none; the run goes on by itself once there is one, or a person says so."""


BY_PERSON = "paused by the user"
"""The reason of a pause for which a person gave none."""


def why_paused(reason: str) -> str:
    """What the reason of a pause says beyond that there is one; empty: nothing."""
    return "" if reason == BY_PERSON else reason


class RunOutcome(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    """Every task in scope is done or skipped."""
    INCOMPLETE = "incomplete"
    """Nothing more can be done: some tasks failed or are blocked."""
    CANCELLED = "cancelled"
    FAULT = "fault"
    """Something outside the tasks failed: endpoint, disk, configuration."""
    BUDGET = "budget"
