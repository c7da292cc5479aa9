"""Modules are loaded on threads, one after the other."""

import asyncio
import threading

from specloom.lsp.loading import loaded


async def test_two_loadings_at_once_follow_one_another() -> None:
    inside, most, here = 0, 0, threading.get_ident()
    both = threading.Barrier(2)

    def load() -> int:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        # A second thread that came in meanwhile would pass the barrier at once.
        try:
            both.wait(0.05)
        except threading.BrokenBarrierError:
            both.reset()
        inside -= 1
        return threading.get_ident()

    threads = await asyncio.gather(loaded(load), loaded(load))
    assert most == 1
    assert here not in threads
