"""What the log knows of one attempt, for one that goes on after a crash. Refuses to guess what is not in it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from specloom.domain.events import Event, agents, proof, tasks
from specloom.domain.events.proof import CheckPhase
from specloom.domain.ids import AttemptId, CheckId, Digest, SessionId
from specloom.engine.ledger import Ledger


@dataclass(slots=True)
class AttemptHistory:
    """The facts of one attempt in order."""

    attempt: AttemptId
    before: dict[str, bool] = field(default_factory=dict[str, bool])
    """Verify commands that ran to their end before it, and whether they passed."""
    edited: dict[str, tuple[str | None, Digest | None]] = field(
        default_factory=dict[str, tuple[str | None, Digest | None]]
    )
    """Text and digest of each changed file before its first change."""
    made: dict[str, Digest] = field(default_factory=dict[str, Digest])
    """What each changed file became by the newest of these changes."""
    shown: dict[str, Digest] = field(default_factory=dict[str, Digest])
    """What the model was shown last of each file, by digest, the newest last; an empty one: it was closed."""
    session: SessionId | None = None
    because: str = ""
    """Why the session before that one ended."""
    conversation: list[Event] = field(default_factory=list[Event])
    """The events of its newest session."""
    events: list[Event] = field(default_factory=list[Event])
    """Everything since it began, of whomever."""
    review: list[Event] = field(default_factory=list[Event])
    """The events of the newest review of what that session claimed."""
    _reviewer: SessionId | None = None
    _checks: dict[CheckId, str] = field(default_factory=dict[CheckId, str])
    _edits: dict[str, proof.EditRequested] = field(default_factory=dict[str, proof.EditRequested])

    @classmethod
    async def read(cls, ledger: Ledger, attempt: AttemptId) -> "AttemptHistory":
        """Looks back in the log from its end to where the attempt began."""
        events: list[Event] = []
        async for page in ledger.pages_back():
            events[:0] = (item.event for item in page)
            if any(isinstance(item.event, tasks.TaskStarted) and item.event.attempt == attempt for item in page):
                break
        return cls.of(attempt, events)

    @classmethod
    def of(cls, attempt: AttemptId, events: Iterable[Event]) -> "AttemptHistory":
        """Picks what belongs to `attempt` out of a log."""
        history = cls(attempt)
        history.events = list(events)
        for event in history.events:
            history._take(event)
        return history

    def _take(self, event: Event) -> None:
        if isinstance(event, proof.ProofEvent):
            self._take_proof(event)
        elif isinstance(event, agents.SessionStarted):
            if event.attempt == self.attempt:
                self._take_session(event)
        elif isinstance(event, agents.AgentEvent):
            self._take_said(event)

    def _take_session(self, event: agents.SessionStarted) -> None:
        if event.parent is not None:
            return
        if event.role == "executor":
            self.session, self.conversation, self.shown = event.session, [], {}
            self.because = event.because
        self._reviewer, self.review = event.session if event.role == "reviewer" else None, []

    def _take_said(self, event: agents.AgentEvent) -> None:
        session = getattr(event, "session", None)
        if session is None:
            return
        if session == self._reviewer:
            self.review.append(event)
        elif session == self.session:
            self.conversation.append(event)
            if isinstance(event, agents.ToolSettled | agents.MessageAdded | agents.ContextCollapsed):
                for path, digest in event.shown:
                    self.shown.pop(path, None)
                    self.shown[path] = digest

    def _take_proof(self, event: proof.ProofEvent) -> None:
        match event:
            case proof.CheckRequested(attempt=self.attempt, phase=CheckPhase.BEFORE):
                self._checks[event.check] = event.command
            case proof.CheckSettled(note="") if event.check in self._checks:
                self.before[self._checks[event.check]] = event.exit_code == 0
            case proof.EditRequested(attempt=self.attempt):
                self._edits[event.edit] = event
            case proof.EditSettled(applied=True) if event.edit in self._edits:
                asked = self._edits[event.edit]
                self.edited.setdefault(asked.path, (asked.before, asked.before_digest))
                self.made[asked.path] = event.digest or Digest("")
            case _:
                pass
