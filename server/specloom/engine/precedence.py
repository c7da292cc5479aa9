"""Lets an order of a person get to its end before the engine commits more. Refuses to hold anybody up for long.

An order takes many steps on the event loop, and every commit is told to all clients there: with a flood of commits one
would lie between any two steps.
"""

import asyncio
import contextlib
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from specloom.domain.origin import Origin

LONGEST = 0.1
"""Seconds that one commit waits for orders."""
PATIENCE = 2.0
"""Seconds after which commits wait no more: orders come without a pause, or one waits for git, say."""


@dataclass(slots=True, eq=False)
class _Order:
    going: bool = True
    """What an order started, and goes on after it, is no part of it."""


_CURRENT: ContextVar[_Order | None] = ContextVar("order", default=None)


class Precedence:
    """Who goes first, of one project. Belongs to one event loop."""

    def __init__(self) -> None:
        self._going = 0
        self._since = 0.0
        self._ended = asyncio.Event()

    @contextmanager
    def order(self) -> Generator[None]:
        """What is committed inside waits for nobody, and what the engine commits beside it does."""
        if _is_ordered():
            yield
            return
        order = _Order()
        token = _CURRENT.set(order)
        if not self._going:
            self._since = asyncio.get_running_loop().time()
        self._going += 1
        self._ended.clear()
        try:
            yield
        finally:
            order.going = False
            _CURRENT.reset(token)
            self._going -= 1
            if not self._going:
                self._ended.set()

    async def give_way(self, by: Origin) -> None:
        """Returns when no order is under way, or after a moment; at once for what people and watchers bring."""
        if not self._going or by.actor not in ("engine", "agent") or _is_ordered():
            return
        if asyncio.get_running_loop().time() - self._since >= PATIENCE:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST):
                await self._ended.wait()


def _is_ordered() -> bool:
    order = _CURRENT.get()
    return order is not None and order.going
