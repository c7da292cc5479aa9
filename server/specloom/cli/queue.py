"""Puts the questions of a daemon's queue to one person. Refuses to hold on to one that somebody else has answered."""

import asyncio
from typing import Protocol

from specloom.cli.failures import CommandError
from specloom.domain.ids import ApprovalId
from specloom.domain.origin import Origin
from specloom.domain.project import ApprovalRecord, ProjectState
from specloom.domain.rejection import Rejected
from specloom.engine.api import Accepted, Client, Question

ELSEWHERE = "that question is settled: somebody else has answered it, or nobody has in time"


class Answering(Protocol):
    """Where the queue is."""

    state: ProjectState

    async def moved(self) -> None:
        """Returns after the next event."""
        ...

    async def answer(self, approval: ApprovalId, choice: str, by: Origin) -> Accepted | Rejected:
        """Answers an open question."""
        ...


def oldest_first(state: ProjectState) -> tuple[ApprovalRecord, ...]:
    """What waits for an answer."""
    return tuple(sorted(state.approvals.values(), key=lambda item: (item.asked_at, item.id)))


class Queue:
    """One client's way through the questions, oldest first, each once."""

    def __init__(self, runtime: Answering, client: Client) -> None:
        self._runtime = runtime
        self._client = client
        self._put: set[ApprovalId] = set()

    async def serve(self) -> None:
        """Asks until it is cancelled."""
        while True:
            new = next((item for item in oldest_first(self._runtime.state) if item.id not in self._put), None)
            if new is None:
                await self._runtime.moved()
            else:
                self._put.add(new.id)
                await self._settle(new)

    async def _settle(self, item: ApprovalRecord) -> None:
        asking = asyncio.create_task(self._client.ask(question_of(item)))
        gone = asyncio.create_task(self._until_gone(item.id))
        try:
            await asyncio.wait({asking, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                await self._client.tell("info", ELSEWHERE)
                return
            choice = asking.result()
        finally:
            asking.cancel()
            gone.cancel()
        if choice is None:
            return
        try:
            answer = await self._runtime.answer(item.id, choice, Origin("user", client=self._client.id))
        except CommandError as error:
            answer = Rejected("not-taken", str(error))
        if isinstance(answer, Rejected):
            await self._client.tell("warning", answer.message)

    async def _until_gone(self, approval: ApprovalId) -> None:
        while approval in self._runtime.state.approvals:
            await self._runtime.moved()


def question_of(item: ApprovalRecord) -> Question:
    """As a client is asked it."""
    kind = item.kind
    assert kind in ("command", "proposal", "question", "budget")
    return Question(item.id, kind, item.subject, item.purpose, item.choices)
