"""The lossy side channel: what models and commands say while they say it. Refuses to store anything."""

import logging
from contextlib import AbstractContextManager

from specloom.domain.ids import CallId, SessionId, SpecId
from specloom.engine.api import OutputChunk, OutputKind, OutputListener
from specloom.engine.listeners import Listeners
from specloom.llm.model import DeltaKind

log = logging.getLogger(__name__)


class OutputHub:
    """Hands each piece to everyone who watches; nobody watching costs nothing."""

    def __init__(self) -> None:
        self._listeners = Listeners[OutputListener]()

    def watch(self, listener: OutputListener) -> AbstractContextManager[None]:
        """Tells `listener` while the context is open."""
        return self._listeners.present(listener)

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
        self.publish(OutputChunk(session, spec, "spec", text, path))

    @property
    def watched(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)


class TurnSink:
    """A `DeltaSink`."""

    def __init__(self, hub: OutputHub, session: SessionId, turn: int) -> None:
        self._hub = hub
        self._session = session
        self._turn = turn

    def delta(self, block: int, kind: DeltaKind, text: str, name: str = "") -> None:
        """Hands a delta on under `<turn>.<block>`."""
        if self._hub.watched:
            known: OutputKind = kind
            self._hub.publish(OutputChunk(self._session, f"{self._turn}.{block}", known, text, name))


class CommandOutput:
    """A `tools.ports.Output`."""

    def __init__(self, hub: OutputHub, session: SessionId, call: CallId) -> None:
        self._hub = hub
        self._session = session
        self._call = call

    def chunk(self, text: str) -> None:
        """Hands on what a command printed."""
        if self._hub.watched:
            self._hub.publish(OutputChunk(self._session, self._call, "command", text))
