"""What the blocks that are open now have said so far, for whoever comes in the middle. Refuses what the log holds.

A block is open until its event is committed: an answer until its turn is finished or has failed, what a command prints
until the call is settled, the text of a spec until that is written. Only the newest characters are kept.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from specloom.domain.events import agents, planning, runs
from specloom.domain.ids import SessionId
from specloom.domain.project import ProjectState
from specloom.engine.api import OutputChunk, Published
from specloom.engine.working import at_work

MOST_BLOCKS = 64
"""Blocks that are kept; the newest ones."""
MOST_OF_BLOCK = 64_000
"""Characters of one block that are told; the newest ones."""
MOST_KEPT = 512_000
"""Characters of all blocks together; where there are more, what the oldest said is given up."""
PIECE = 4096
"""Characters after which small pieces are joined to one, and counted."""


class Tail:
    """The end of what one block said. To add to it is cheap: it is counted by the piece."""

    __slots__ = ("_chunk", "_fresh", "_given_up", "_kept", "_pieces", "_room", "_weigh")

    def __init__(self, chunk: OutputChunk, weigh: "Callable[[Tail], None]") -> None:
        self._chunk = chunk
        self._weigh = weigh
        self._fresh: list[str] = []
        self._room = PIECE
        self._pieces: deque[str] = deque()
        self._kept = 0
        """Characters of `_pieces`."""
        self._given_up = 0

    def add(self, text: str) -> None:
        """More of it."""
        self._fresh.append(text)
        self._room -= len(text)
        if self._room < 0:
            self._join()

    @property
    def weight(self) -> int:
        """Characters that it may hold now."""
        return self._kept + PIECE

    def give_up(self) -> None:
        """Nothing of what it said by now is told any more, but how much that was."""
        self._given_up += self._kept
        self._pieces.clear()
        self._kept = 0

    def so_far(self) -> OutputChunk:
        """All that is kept of it, in one piece."""
        whole = "".join((*self._pieces, *self._fresh))
        over = max(0, len(whole) - MOST_OF_BLOCK)
        return replace(self._chunk, text=whole[over:], dropped=self._given_up + over, from_start=True)

    def _join(self) -> None:
        piece = "".join(self._fresh)
        kept = piece[-MOST_OF_BLOCK:]
        self._fresh, self._room = [], PIECE
        self._pieces.append(kept)
        self._kept += len(kept)
        self._given_up += len(piece) - len(kept)
        while self._kept - len(self._pieces[0]) >= MOST_OF_BLOCK:
            oldest = len(self._pieces.popleft())
            self._kept -= oldest
            self._given_up += oldest
        self._weigh(self)


class OpenBlocks:
    """The open ones, in the order in which they began."""

    def __init__(self) -> None:
        self._tails: dict[tuple[SessionId, str, str], Tail] = {}
        self._silent: set[tuple[SessionId, str]] = set()
        """Calls that are under way and have printed nothing yet."""

    def begin(self, chunk: OutputChunk) -> Tail:
        """A block that opens; where there was one of this name, that one is void. `text` of the chunk is not added."""
        key = (chunk.session, chunk.block, chunk.kind)
        self._tails.pop(key, None)
        tail = self._tails[key] = Tail(chunk, self._weigh)
        if len(self._tails) > MOST_BLOCKS:
            del self._tails[next(iter(self._tails))]
        self._weigh(tail)
        return tail

    def add(self, chunk: OutputChunk) -> OutputChunk:
        """More of a block that is known by its name alone; what begins one is told as such.

        What a job prints whose call is settled belongs to no event, also when the session of that call has ended.
        """
        tail = self._tails.get((chunk.session, chunk.block, chunk.kind))
        if tail is None:
            call = (chunk.session, chunk.block)
            if chunk.kind == "command" and call not in self._silent:
                return chunk
            self._silent.discard(call)
            tail, chunk = self.begin(chunk), replace(chunk, from_start=True)
        tail.add(chunk.text)
        return chunk

    def so_far(self) -> tuple[OutputChunk, ...]:
        """What each has said, in one piece; those that said nothing are not among them."""
        told = (tail.so_far() for tail in self._tails.values())
        return tuple(chunk for chunk in told if chunk.text or chunk.dropped)

    def hear(self, published: Published, state: ProjectState) -> None:
        """Takes in a committed event: what it tells is kept here no more."""
        match event := published.event:
            case agents.TurnFinished() | agents.TurnFailed():
                turn = f"{event.turn}."
                self._forget(lambda session, block, _kind: session == event.session and block.startswith(turn))
            case agents.ToolRequested():
                self._silent.add((event.session, event.call))
            case agents.ToolSettled():
                self._silent.discard((event.session, event.call))
                self._forget(lambda session, block, _kind: session == event.session and block == event.call)
            case agents.SessionEnded():
                self._silent = {call for call in self._silent if call[0] != event.session}
                # The text of a spec may come behind the end of who wrote it.
                self._forget(lambda session, _block, kind: session == event.session and kind != "spec")
            case planning.SpecWritten():
                self._forget(lambda _session, block, kind: kind == "spec" and block == event.spec)
            case planning.PlanFinished() | planning.PlanFailed():
                self._forget(lambda _session, _block, kind: kind == "spec")
                self._rest(state)
            case runs.RunPaused() | runs.RunFinished():
                self._rest(state)
            case _:
                pass

    def _rest(self, state: ProjectState) -> None:
        """Where nothing goes on, nothing is open."""
        if not at_work(state):
            self._tails.clear()
            self._silent.clear()

    def _forget(self, which: Callable[[SessionId, str, str], bool]) -> None:
        for key in [key for key in self._tails if which(*key)]:
            del self._tails[key]

    def _weigh(self, grown: Tail) -> None:
        """Called when a block has grown by a piece: the oldest give up what is too much."""
        if grown not in self._tails.values():
            # It is over, and whoever fed it has not heard of that.
            return grown.give_up()
        over = sum(tail.weight for tail in self._tails.values()) - MOST_KEPT
        for tail in self._tails.values():
            if over <= 0:
                return None
            over -= tail.weight - PIECE
            tail.give_up()
        return None
