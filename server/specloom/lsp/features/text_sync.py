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
        self._soon = Throttle(hosted.connection.start, "refresh", TYPING_DELAY, self._refresh)

    def start(self) -> None:
        """Hands over what is open already, then follows."""
        buffers = self._hosted.connection.buffers
        buffers.on_open, buffers.on_text = self._opened, self._changed
        buffers.on_save, buffers.on_close = self._saved, self._closed
        for buffer in buffers.all():
            self._opened(buffer)

    def stop(self) -> None:
        """The client is gone: its buffers are no truth any more."""
        self._hosted.runtime.documents.closed_owner(self._hosted.port)

    def _opened(self, buffer: Buffer) -> None:
        if path := self._hosted.path_of(buffer.uri):
            self._hosted.runtime.documents.open(path, buffer.text, buffer.version, self._hosted.port)
            self._soon(path)

    def _changed(self, buffer: Buffer) -> None:
        if path := self._hosted.path_of(buffer.uri):
            self._hosted.runtime.documents.change(path, buffer.text, buffer.version, self._hosted.port)
            self._soon(path)

    def _saved(self, buffer: Buffer) -> None:
        if path := self._hosted.path_of(buffer.uri):
            self._hosted.runtime.documents.saved(path, self._hosted.port)
            self._soon(path)

    def _closed(self, buffer: Buffer) -> None:
        if path := self._hosted.path_of(buffer.uri):
            self._hosted.runtime.documents.close(path, self._hosted.port)
            self._soon(path)

    async def _refresh(self, paths: tuple[str, ...]) -> None:
        await self._hosted.runtime.refresh(paths)
        self._hosted.announce()
