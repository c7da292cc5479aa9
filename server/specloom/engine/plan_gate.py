"""The gate of a plan: the limit of the day. Refuses to pause: a plan is stopped by cancelling its task."""

from dataclasses import dataclass

from specloom.agent.ports import Halt
from specloom.domain.ids import SessionId
from specloom.domain.project import ProjectState
from specloom.engine.accounts import Accounts, unpriced_day
from specloom.engine.budget_question import BudgetQuestion
from specloom.engine.endpoint_wait import EndpointWait
from specloom.engine.mailbox import Mailbox
from specloom.llm.errors import ProviderError


@dataclass(frozen=True, slots=True)
class PlanGate:
    """An `agent.ports.Gate`."""

    mailbox: Mailbox
    accounts: Accounts
    question: BudgetQuestion
    endpoint: EndpointWait

    async def before_turn(self, session: SessionId) -> Halt | None:
        """A halt where the limit of the day is reached and nobody lets the plan go on."""
        del session
        while (reached := self.accounts.today(self._state).reached()) is not None:
            if not await self.question.about_plan(reached):
                return Halt("budget", reached.text)
        refused = unpriced_day(self.accounts.options())
        return None if refused is None else Halt("budget", refused.message)

    async def stranded(self, session: SessionId, error: ProviderError) -> bool:
        """Waits for an endpoint that cannot be reached."""
        del session
        return await self.endpoint.about_plan(error)

    @property
    def _state(self) -> ProjectState:
        return self.mailbox.state
