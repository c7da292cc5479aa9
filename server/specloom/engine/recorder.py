"""Writes the events of an agent's sessions to its stream in the log. Refuses to answer before they are committed."""

from specloom.domain.events.agents import AgentEvent
from specloom.domain.ids import AgentId
from specloom.domain.origin import Origin
from specloom.engine.ledger import Ledger
from specloom.engine.transcript import TranscriptWriter


class SessionRecorder:
    """An `agent.ports.Recorder` for one agent."""

    def __init__(self, ledger: Ledger, transcripts: TranscriptWriter, agent: AgentId) -> None:
        self._ledger = ledger
        self._transcripts = transcripts
        self._by = Origin("agent", agent=agent)
        self._stream = stream_of(agent)
        self._noted: list[AgentEvent] = []

    def note(self, *events: AgentEvent) -> None:
        """Keeps events for the next commit."""
        self._noted.extend(events)

    async def commit(self, *events: AgentEvent) -> None:
        """Commits what was noted and `events`, in this order."""
        batch, self._noted = [*self._noted, *events], []
        if batch:
            await self._ledger.append(self._stream, batch, self._by)
            self._transcripts.write(batch)


def stream_of(agent: AgentId) -> str:
    """The stream that holds an agent's events."""
    return f"agent/{agent}"
