"""The gate of a plan: the limit of the day, and what git checks out.

Refuses to pause: a plan that was stopped goes on where it stood when it is ordered again.
"""

from dataclasses import dataclass

from specloom.agent.ports import Halt
from specloom.domain.decide_documents import HEAD_CHANGED, changed
from specloom.domain.ids import Digest, EditId, SessionId
from specloom.domain.project import ProjectState
from specloom.engine.accounts import Accounts, unpriced_day
from specloom.engine.budget_question import BudgetQuestion
from specloom.engine.endpoint_wait import EndpointWait
from specloom.engine.head import HeadWatch
from specloom.engine.mailbox import Mailbox
from specloom.llm.errors import ProviderError
from specloom.workspace.ports import EditJournal, EditResult, TextSnapshot, WorkspaceError


class HeadMovedError(WorkspaceError):
    """Git wrote files since the plan was ordered: it has no further effect on them."""


@dataclass(frozen=True, slots=True)
class PlanGate:
    """An `agent.ports.Gate`."""

    mailbox: Mailbox
    accounts: Accounts
    question: BudgetQuestion
    endpoint: EndpointWait
    head: HeadWatch
    heeded: int
    """Of the changes of HEAD, those from before the order."""

    async def before_turn(self, session: SessionId) -> Halt | None:
        """A halt where HEAD changed, or the limit of the day is reached and nobody lets the plan go on."""
        del session
        if reason := await self._moved():
            # As after any other limit, the session stays open for the order that goes on with it.
            return Halt("budget", reason)
        while (reached := self.accounts.today(self._state).reached()) is not None:
            if not await self.question.about_plan(reached):
                return Halt("budget", reached.text)
        refused = unpriced_day(self.accounts.options())
        return None if refused is None else Halt("budget", refused.message)

    async def stranded(self, session: SessionId, error: ProviderError) -> bool:
        """Waits for an endpoint that cannot be reached."""
        del session
        return await self.endpoint.about_plan(error)

    async def hold(self) -> None:
        """Looked at before each effect. Raises `HeadMovedError`."""
        if reason := await self._moved():
            raise HeadMovedError(reason)

    async def _moved(self) -> str:
        await self.head.look()
        newest = self.head.newest
        if newest is None or self.head.changes == self.heeded:
            return ""
        return f"{HEAD_CHANGED} {changed(newest)}; look at what stands there now, then plan again to go on"

    @property
    def _state(self) -> ProjectState:
        return self.mailbox.state


@dataclass(frozen=True, slots=True)
class HeldJournal:
    """A `workspace.ports.EditJournal` of a plan: where HEAD changed, no edit is begun."""

    journal: EditJournal
    gate: PlanGate

    async def requested(self, path: str, before: TextSnapshot | None, after: Digest, label: str) -> EditId:
        """As the journal. Raises `HeadMovedError`."""
        await self.gate.hold()
        return await self.journal.requested(path, before, after, label)

    async def settled(self, edit: EditId, result: EditResult) -> None:
        """As the journal."""
        await self.journal.settled(edit, result)
