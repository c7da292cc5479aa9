"""What the domain needs from outside: time and ids. Refuses any other port; those belong to their floors."""

from typing import Protocol


class Clock(Protocol):
    """Two clocks: one to write down, one to measure with."""

    def now(self) -> str:
        """ISO-8601 UTC with milliseconds, ending in `Z`."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump back."""
        ...


class Ids(Protocol):
    """Makes ids that no other call made."""

    def new(self, kind: str) -> str:
        """A fresh id such as `run-7c1f…`; `kind` is its prefix."""
        ...
