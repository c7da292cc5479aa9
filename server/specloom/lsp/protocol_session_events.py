"""Events of sessions and approvals as clients hear them. Refuses deltas: those are `specloom/output`."""

from typing import Literal

from specloom.lsp.protocol import Usage
from specloom.lsp.protocol_event_base import EventBase


class SessionEventBase(EventBase):
    """What every event about a session says."""

    session_id: str


class SessionStartedEvent(SessionEventBase):
    """A context window of conversation opened."""

    type: Literal["sessionStarted"] = "sessionStarted"
    role: str
    model: str
    attempt_id: str | None
    task_id: str | None
    previous_id: str | None
    """The session that this one continues; of a summariser, the one that it reads."""
    number: int
    """Which session of its attempt it is, in its role."""
    because: str
    """Why the previous one had to end; empty where none did."""
    parent_id: str | None
    """The session that sent it, where it is a sub-agent's."""
    parent_call_id: str | None
    """The call by which it did."""


class MessageAddedEvent(SessionEventBase):
    """The conversation was given words that are not tool results."""

    type: Literal["messageAdded"] = "messageAdded"
    text: str


class ContextCollapsedEvent(SessionEventBase):
    """Old results became one line each; files that are open were shown again."""

    type: Literal["contextCollapsed"] = "contextCollapsed"
    turn: int
    collapsed: int
    """How many results and texts."""
    paths: list[str]
    """Files shown again."""
    tokens_before: int
    """Estimated size of the context."""
    tokens_after: int


class OpenFilesWarnedEvent(SessionEventBase):
    """More files are open in a session than it should carry."""

    type: Literal["openFilesWarned"] = "openFilesWarned"
    files: int
    characters: int


class TurnRequestedEvent(SessionEventBase):
    """A request is about to go out."""

    type: Literal["turnRequested"] = "turnRequested"
    turn: int
    attempt_no: int


class TurnFinishedEvent(SessionEventBase):
    """The whole answer came in."""

    type: Literal["turnFinished"] = "turnFinished"
    turn: int
    text: str
    thinking: str
    """Before the text; empty where the model thought nothing, or its endpoint does not tell."""
    stop: str
    usage: Usage
    model: str


class TurnFailedEvent(SessionEventBase):
    """No answer; `retryInS` when it is tried again."""

    type: Literal["turnFailed"] = "turnFailed"
    turn: int
    fault: str
    message: str
    retry_in_s: float | None
    usage: Usage
    """What an answer that broke off had cost by then."""
    asked: int
    """How often the turn was asked by then; 0: not known."""
    tries: int
    """How often it is asked at the most, where another try follows."""


class ToolRequestedEvent(SessionEventBase):
    """A tool is about to run."""

    type: Literal["toolRequested"] = "toolRequested"
    call_id: str
    name: str
    input: str
    """JSON as the model sent it."""


class ToolSettledEvent(SessionEventBase):
    """A tool ended."""

    type: Literal["toolSettled"] = "toolSettled"
    call_id: str
    name: str
    is_error: bool
    text: str
    rule: str
    """The permission that the call was made or refused by; empty where none was needed."""


class SessionEndedEvent(SessionEventBase):
    """No further turn."""

    type: Literal["sessionEnded"] = "sessionEnded"
    outcome: str
    reason: str
    remaining: str
    """What the model wrote for the session that goes on; empty where it did not hand over by itself."""


class ApprovalAskedEvent(EventBase):
    """Somebody must decide."""

    type: Literal["approvalAsked"] = "approvalAsked"
    approval_id: str
    kind: Literal["command", "proposal", "question", "budget"]
    subject: str
    purpose: str
    task_id: str | None
    choices: list[str]
    """What can be answered; none: free text."""


class ApprovalAnsweredEvent(EventBase):
    """The answer, and by what rule it was given."""

    type: Literal["approvalAnswered"] = "approvalAnswered"
    approval_id: str
    allowed: bool
    rule: str
    reason: str


class NoProgressSeenEvent(SessionEventBase):
    """A session goes in circles: its agent is told, another session takes over, or the task is blocked."""

    type: Literal["noProgressSeen"] = "noProgressSeen"
    turn: int
    circle: Literal["repeats", "ping-pong", "empty"]
    turns: int
    """How many in a row."""
    step: Literal["nudge", "session", "block"]


class PromptQueuedEvent(EventBase):
    """A person said something to an agent, which hears it at its next turn boundary."""

    type: Literal["promptQueued"] = "promptQueued"
    prompt_id: str
    to_agent_id: str
    text: str


class PromptWithdrawnEvent(EventBase):
    """It was taken back before that."""

    type: Literal["promptWithdrawn"] = "promptWithdrawn"
    prompt_id: str


class PromptDeliveredEvent(SessionEventBase):
    """The agent hears it with its next turn."""

    type: Literal["promptDelivered"] = "promptDelivered"
    prompt_id: str
    text: str


class GrantRevokedEvent(EventBase):
    """A person took back what was granted for longer than once."""

    type: Literal["grantRevoked"] = "grantRevoked"
    grant_id: str
    kind: str
    text: str
    scope: str
