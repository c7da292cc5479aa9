"""The lossy side channel: what models and commands say while they say it. Refuses to keep what the log holds."""

import logging
from collections.abc import Generator
from contextlib import contextmanager

from specloom.domain.ids import CallId, SessionId, SpecId
from specloom.domain.project import ProjectState
from specloom.engine.api import OutputChunk, OutputListener, Published
from specloom.engine.listeners import Listeners
from specloom.engine.open_blocks import OpenBlocks, Tail
from specloom.llm.model import DeltaKind

log = logging.getLogger(__name__)


class OutputHub:
    """Hands each piece to everyone who watches, and keeps what is open for those who come later."""

    def __init__(self) -> None:
        self._listeners = Listeners[OutputListener]()
        self.watched = False
        """Whether anybody listens; asked at each delta."""
        self.open = OpenBlocks()

    @contextmanager
    def watch(self, listener: OutputListener) -> Generator[None]:
        """Tells `listener` while the context is open."""
        try:
            with self._listeners.present(listener):
                self.watched = True
                yield
        finally:
            self.watched = bool(self._listeners)

    def hear(self, published: Published, state: ProjectState) -> None:
        """Takes in a committed event, before those hear of it who may ask for what is open."""
        self.open.hear(published, state)

    def publish(self, chunk: OutputChunk) -> None:
        """Hands a piece on."""
        for listener in self._listeners:
            try:
                listener(chunk)
            except Exception:  # who watches must not stop what is watched
                log.exception("a listener of output failed")

    def sink(self, session: SessionId, turn: int) -> "TurnSink":
        """The sink of one turn of a session."""
        return TurnSink(self, session, turn)

    def command(self, session: SessionId, call: CallId) -> "CommandOutput":
        """Where a command of a session prints to."""
        return CommandOutput(self, session, call)

    def spec(self, session: SessionId, spec: SpecId, path: str, text: str) -> None:
        """Text that was added to a spec."""
        self.publish(self.open.add(OutputChunk(session, spec, "spec", text, path)))


class TurnSink:
    """A `DeltaSink`: of one try at a turn."""

    def __init__(self, hub: OutputHub, session: SessionId, turn: int) -> None:
        self._hub = hub
        self._session = session
        self._turn = turn
        self._tails: dict[int, Tail] = {}

    def delta(self, block: int, kind: DeltaKind, text: str, name: str = "") -> None:
        """Hands a delta on under `<turn>.<block>`."""
        tail = self._tails.get(block)
        if tail is None:
            first = OutputChunk(self._session, f"{self._turn}.{block}", kind, text, name, from_start=True)
            tail = self._tails[block] = self._hub.open.begin(first)
            self._hub.publish(first)
        elif self._hub.watched:
            self._hub.publish(OutputChunk(self._session, f"{self._turn}.{block}", kind, text, name))
        tail.add(text)


class CommandOutput:
    """A `tools.ports.Output`."""

    def __init__(self, hub: OutputHub, session: SessionId, call: CallId) -> None:
        self._hub = hub
        self._session = session
        self._call = call

    def chunk(self, text: str) -> None:
        """Hands on what a command printed; what a job of it prints later is kept for nobody."""
        self._hub.publish(self._hub.open.add(OutputChunk(self._session, self._call, "command", text)))
