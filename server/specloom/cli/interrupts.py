"""Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends. Refuses to know what orderly means."""

import asyncio
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager

from specloom.cli.failures import Exit

SIGNALS = (signal.SIGINT, signal.SIGTERM)
KILL_AFTER = 3.0
"""Seconds that a killed command has to end its child processes."""


class Interrupts:
    """Counts what came; must be used on a running event loop."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()

    @contextmanager
    def caught(self) -> Generator[None]:
        """Takes both signals over while the context is open."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._hear)
        try:
            yield
        finally:
            if not self.second.is_set():
                for number in SIGNALS:
                    loop.remove_signal_handler(number)

    def _hear(self) -> None:
        if not self.first.is_set():
            self.first.set()
        elif not self.second.is_set():
            self.second.set()
            # What does not end in time is ended: the log knows what was in flight.
            asyncio.get_running_loop().call_later(KILL_AFTER, os._exit, Exit.INTERRUPTED)
