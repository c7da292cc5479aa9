"""`specloom/output`: the lossy stream, joined by block. Refuses to pile up: what does not fit is dropped and told."""

import asyncio
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from specloom.domain.ids import ProjectId
from specloom.engine.api import OutputChunk, Runtime
from specloom.engine.listeners import Listeners
from specloom.engine.open_blocks import MOST_BLOCKS, MOST_KEPT, MOST_OF_BLOCK
from specloom.lsp.frames import framed
from specloom.lsp.outgoing import MOST_QUEUED_OUTPUT
from specloom.lsp.protocol import to_json
from specloom.lsp.protocol_live import GapParams, OutputParams
from specloom.lsp.serving import Hosted
from specloom.lsp.throttle import Throttle

DELAY = 0.04


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


class Blocks:
    """What waits, by block: bounded as what is kept of open blocks, so that all of that fits; the newest kept."""

    def __init__(self) -> None:
        self._pending: dict[tuple[str, str, str], Pending] = {}
        self._kept = 0
        """Characters that wait."""
        self._lost = 0
        """Characters of blocks that were given up."""

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._pending or self._lost)

    def add(self, chunk: OutputChunk, text: str, dropped: int = 0) -> None:
        """More of a block, and how many characters before it were dropped."""
        key = (chunk.session, chunk.block, chunk.kind)
        if chunk.from_start and (void := self._pending.pop(key, None)) is not None:
            self._kept -= len(void.text)
        pending = self._pending.setdefault(key, Pending(chunk, ""))
        self._kept -= len(pending.text)
        pending.dropped += dropped
        pending.add(text)
        self._kept += len(pending.text)
        while len(self._pending) > MOST_BLOCKS or self._kept > MOST_KEPT:
            # The client reads nothing; what it misses is in the events.
            oldest = self._pending.pop(next(iter(self._pending)))
            self._kept -= len(oldest.text)
            self.lose(len(oldest.text) + oldest.dropped)

    def lose(self, characters: int) -> None:
        """So many are given up."""
        self._lost += characters

    def take(self, project: ProjectId) -> "Said":
        """All that waits; nothing does afterwards."""
        pending, lost = tuple(self._pending.values()), self._lost
        self._pending, self._kept, self._lost = {}, 0, 0
        frames = [framed("specloom/output", to_json(_params(item, project))) for item in pending]
        if lost:
            gap = GapParams(project_id=project, from_seq=None, to_seq=None, output=lost)
            frames.insert(0, framed("specloom/gap", to_json(gap)))
        return Said(pending, lost, b"".join(frames))


@dataclass(frozen=True, slots=True)
class Said:
    """What was said in a moment, and its bytes, made once for all who watch."""

    items: tuple[Pending, ...]
    lost: int
    frames: bytes


class SharedOutput:
    """Joins what is said on one runtime, and hands it to all who watch it there."""

    def __init__(self) -> None:
        self._blocks = Blocks()
        self._streams = Listeners["OutputStream"]()
        self._watching = ExitStack()
        self._timer: asyncio.TimerHandle | None = None
        self._runtime: Runtime | None = None
        """While somebody watches."""

    @contextmanager
    def joined(self, stream: "OutputStream", hosted: Hosted) -> Generator[None]:
        """`stream` is told while the context is open, first what is open.

        What others wait for stands in that too: they are told it now, and `stream` only what comes after.
        """
        if not self._streams:
            self._runtime = hosted.runtime
            self._watching.enter_context(self._runtime.watch_output(self._heard))
        self._hand_on()
        try:
            with self._streams.present(stream):
                if so_far := said_so_far(hosted.runtime):
                    stream.heard(so_far)
                yield
        finally:
            if not self._streams:
                self._stop()

    def _stop(self) -> None:
        self._watching.close()
        self._runtime, self._blocks = None, Blocks()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _heard(self, chunk: OutputChunk) -> None:
        self._blocks.add(chunk, chunk.text)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY, self._hand_on)

    def _hand_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._runtime is None or not self._blocks:
            return
        said = self._blocks.take(self._runtime.state.id)
        for stream in self._streams:
            stream.heard(said)


SHARED: WeakKeyDictionary[Runtime, SharedOutput] = WeakKeyDictionary()


class OutputStream:
    """Sends output to one client, and keeps what it has no room for."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self._blocks = Blocks()
        self._soon = Throttle(hosted.connection.start, "output", DELAY, self._send)
        self._ended = False

    def heard(self, said: Said) -> None:
        """Something was said; returns at once."""
        outgoing = self._hosted.connection.outgoing
        if not self._blocks and outgoing.waiting <= MOST_QUEUED_OUTPUT:
            outgoing.send(said.frames)
            return
        self._blocks.lose(said.lost)
        for item in said.items:
            self._blocks.add(item.chunk, item.text, item.dropped)
        self._soon()

    def end(self) -> None:
        """Nothing more is sent."""
        self._ended = True

    async def _send(self, _: tuple[str, ...]) -> None:
        connection = self._hosted.connection
        await connection.until_below(MOST_QUEUED_OUTPUT)
        if self._blocks and not self._ended:
            connection.outgoing.send(self._blocks.take(self._hosted.state.id).frames)


def said_so_far(runtime: Runtime) -> Said | None:
    """What the open blocks of a runtime have said, as one that comes in the middle is told it; `None`: nothing."""
    blocks = Blocks()
    for chunk in runtime.said_so_far():
        blocks.add(chunk, chunk.text, chunk.dropped)
    return blocks.take(runtime.state.id) if blocks else None


def _params(item: Pending, project: ProjectId) -> OutputParams:
    chunk = item.chunk
    return OutputParams(
        project_id=project,
        session_id=chunk.session,
        block=chunk.block,
        kind=chunk.kind,
        name=chunk.name,
        text=item.text,
        dropped=item.dropped,
        from_start=chunk.from_start,
    )
