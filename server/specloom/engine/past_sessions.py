"""What the log has of the sessions of one attempt, for those that follow. Refuses to keep what nobody hands over."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from specloom.agent.briefing import Ran
from specloom.agent.replay import answer_of
from specloom.domain.events import Event, agents, proof
from specloom.domain.evolve_agents import said_to_agent
from specloom.domain.ids import AgentId, ApprovalId, AttemptId, CallId, EditId, SessionId
from specloom.engine.agent_shells import COMMAND_TOOL
from specloom.engine.asker import INSTEAD

EXECUTOR, SUMMARISER = "executor", "summariser"
INTERRUPTED = "its outcome is unknown: it was interrupted, and may have happened wholly, partly or not at all"
STARTED = "job "
"""How the answer begins that tells of a job which has printed nothing yet."""
OUTPUT_KEPT = 4_000
"""Characters of a command's output, from its end."""


@dataclass(slots=True)
class PastSession:
    """One session of the executor."""

    id: SessionId
    number: int
    agent: AgentId
    turns: int = 0
    outcome: str = ""
    fruitful: bool = False
    """A file changed in it, a command said something new, or a person answered."""


@dataclass(slots=True)
class PastSummary:
    """What a summariser was asked about a session."""

    of: SessionId
    words: str | None = None
    """`None`: there is no answer in the log."""
    ended: bool = False


@dataclass(slots=True)
class PastSessions:
    """All of them, oldest first, and what was run in them. What goes on beside them is none of it."""

    attempt: AttemptId
    sessions: list[PastSession] = field(default_factory=list[PastSession])
    last_words: str = ""
    """What the executor said last."""
    claim: str = ""
    """The same, where it claimed the task with it."""
    summaries: dict[SessionId, PastSummary] = field(default_factory=dict[SessionId, PastSummary])
    """By the id of the summariser's session."""
    _ran: dict[str, Ran] = field(default_factory=dict[str, Ran])
    _refused: dict[str, str] = field(default_factory=dict[str, str])
    _commands: dict[CallId, str] = field(default_factory=dict[CallId, str])
    _paths: dict[CallId, str] = field(default_factory=dict[CallId, str])
    """Tools and files of calls that are no commands, until they are answered."""
    _asked: dict[ApprovalId, agents.ApprovalAsked] = field(default_factory=dict[ApprovalId, agents.ApprovalAsked])
    _edits: set[EditId] = field(default_factory=set[EditId])
    _known: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    @classmethod
    def of(cls, attempt: AttemptId, events: Iterable[Event]) -> "PastSessions":
        """From the events since the attempt began."""
        past = cls(attempt)
        for event in events:
            past._take(event)
        return past

    @property
    def ran(self) -> tuple[Ran, ...]:
        """The commands in the order in which they ran last; behind them those that were interrupted."""
        ended = (known for known in self._ran.values() if known.command not in self._commands.values())
        return (*ended, *(Ran(command, INTERRUPTED) for command in dict.fromkeys(self._commands.values())))

    @property
    def refused(self) -> tuple[str, ...]:
        """Calls that were no commands and for which there was no leave, and why."""
        return tuple(f"{what}: {why}" for what, why in self._refused.items())

    @property
    def turns(self) -> int:
        """Of all sessions."""
        return sum(session.turns for session in self.sessions)

    @property
    def fruitless(self) -> int:
        """How many of the last sessions in a row handed over and had changed nothing."""
        count = 0
        for session in reversed(self.sessions):
            if session.fruitful or session.outcome != "rotated":
                break
            count += 1
        return count

    def summary(self, of: SessionId) -> PastSummary | None:
        """The newest one about a session."""
        return next((item for item in reversed(self.summaries.values()) if item.of == of), None)

    def _take(self, event: Event) -> None:
        match event:
            case agents.SessionStarted(attempt=self.attempt, parent=None):
                self._begin(event)
            case agents.TurnFinished() | agents.SessionEnded():
                self._follow(event)
            case agents.ToolRequested() if self._session(event.session) is not None:
                self._request(event)
            case agents.ToolSettled() if event.call in self._commands:
                self._settle(event, self._commands.pop(event.call))
            case agents.ToolSettled() if event.call in self._paths:
                self._refuse(event, self._paths.pop(event.call))
            case agents.ApprovalAsked():
                self._asked[event.approval] = event
            case agents.ApprovalAnswered():
                self._answer(event)
            case proof.EditRequested(attempt=self.attempt):
                self._edits.add(event.edit)
            case proof.EditSettled(applied=True) if event.edit in self._edits:
                self._fruit()
            case _:
                pass

    def _begin(self, event: agents.SessionStarted) -> None:
        if event.role == EXECUTOR:
            self.sessions.append(PastSession(event.session, event.number, event.agent))
        elif event.role == SUMMARISER and event.previous is not None:
            self.summaries[event.session] = PastSummary(event.previous)

    def _follow(self, event: agents.TurnFinished | agents.SessionEnded) -> None:
        summary = self.summaries.get(event.session)
        session = self._session(event.session)
        if isinstance(event, agents.SessionEnded):
            if summary is not None:
                summary.ended = True
            elif session is not None:
                session.outcome = event.outcome
                self.claim = event.reason if event.outcome == "claimed" else ""
        elif summary is not None:
            summary.words = answer_of(event).text.strip()
        elif session is not None:
            session.turns += 1
            self.last_words = answer_of(event).text.strip() or self.last_words

    def _session(self, name: SessionId) -> PastSession | None:
        return next((item for item in reversed(self.sessions) if item.id == name), None)

    def _request(self, event: agents.ToolRequested) -> None:
        values: dict[str, object] = json.loads(event.input)
        if event.name == COMMAND_TOOL:
            self._commands[event.call] = str(values.get("command", ""))
        elif "path" in values:
            self._paths[event.call] = f"{event.name} {values['path']}"

    def _refuse(self, event: agents.ToolSettled, what: str) -> None:
        told = _text(event.content)
        if event.is_error and told.endswith(f"; {INSTEAD}"):
            self._refused[what] = _without_advice(told)

    def _settle(self, event: agents.ToolSettled, command: str) -> None:
        told, _, output = _text(event.content).partition("\n")
        told = _without_advice(told)
        self._ran.pop(command, None)
        printed = "" if told.startswith(STARTED) else output[-OUTPUT_KEPT:]
        self._ran[command] = Ran(command, told, printed)
        if (command, told) not in self._known:
            self._known.add((command, told))
            self._fruit()

    def _answer(self, event: agents.ApprovalAnswered) -> None:
        asked = self._asked.pop(event.approval, None)
        if asked is None or not self.sessions or asked.agent != self.sessions[-1].agent:
            return
        if said_to_agent(asked.kind, asked.subject, event) is not None:
            self._fruit()

    def _fruit(self) -> None:
        if self.sessions:
            self.sessions[-1].fruitful = True


def _without_advice(told: str) -> str:
    return told.removesuffix(f"; {INSTEAD}")


def _text(raw: str) -> str:
    """The text of a `tool_result` block."""
    content: object = json.loads(raw).get("content", "")
    return content if isinstance(content, str) else ""
