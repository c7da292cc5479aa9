"""What we ask of and tell the client: each request has a deadline, each answer may be missing. Refuses to raise.

A client that answers `null`, an error, nonsense or nothing at all is an answer too: `None`.
"""

import asyncio
import itertools
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from specloom.lsp.capabilities import edit_version
from specloom.lsp.frames import Outbox
from specloom.lsp.rpc import SpecloomProtocol

MOST_QUEUED_OUTPUT = 512 * 1024
"""Bytes waiting for the client beyond which the lossy stream pauses: before events do."""


class NoAnswer:
    """An error, or nothing in time."""


class Outgoing:
    """Our side of one connection."""

    def __init__(self, protocol: SpecloomProtocol, outbox: Outbox) -> None:
        self._protocol = protocol
        self._outbox = outbox
        self._numbers = itertools.count(1)

    @property
    def capabilities(self) -> types.ClientCapabilities:
        """What the client announced; nothing before `initialize`."""
        return getattr(self._protocol, "client_capabilities", None) or types.ClientCapabilities()

    def versioned(self, uri: str, version: int) -> types.OptionalVersionedTextDocumentIdentifier:
        """The document of an edit that was computed on `version`."""
        return types.OptionalVersionedTextDocumentIdentifier(
            uri=uri, version=edit_version(version, self._protocol.client_name)
        )

    def notify(self, method: str, params: Any) -> None:
        """Sends a notification."""
        self._protocol.notify(method, params)

    def send(self, frame: bytes) -> None:
        """Sends what `frames.framed` made."""
        self._outbox.write(frame)

    @property
    def waiting(self) -> int:
        """Bytes that the client has not read yet."""
        return self._outbox.waiting

    async def request(self, method: str, params: Any, deadline: float) -> Any:
        """The client's answer, `None` if there is none within `deadline` seconds. A cancellation is passed on."""
        answer = await self._ask(method, params, deadline)
        return None if isinstance(answer, NoAnswer) else answer

    async def accepts(self, method: str, params: Any, deadline: float) -> bool:
        """Whether the client answered without an error within `deadline` seconds, be it `null`."""
        return not isinstance(await self._ask(method, params, deadline), NoAnswer)

    async def _ask(self, method: str, params: Any, deadline: float) -> Any:
        identifier = f"specloom-{next(self._numbers)}"
        answer = asyncio.wrap_future(self._protocol.send_request(method, params, msg_id=identifier))
        try:
            async with asyncio.timeout(deadline):
                return await answer
        except (TimeoutError, JsonRpcException):
            return NoAnswer()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if answer.cancelled() and task is not None and not task.cancelling():
                # The connection ends and gives up its requests: who asked, a run perhaps, goes on without this client.
                return NoAnswer()
            raise
        finally:
            if not answer.done() or answer.cancelled():
                self._protocol.forget(identifier)
                self._protocol.notify(types.CANCEL_REQUEST, types.CancelParams(identifier))

    def show(self, level: types.MessageType, message: str) -> None:
        """Shows a message to the person."""
        self.notify(types.WINDOW_SHOW_MESSAGE, types.ShowMessageParams(level, message))

    def log(self, level: types.MessageType, message: str) -> None:
        """Writes to the client's log."""
        self.notify(types.WINDOW_LOG_MESSAGE, types.LogMessageParams(level, message))
