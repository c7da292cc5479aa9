"""The gate of a plan. Refuses nothing: a plan is stopped by cancelling its task, and never waits for a pause."""

from specloom.agent.ports import Halt
from specloom.domain.ids import SessionId


class PlanGate:
    """An `agent.ports.Gate` that is open."""

    async def before_turn(self, session: SessionId) -> Halt | None:
        """Always goes on."""
        del session
        return None
