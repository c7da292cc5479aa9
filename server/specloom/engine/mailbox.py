"""The mailbox of a project: orders in, one at a time, events out. Refuses to wait for anything but the log.

What an order sets in motion (a model, a process, an editor) is never awaited here, and people's orders go before the
engine's own, so that stopping, approving and reading are answered whatever goes on.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import assert_never

from specloom.domain.commands import Command, DocumentCommand
from specloom.domain.decide import decide
from specloom.domain.events import Event, agents, planning, runs
from specloom.domain.evolve import evolve
from specloom.domain.origin import Origin
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.engine.api import Accepted
from specloom.engine.lanes import BUSY, Lane, Lanes
from specloom.engine.ledger import PROJECT, Ledger

ENGINE = Origin("engine")
LONG = 0.1
"""Seconds of deciding after which what was decided is committed: nobody is heard meanwhile."""


class Mailbox:
    """Decides orders on the newest state and commits what follows."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.lanes = Lanes()

    @property
    def state(self) -> ProjectState:
        """The newest projection."""
        return self._ledger.state

    async def submit(self, command: Command, by: Origin = ENGINE, command_id: str | None = None) -> Accepted | Rejected:
        """Carries out an order. The same `command_id` again answers as before and changes nothing.

        `busy`: too many orders of people wait already, and this one is not kept.
        """
        lane = lane_of(by)
        if lane is Lane.INTERACTIVE and self.lanes.full(lane):
            return BUSY
        async with self._turn(by):
            return await self._decide(command, by, command_id)

    @asynccontextmanager
    async def _turn(self, by: Origin) -> AsyncGenerator[None]:
        lane, orders = lane_of(by), self._ledger.orders
        await orders.give_way(by)
        with orders.order() if lane is Lane.INTERACTIVE else nullcontext():
            async with self.lanes.turn(lane):
                yield

    async def _decide(self, command: Command, by: Origin, command_id: str | None) -> Accepted | Rejected:
        known = await self._known(command_id)
        if known is not None:
            return known
        decided = decide(self._ledger.state, command)
        if isinstance(decided, Rejected):
            return decided
        await self._ledger.append(PROJECT, decided, by, command_id=command_id, in_turn=True)
        return Accepted(self._ledger.state.seq)

    async def submit_all(self, commands: Sequence[DocumentCommand], by: Origin, at: str) -> None:
        """Carries out orders one after the other and commits them at once: each commit waits for the disk.

        Those that take long to decide are several commits, and others have their turns between them.
        `at`: the time until the log gives them theirs. What is refused is left out.
        """
        rest = deque(commands)
        while rest:
            async with self._turn(by):
                await self._ledger.append(PROJECT, self._decided(rest, at), by, in_turn=True)

    def _decided(self, rest: deque[DocumentCommand], at: str) -> list[Event]:
        now = asyncio.get_running_loop().time
        state, events, until = self._ledger.state, list[Event](), now() + LONG
        while rest:
            decided = decide(state, rest.popleft())
            if not isinstance(decided, Rejected):
                for event in decided:
                    state = evolve(state, event, at, state.seq + 1)
                events.extend(decided)
            if now() >= until:
                break
        return events

    async def start(self, event: Event, by: Origin, command_id: str | None) -> Accepted | None:
        """Commits the first fact of what an order starts; the acceptance of an earlier time if it was given before."""
        async with self._turn(by):
            known = await self._known(command_id)
            if known is None:
                await self._ledger.append(PROJECT, [event], by, command_id=command_id, in_turn=True)
            return known

    async def repeated(self, command_id: str | None) -> Accepted | Rejected | None:
        """The acceptance of an order that was carried out before, with what it started; `busy` as in `submit`."""
        if command_id is None:
            return None
        if self.lanes.full(Lane.INTERACTIVE):
            return BUSY
        async with self.lanes.turn(Lane.INTERACTIVE):
            return await self._known(command_id)

    async def keep(self, by: Origin, command_id: str | None) -> None:
        """Remembers that an order was carried out which caused no event of its own."""
        await self._ledger.append(PROJECT, [], by, command_id=command_id)

    async def _known(self, command_id: str | None) -> Accepted | None:
        seq = await self._ledger.command(command_id)
        if seq is None or command_id is None:
            return None
        first = await self._ledger.first_of(command_id)
        match first:
            case runs.RunStarted() | runs.RunResumed():
                return Accepted(seq, first.run, repeated=True)
            case agents.PromptQueued():
                return Accepted(seq, first.prompt, repeated=True)
            case planning.PlanStarted():
                return Accepted(seq, first.plan, repeated=True)
            case _:
                return Accepted(seq, repeated=True)

    async def record(self, *events: Event, by: Origin = ENGINE, stream: str = PROJECT) -> None:
        """Commits facts that need no decision."""
        await self._ledger.append(stream, events, by)


def lane_of(by: Origin) -> Lane:
    """Who is let in first."""
    return Lane.INTERACTIVE if by.actor == "user" else Lane.WORK


class RefusedError(Exception):
    """An order of the engine itself was refused: what it was based on has changed."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.message)
        self.rejected = rejected


def expect(answer: Accepted | Rejected) -> Accepted:
    """The acceptance. Raises `RefusedError`: for orders that the engine gives on the state that it sees."""
    match answer:
        case Accepted():
            return answer
        case Rejected():
            raise RefusedError(answer)
        case _:
            assert_never(answer)
