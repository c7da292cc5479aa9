"""Many calls as few: what is asked for within a short time is done once. Refuses to lose the last call."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any


class Throttle:
    """Runs `action` with everything that was handed in since its last run, at most once every `delay` seconds."""

    def __init__(
        self,
        start: Callable[[Coroutine[Any, Any, Any], str], object],
        name: str,
        delay: float,
        action: Callable[[tuple[str, ...]], Awaitable[None]],
    ) -> None:
        self._start = start
        self._name = name
        self._delay = delay
        self._action = action
        self._items: dict[str, None] = {}
        self._asked = False
        self._running = False

    def __call__(self, *items: str) -> None:
        """Asks for a run; returns at once."""
        self._items.update(dict.fromkeys(items))
        self._asked = True
        if not self._running:
            self._running = True
            self._start(self._run(), self._name)

    async def _run(self) -> None:
        try:
            while self._asked:
                await asyncio.sleep(self._delay)
                self._asked = False
                items = tuple(self._items)
                self._items.clear()
                await self._action(items)
        finally:
            self._running = False
