"""What agents, their sessions and the people they ask did. Refuses deltas: a finished block is the event.

`content` fields hold JSON text of Messages-API blocks, so that a conversation is rebuilt byte for byte from the log.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from specloom.domain.ids import AgentId, ApprovalId, AttemptId, CallId, Digest, PromptId, SessionId, TaskId
from specloom.domain.no_progress import Circle
from specloom.domain.usage import UsageTotal

PERSON = "user"
"""The rule of whatever a person answers."""
INTERRUPTED = "interrupted"
"""The fault of a turn whose answer was cut off by us; nothing is wrong with its endpoint."""
NO = "Deny"
"""The last choice of whoever may allow something."""


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """A context window of conversation opened. Everything here stays fixed for its life."""

    V: ClassVar[int] = 1
    session: SessionId
    agent: AgentId
    role: str
    attempt: AttemptId | None
    task: TaskId | None
    model: str
    system: str
    tools: tuple[str, ...]
    """Names, in the order in which the model is told of them."""
    previous: SessionId | None = None
    """The session that this one continues; of a summariser, the one that it reads."""
    number: int = 1
    """Which session of its attempt it is, in its role."""
    because: str = ""
    """Why the previous one had to end."""
    parent: SessionId | None = None
    """The session that sent this sub-agent."""
    call: CallId | None = None
    """The call by which it did."""


@dataclass(frozen=True, slots=True)
class MessageAdded:
    """A user message that is not tool results: the first one, a nudge, feedback, a person's words."""

    V: ClassVar[int] = 1
    session: SessionId
    content: str
    shown: tuple[tuple[str, Digest], ...] = ()
    """Where it tells of changed files: the file of each block and the digest that the model knows now, "" for none."""


@dataclass(frozen=True, slots=True)
class ContextCollapsed:
    """Before request `turn`, old results and texts of ours became one line each; open files are shown behind them.

    Lines and views stand here as they were sent, so that a replay gives the same bytes whatever the version.
    """

    V: ClassVar[int] = 1
    session: SessionId
    turn: int
    collapsed: tuple[tuple[int, str], ...]
    """Numbers of entries of the conversation, and the line that each is now."""
    content: str
    """JSON of the text blocks that show files as they are."""
    shown: tuple[tuple[str, Digest], ...]
    """The file of each block, and the digest of its text."""
    tokens_before: int
    """Estimated size of the context."""
    tokens_after: int


@dataclass(frozen=True, slots=True)
class OpenFilesWarned:
    """More files are open in a session, or more of their text, than it should carry; once a crossing."""

    V: ClassVar[int] = 1
    session: SessionId
    files: int
    characters: int


@dataclass(frozen=True, slots=True)
class TurnRequested:
    """A request is about to go out; `turn` counts from 1 in the session."""

    V: ClassVar[int] = 1
    session: SessionId
    turn: int
    attempt_no: int = 1
    """Which try at this turn: 2 after one retry."""


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The whole answer came in."""

    V: ClassVar[int] = 1
    session: SessionId
    turn: int
    content: str
    stop: str
    usage: UsageTotal
    model: str
    dropped_calls: int = 0


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """No answer; `retry_in_s` when the engine will try again."""

    V: ClassVar[int] = 1
    session: SessionId
    turn: int
    fault: str
    message: str
    retry_in_s: float | None = None
    usage: UsageTotal = UsageTotal()
    """What an answer that broke off had cost by then."""
    asked: int = 0
    """How often the turn was asked by then; 0: an older log does not say."""
    tries: int = 0
    """How often it is asked at the most, where another try follows."""


@dataclass(frozen=True, slots=True)
class ToolRequested:
    """A tool is about to run."""

    V: ClassVar[int] = 1
    session: SessionId
    call: CallId
    name: str
    input: str
    """JSON as the model sent it."""


@dataclass(frozen=True, slots=True)
class ToolSettled:
    """What the model is answered; `content` is one `tool_result` block."""

    V: ClassVar[int] = 1
    session: SessionId
    call: CallId
    name: str
    is_error: bool
    content: str
    blocked: str = ""
    shown: tuple[tuple[str, Digest], ...] = ()
    """Files whose text the model knows now, with the digest of what it was shown: the bases of its edits. An empty
    digest: closed, and not known any more."""
    corrected: str = ""
    """JSON of the input as it was understood, where that differs: from now on the conversation holds it like this."""
    rule: str = ""
    """The permission that the call was made or refused by; empty: it was refused before anybody asked."""
    watched: Literal["", "running", "ended"] = ""
    """How the job stood whose output the call did nothing but look at; empty: it did more, or looked elsewhere."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """No further turn: `claimed` (the model says so), `blocked`, `turn-limit`, `cancelled`, `fault`, `rotated`."""

    V: ClassVar[int] = 1
    session: SessionId
    outcome: str
    reason: str = ""
    remaining: str = ""
    """Where the model handed over by itself: its words for the session that follows."""


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """Somebody must decide; `subject` is the exact command or text that a yes allows."""

    V: ClassVar[int] = 1
    approval: ApprovalId
    kind: Literal["command", "proposal", "question", "budget"]
    subject: str
    purpose: str
    agent: AgentId | None
    task: TaskId | None
    choices: tuple[str, ...] = ("Allow once", NO)
    """What can be answered; none: free text."""


@dataclass(frozen=True, slots=True)
class ApprovalAnswered:
    """The answer, and by what rule it was given (`user`, `--yes`, `deadline`, `no client`)."""

    V: ClassVar[int] = 1
    approval: ApprovalId
    allowed: bool
    rule: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NoProgressSeen:
    """A session goes in circles: its agent is told (`nudge`), another session takes over, or the task is blocked."""

    V: ClassVar[int] = 1
    session: SessionId
    turn: int
    circle: Circle
    turns: int
    """How many in a row."""
    step: Literal["nudge", "session", "block"]


@dataclass(frozen=True, slots=True)
class PromptQueued:
    """A person said something to an agent; it hears it at its next turn boundary."""

    V: ClassVar[int] = 1
    prompt: PromptId
    agent: AgentId
    text: str


@dataclass(frozen=True, slots=True)
class PromptWithdrawn:
    """He took it back before it was delivered."""

    V: ClassVar[int] = 1
    prompt: PromptId


@dataclass(frozen=True, slots=True)
class PromptDelivered:
    """The words are part of a conversation, word for word; `MessageAdded` stands right before."""

    V: ClassVar[int] = 1
    prompt: PromptId
    session: SessionId
    text: str


@dataclass(frozen=True, slots=True)
class GrantRevoked:
    """A person took back what was granted for longer than once."""

    V: ClassVar[int] = 1
    grant: str
    kind: str
    text: str
    scope: str


AgentEvent: TypeAlias = (
    SessionStarted
    | MessageAdded
    | ContextCollapsed
    | OpenFilesWarned
    | TurnRequested
    | TurnFinished
    | TurnFailed
    | ToolRequested
    | ToolSettled
    | SessionEnded
    | ApprovalAsked
    | ApprovalAnswered
    | NoProgressSeen
    | PromptQueued
    | PromptWithdrawn
    | PromptDelivered
    | GrantRevoked
)
TYPES = (
    SessionStarted,
    MessageAdded,
    ContextCollapsed,
    OpenFilesWarned,
    TurnRequested,
    TurnFinished,
    TurnFailed,
    ToolRequested,
    ToolSettled,
    SessionEnded,
    ApprovalAsked,
    ApprovalAnswered,
    NoProgressSeen,
    PromptQueued,
    PromptWithdrawn,
    PromptDelivered,
    GrantRevoked,
)
