"""The wait between two tries of a turn: ends early when a person wants something, or no time is left for it.

Refuses to decide what follows: the gate is asked after each wait.
"""

import asyncio
from dataclasses import dataclass

from specloom.agent.ports import Sleeper
from specloom.domain.events import agents, documents, runs
from specloom.domain.project import ProjectState
from specloom.engine.accounts import Accounts
from specloom.engine.api import Published
from specloom.engine.ledger import Ledger

WAKING = (runs.RunPausing, runs.RunCancelling, agents.PromptQueued, documents.SettingsChanged)
"""A wish to pause, words for the agent, perhaps another key: none of them waits for an endpoint."""


@dataclass(frozen=True, slots=True)
class RetryWait:
    """An `agent.ports.Sleeper` for the sessions of a project."""

    ledger: Ledger
    accounts: Accounts
    sleeper: Sleeper

    async def sleep(self, seconds: float) -> None:
        """Returns after `seconds`, after the time that the budgets leave, or when it is woken."""
        woken = asyncio.Event()

        def heard(published: Published, state: ProjectState) -> None:
            del state
            if isinstance(published.event, WAKING):
                woken.set()

        left = self.accounts.seconds_left(self.ledger.state)
        with self.ledger.listen(heard):
            sleeping = asyncio.ensure_future(self.sleeper.sleep(seconds if left is None else min(seconds, left)))
            waking = asyncio.create_task(woken.wait())
            try:
                await asyncio.wait((sleeping, waking), return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeping.cancel()
                waking.cancel()
                await asyncio.gather(sleeping, waking, return_exceptions=True)
