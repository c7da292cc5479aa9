"""Carries out plans: the engine's port over the `planning` floor."""

from specloom.agent.ports import Gate
from specloom.domain.ids import SpecId
from specloom.engine.context import EngineContext
from specloom.engine.ports import PlanRequest


class PlanningWorker:
    """An `engine.ports.PlanWorker`."""

    async def work(self, request: PlanRequest, engine: EngineContext, gate: Gate) -> None:
        """Returns when the plan has finished or failed, which is recorded."""
        raise NotImplementedError(f"{request} {engine} {gate}")

    async def discard(self, spec: SpecId, engine: EngineContext) -> str:
        """Removes an unfinished spec."""
        raise NotImplementedError(f"{spec} {engine}")
