"""Hands this client's buffers to the runtime, and has documents read again after a pause in typing.

Refuses documents outside the root.
"""

from specloom.lsp.buffers import Buffer
from specloom.lsp.serving import Hosted
from specloom.lsp.throttle import Throttle

TYPING_DELAY = 0.15


class Mirror:
    """Keeps `runtime.documents` equal to the buffers of one client."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self._stopped = False
        self._soon = Throttle(hosted.connection.start, "refresh", TYPING_DELAY, self._refresh)

    def stop(self) -> None:
        """The client is gone: its buffers are no truth any more."""
        self._stopped = True
        self._hosted.runtime.documents.closed_owner(self._hosted.port)

    def opened(self, buffer: Buffer) -> None:
        """The document is open."""
        if path := self._hosted.path_of(buffer.uri):
            self._hosted.runtime.documents.open(path, buffer.text, buffer.version, self._hosted.port)
            self._soon(path)

    def changed(self, buffer: Buffer) -> None:
        """Its text is another one."""
        if path := self._hosted.path_of(buffer.uri):
            self._hosted.runtime.documents.change(path, buffer.text, buffer.version, self._hosted.port)
            self._soon(path)

    def saved(self, buffer: Buffer) -> None:
        """The client saved it."""
        if path := self._hosted.path_of(buffer.uri):
            self._hosted.runtime.documents.saved(path, self._hosted.port)
            self._soon(path)

    def closed(self, buffer: Buffer) -> None:
        """It is closed."""
        if path := self._hosted.path_of(buffer.uri):
            self._hosted.runtime.documents.close(path, self._hosted.port)
            self._soon(path)

    async def _refresh(self, paths: tuple[str, ...]) -> None:
        if self._stopped:
            return
        await self._hosted.runtime.refresh(paths)
        self._hosted.announce()
