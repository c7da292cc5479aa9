"""`specloom/output`: the lossy stream, joined by block. Refuses to pile up: what does not fit is dropped and told."""

from dataclasses import dataclass

from specloom.engine.api import OutputChunk
from specloom.lsp.outgoing import MOST_QUEUED_OUTPUT
from specloom.lsp.protocol import OutputParams, to_json
from specloom.lsp.serving import Hosted
from specloom.lsp.throttle import Throttle

DELAY = 0.04
MOST_BLOCKS = 64
"""Blocks that wait for a client that does not read; the newest ones."""
MOST_OF_BLOCK = 64_000
"""Characters of one block that are kept between two sends; the newest ones."""


@dataclass(slots=True)
class Pending:
    """What one block has said since it was last sent."""

    chunk: OutputChunk
    text: str
    dropped: int = 0

    def add(self, text: str) -> None:
        """The newest characters are kept."""
        whole = self.text + text
        over = max(0, len(whole) - MOST_OF_BLOCK)
        self.text, self.dropped = whole[over:], self.dropped + over


class OutputStream:
    """Sends output to one client."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self._pending: dict[tuple[str, str, str], Pending] = {}
        self._soon = Throttle(hosted.connection.start, "output", DELAY, self._send)
        self._ended = False

    def heard(self, chunk: OutputChunk) -> None:
        """A piece came; returns at once."""
        key = (chunk.session, chunk.block, chunk.kind)
        pending = self._pending.setdefault(key, Pending(chunk, ""))
        pending.add(chunk.text)
        if len(self._pending) > MOST_BLOCKS:
            # The client reads nothing; what it misses is in the events.
            del self._pending[next(iter(self._pending))]
        self._soon()

    def end(self) -> None:
        """Nothing more is sent."""
        self._ended = True

    async def _send(self, _: tuple[str, ...]) -> None:
        outgoing = self._hosted.connection.outgoing
        if self._ended or outgoing.waiting > MOST_QUEUED_OUTPUT:
            return
        pending, self._pending = self._pending, {}
        for item in pending.values():
            outgoing.notify("specloom/output", to_json(_params(item)))


def _params(item: Pending) -> OutputParams:
    chunk = item.chunk
    return OutputParams(
        session_id=chunk.session,
        block=chunk.block,
        kind=chunk.kind,
        name=chunk.name,
        text=item.text,
        dropped=item.dropped,
    )
