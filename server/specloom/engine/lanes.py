"""One at a time, in two lanes: what a person orders or looks up goes before what the engine does by itself.

Refuses to let one lane starve the other. Who lets people in looks at `full` first, and answers `BUSY`.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import StrEnum

from specloom.domain.rejection import Rejected

MOST = 256
"""How many may wait before people are sent away."""
BUSY = Rejected("busy", f"{MOST} wait before this one, which was not kept; try again in a moment")
STREAK = 16
"""Turns of people in a row after which one of the engine's is due."""


class Lane(StrEnum):
    """Who waits."""

    INTERACTIVE = "interactive"
    WORK = "work"
    """Each of the engine's tasks waits for its turn before it does anything else: there are no more than tasks."""


class Lanes:
    """Gives turns. Belongs to one event loop."""

    def __init__(self) -> None:
        self._taken = False
        self._since = 0.0
        self._streak = 0
        self._waiting: dict[Lane, deque[asyncio.Future[None]]] = {lane: deque() for lane in Lane}

    def waiting(self, lane: Lane) -> int:
        """How many wait for their turn."""
        return len(self._waiting[lane])

    def full(self, lane: Lane) -> bool:
        """Whether nobody should be let in who can be sent away."""
        return len(self._waiting[lane]) >= MOST

    def stuck_s(self) -> float:
        """Seconds that the present turn has taken while others wait; 0: nobody does."""
        return asyncio.get_running_loop().time() - self._since if any(self._waiting.values()) else 0.0

    @asynccontextmanager
    async def turn(self, lane: Lane) -> AsyncGenerator[None]:
        """Nobody else has a turn inside."""
        await self._take(lane)
        self._since = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            self._pass_on()

    async def _take(self, lane: Lane) -> None:
        if not self._taken:
            self._taken = True
            return
        queue = self._waiting[lane]
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # It was given the turn, and does not want it any more.
                self._pass_on()
            elif turn in queue:
                queue.remove(turn)
            raise

    def _pass_on(self) -> None:
        while (turn := self._next()) is not None:
            if not turn.done():
                turn.set_result(None)
                return
        self._taken = False

    def _next(self) -> "asyncio.Future[None] | None":
        people, engine = self._waiting[Lane.INTERACTIVE], self._waiting[Lane.WORK]
        if people and not (engine and self._streak >= STREAK):
            self._streak += 1
            return people.popleft()
        self._streak = 0
        return engine.popleft() if engine else None
