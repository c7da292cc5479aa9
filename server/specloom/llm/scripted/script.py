"""A script as values: sessions, their turns, what to answer and how to fail. Refuses to read files: see `load.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from specloom.llm.messages import Usage


class ScriptError(Exception):
    """A script is wrong, or the play did not go as written. Says file, place and what is allowed."""


class FaultKind(StrEnum):
    """The ways to fail; the names are the keys in a script file."""

    STATUS = "status"
    """An error answer with this HTTP status."""
    CLOSE = "close"
    """The connection closes without any answer."""
    CUT_AFTER_EVENTS = "cut_after_events"
    CUT_AFTER_BYTES = "cut_after_bytes"
    STALL_S = "stall_s"
    """Seconds of silence after `after_events` events, then the rest."""
    GARBAGE = "garbage"
    """Bytes that are no event after `after_events` events, then the end."""
    ERROR_EVENT = "error_event"
    """An `error` event of this type after `after_events` events, then the end."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail, played the first `times` times that one and the same request comes (0: always)."""

    kind: FaultKind
    amount: float = 0
    """Status, events, bytes or seconds, by kind."""
    type: str = ""
    message: str = ""
    retry_after: str | None = None
    location: str | None = None
    after_events: int = 0
    times: int = 1


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """A content block as the API sends it (a tool call may lack its id)."""

    block: Mapping[str, Any]
    partial: str | None = None
    """Streamed as the input of a tool call instead of its JSON: broken or cut input."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One possible answer of a turn, chosen by what the newest message holds."""

    answer: tuple[AnswerPart, ...]
    expect: tuple[str, ...] = ()
    not_expect: tuple[str, ...] = ()
    stop: str | None = None
    """`None`: worked out from the answer."""
    usage: Usage | None = None
    """`None`: worked out from sizes."""
    delay_s: float = 0.0
    hold: str | None = None
    """Name of a gate that a test opens with `ScriptedServer.release`; the answer waits there."""
    hold_after_events: int = 0
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One request of a session; the first branch that fits answers."""

    branches: tuple[Branch, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation, known by what its system text and first message hold."""

    name: str
    first: tuple[str, ...]
    not_first: tuple[str, ...]
    turns: tuple[Turn, ...]
    optional: bool = False
    """Whether it is no failure that nobody asked."""


@dataclass(frozen=True, slots=True)
class ScriptedFacts:
    """What the Models API says of the scripted model."""

    id: str = "scripted-1"
    max_input_tokens: int = 200_000
    max_tokens: int = 32_000


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that a server can play."""

    sessions: tuple[Session, ...]
    model: ScriptedFacts = ScriptedFacts()
