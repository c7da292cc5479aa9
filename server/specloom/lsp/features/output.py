"""`specloom/output`: the lossy stream, joined by block. Refuses to pile up: what does not fit is dropped and told."""

from dataclasses import dataclass

from specloom.engine.api import OutputChunk
from specloom.lsp.outgoing import MOST_QUEUED_OUTPUT
from specloom.lsp.protocol import OutputParams, to_json
from specloom.lsp.protocol_live import GapParams
from specloom.lsp.serving import Hosted
from specloom.lsp.throttle import Throttle

DELAY = 0.04
MOST_BLOCKS = 64
"""Blocks that wait for a client that does not read; the newest ones."""
MOST_OF_BLOCK = 64_000
"""Characters of one block that are kept between two sends; the newest ones."""
MOST_KEPT = 512_000
"""Characters of all blocks together."""


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
        self._kept = 0
        """Characters that wait."""
        self._lost = 0
        """Characters of blocks that were given up since the client was told."""
        self._soon = Throttle(hosted.connection.start, "output", DELAY, self._send)
        self._ended = False

    def heard(self, chunk: OutputChunk) -> None:
        """A piece came; returns at once."""
        key = (chunk.session, chunk.block, chunk.kind)
        pending = self._pending.setdefault(key, Pending(chunk, ""))
        self._kept -= len(pending.text)
        pending.add(chunk.text)
        self._kept += len(pending.text)
        while len(self._pending) > MOST_BLOCKS or self._kept > MOST_KEPT:
            # The client reads nothing; what it misses is in the events.
            oldest = self._pending.pop(next(iter(self._pending)))
            self._kept -= len(oldest.text)
            self._lost += len(oldest.text) + oldest.dropped
        self._soon()

    def end(self) -> None:
        """Nothing more is sent."""
        self._ended = True

    async def _send(self, _: tuple[str, ...]) -> None:
        connection = self._hosted.connection
        await connection.until_below(MOST_QUEUED_OUTPUT)
        if self._ended:
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            connection.outgoing.notify("specloom/gap", to_json(GapParams(from_seq=None, to_seq=None, output=lost)))
        pending, self._pending, self._kept = self._pending, {}, 0
        for item in pending.values():
            connection.outgoing.notify("specloom/output", to_json(_params(item)))


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
