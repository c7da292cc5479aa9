"""What the engine needs from floors that it may not import. Refuses defaults: `compose` wires each."""

from dataclasses import dataclass
from typing import Literal, Protocol

from specloom.domain.ids import PlanId, SpecId
from specloom.engine.context import EngineContext
from specloom.engine.plan_gate import PlanGate


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """One order to plan."""

    plan: PlanId
    stage: Literal["project", "tasks", "spec"]
    """Everything from a requirements document; the tasks of one spec; one spec that was left unfinished."""
    path: str = ""
    """Of the requirements document, for `project`."""
    spec: SpecId | None = None
    feedback: str = ""


class PlanWorker(Protocol):
    """Carries out plans; implemented over the `planning` floor."""

    async def work(self, request: PlanRequest, engine: EngineContext, gate: PlanGate) -> None:
        """Returns when the plan has finished or failed, which is recorded. A cancellation leaves whole lines."""
        ...
