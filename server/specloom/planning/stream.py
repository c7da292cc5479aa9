"""Listens in on the text of a session while it streams. Refuses to keep a broken try: each try starts from nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field

from specloom.agent.ports import Stream
from specloom.domain.ids import SessionId
from specloom.llm.model import DeltaKind, DeltaSink
from specloom.planning.answers import whole_blocks
from specloom.planning.joining import joined


@dataclass(slots=True)
class Draft:
    """The text of the newest answer so far."""

    touched: Callable[[], None] = lambda: None
    session: SessionId | None = None
    """Whose answer it is, once it is asked."""
    kept: str = ""
    """What came of the answer before it was cut off; the newest turn goes on with it."""
    ended: bool = False
    """The answer is whole: its last block is complete too."""
    _pieces: list[str] = field(default_factory=list[str])

    def restart(self) -> None:
        """A new turn, or a new try at one."""
        self._pieces.clear()

    def add(self, text: str) -> None:
        """The next delta."""
        self._pieces.append(text)
        self.touched()

    def blocks(self, part: Callable[[str], str]) -> str:
        """The complete blocks of a part of the answer."""
        found = part(self.text)
        return found if self.ended else whole_blocks(found)

    @property
    def text(self) -> str:
        """Everything since the restart, after what was kept."""
        whole = "".join(self._pieces)
        self._pieces = [whole]
        return joined(self.kept, whole)


@dataclass(frozen=True, slots=True)
class DraftStream:
    """An `agent.ports.Stream` that fills a draft and hands everything on."""

    inner: Stream
    draft: Draft

    def sink(self, session: SessionId, turn: int) -> DeltaSink:
        """The sink of one try at one turn."""
        self.draft.session = session
        self.draft.restart()
        return _DraftSink(self.inner.sink(session, turn), self.draft)


@dataclass(frozen=True, slots=True)
class _DraftSink:
    inner: DeltaSink
    draft: Draft

    def delta(self, block: int, kind: DeltaKind, text: str, name: str = "") -> None:
        self.inner.delta(block, kind, text, name)
        if kind == "text":
            self.draft.add(text)
