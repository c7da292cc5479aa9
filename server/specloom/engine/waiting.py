"""How long the models that are being asked have said nothing, folded from events and output.

Refuses clocks and words: whoever shows it brings the time, and says what may be done about it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from specloom.domain.events import agents, planning, runs
from specloom.domain.ids import SessionId
from specloom.domain.project import ProjectState
from specloom.engine.api import OutputChunk, Published

SILENT_AFTER = 15.0
"""Seconds without a sign of life after which a person is told."""
_OfSession: TypeAlias = agents.TurnFinished | agents.TurnFailed | agents.ToolRequested | agents.SessionEnded
_Endings: TypeAlias = runs.RunPaused | runs.RunFinished | planning.PlanFinished | planning.PlanFailed


@dataclass(frozen=True, slots=True)
class Silence:
    """A model that says nothing."""

    role: str
    model: str
    seconds: float

    def told(self, host: str) -> str:
        """`still waiting for MODEL at HOST (20 s)`."""
        where = f" at {host}" if host else ""
        return f"still waiting for {self.model}{where} ({int(self.seconds)} s)"


@dataclass(slots=True)
class _Request:
    role: str
    model: str
    heard: float
    answering: bool = False


class ModelWatch:
    """The requests in flight, and when each of their models was last heard."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._asked: dict[SessionId, _Request] = {}

    @property
    def unanswered(self) -> bool:
        """Requests are out, or about to be sent again, and nothing of any answer has come."""
        return bool(self._asked) and not any(request.answering for request in self._asked.values())

    def silence(self) -> Silence | None:
        """The longest one that a person should be told of; `None` while there is nothing to tell."""
        longest = min(self._asked.values(), key=lambda request: request.heard, default=None)
        if longest is None or (seconds := self._now() - longest.heard) < SILENT_AFTER:
            return None
        return Silence(longest.role, longest.model, seconds)

    def hear(self, published: Published, state: ProjectState) -> None:
        """Takes in a committed event."""
        event = published.event
        if isinstance(event, agents.TurnRequested):
            known = state.sessions.get(event.session)
            role, model = (known.role, known.model) if known is not None else ("", "the model")
            self._asked[event.session] = _Request(role, model, self._now())
        elif isinstance(event, agents.TurnFailed) and event.retry_in_s is not None:
            if event.session in self._asked:
                self._asked[event.session].answering = False
        elif isinstance(event, _OfSession):
            self._asked.pop(event.session, None)
        elif isinstance(event, _Endings):
            self._asked.clear()

    def hear_output(self, chunk: OutputChunk) -> None:
        """Takes in a piece of the stream."""
        request = self._asked.get(chunk.session)
        if request is not None:
            request.answering, request.heard = True, self._now()
