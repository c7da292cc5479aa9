"""What the domain needs from outside: time, days and ids. Refuses any other port; those belong to their floors."""

from typing import Protocol


class Clock(Protocol):
    """Two clocks: one to write down, one to measure with."""

    def now(self) -> str:
        """ISO-8601 UTC with milliseconds, ending in `Z`."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump back."""
        ...


class Calendar(Protocol):
    """Where people are."""

    def day_began(self) -> str:
        """When the present day began here, as ISO-8601 UTC ending in `Z`."""
        ...


class Ids(Protocol):
    """Makes ids that no other call made."""

    def new(self, kind: str) -> str:
        """A fresh id such as `run-7c1f…`; `kind` is its prefix."""
        ...
