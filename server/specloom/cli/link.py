"""A connection to the user's daemon as the commands need it. Refuses to know sockets and frames."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

Notified: TypeAlias = Callable[[str, Any], None]


class LinkLostError(Exception):
    """There is no daemon at the other end, or not any more; says why, and the next step."""


class Link(Protocol):
    """One connection, which has named one root."""

    @property
    def ended(self) -> asyncio.Event:
        """Set when the daemon ended the connection."""
        ...

    def hear(self, listener: Notified) -> None:
        """From now on `listener` is called with the method and parameters of each notification; it returns at once."""
        ...

    async def ask(self, method: str, params: Mapping[str, Any]) -> Any:
        """The result of a request as the protocol has it, or `Rejected`.

        Raises `LinkLostError` when the connection ends, `TimeoutError`.
        """
        ...
