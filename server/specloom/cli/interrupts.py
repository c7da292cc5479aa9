"""Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends. Refuses to know what orderly means."""

import asyncio
import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial

from specloom.cli.failures import Exit

SIGNALS = (signal.SIGINT, signal.SIGTERM)
KILL_AFTER = 3.0
"""Seconds that a killed command has to end its child processes."""
DEAF_AFTER = 1.0
"""Seconds in which the loop hears of a signal, unless it stands still: in a write that nobody reads, for one."""


class Interrupts:
    """Counts what came; must be used on a running event loop."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()
        self._unheard: float | None = None
        """Since when the loop has not heard of one."""

    @contextmanager
    def caught(self) -> Generator[None]:
        """Takes both signals over while the context is open."""
        loop = asyncio.get_running_loop()
        # Not as the loop takes them: that one hears nothing while it writes.
        before = {number: signal.signal(number, partial(self._come, loop)) for number in SIGNALS}
        try:
            yield
        finally:
            if not self.second.is_set():
                for number, handler in before.items():
                    signal.signal(number, handler)

    def _come(self, loop: asyncio.AbstractEventLoop, *_: object) -> None:
        """One came, wherever the main thread is: also within a write, which goes on when this returns."""
        now = time.monotonic()
        if self._unheard is None:
            self._unheard = now
        elif now > self._unheard + DEAF_AFTER:
            # The log knows what was in flight.
            os._exit(Exit.INTERRUPTED)
        loop.call_soon_threadsafe(self._hear)

    def _hear(self) -> None:
        self._unheard = None
        if not self.first.is_set():
            self.first.set()
        elif not self.second.is_set():
            self.second.set()
            # What does not end in time is ended: the log knows what was in flight.
            asyncio.get_running_loop().call_later(KILL_AFTER, os._exit, Exit.INTERRUPTED)
