"""Folds what documents say where no log is open, or onto what one says. Refuses to keep it."""

from collections.abc import Sequence

from specloom.domain.commands import DocumentCommand, MarkStale
from specloom.domain.decide import decide
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.origin import Origin
from specloom.domain.ports import Clock
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.engine.api import Accepted


class DraftMailbox:
    """An `engine.library.DocumentMailbox` that keeps nothing: what the documents alone amount to."""

    def __init__(self, clock: Clock, state: ProjectState = EMPTY) -> None:
        self._clock = clock
        self._draft = state

    @property
    def state(self) -> ProjectState:
        """The newest projection."""
        return self._draft

    async def submit_all(self, commands: Sequence[DocumentCommand], by: Origin, at: str) -> None:
        """As `submit`, one after the other."""
        del at
        for command in commands:
            await self.submit(command, by)

    async def submit(self, command: DocumentCommand | MarkStale, by: Origin) -> Accepted | Rejected:
        """Decides an order and folds what follows; `by` is for a log."""
        del by
        decided = decide(self._draft, command)
        if isinstance(decided, Rejected):
            return decided
        for event in decided:
            self._draft = evolve(self._draft, event, self._clock.now(), self._draft.seq + 1)
        return Accepted(self._draft.seq)
