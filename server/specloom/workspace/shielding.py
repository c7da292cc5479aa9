"""Work that must not stop half-way when its caller is cancelled. Refuses to swallow a cancellation."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Awaits `work`, which must be bounded in time. Raises what it raises; a cancellation waits until it is done."""
    task = asyncio.create_task(work)
    interruption: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            interruption = error
    if interruption is not None:
        raise interruption from (None if task.cancelled() else task.exception())
    return task.result()
