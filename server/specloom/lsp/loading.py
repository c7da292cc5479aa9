"""Loads modules off the event loop, one after the other. Refuses to let two threads import at once.

Two threads that import modules which need each other may be refused (`_DeadlockError`) or handed a half-made one.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

Loaded = TypeVar("Loaded")
_ONE = threading.Lock()


async def loaded(load: Callable[[], Loaded]) -> Loaded:
    """What `load` returns, called on a thread while no other loading goes on."""
    return await asyncio.to_thread(_alone, load)


def _alone(load: Callable[[], Loaded]) -> Loaded:
    with _ONE:
        return load()
