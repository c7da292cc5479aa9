"""A refused order: a value for the caller. Refuses to be raised."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why an order was refused and what could be done instead."""

    code: str
    """Stable kebab-case name, sent as `data.reason` on the wire."""
    message: str
    suggestions: tuple[str, ...] = ()
