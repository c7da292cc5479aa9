"""Tells an agent that goes in circles from one that works or waits, by its recent turns. Refuses to say what to do.

Progress is whatever is new: a state of a file, or what a call says. Each state of a file makes everything worth asking
again, so a test may be run after each edit; who waits for a live process makes progress too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from specloom.domain.ids import Digest

COMMAND = "run_command"
WINDOW = 60
"""Turns that are looked at."""
NOISE = re.compile(
    r"\b\d+(\.\d+)? ?m?s(ec(onds?)?)?\b|\b\d{1,2}:\d\d(:\d\d(\.\d+)?)?\b|\b\d{4}-\d\d-\d\d\b|0x[0-9a-f]+"
)
"""What differs between two runs of the same thing: durations, times, addresses."""
WAITS = re.compile(
    r"\bsleep[ (]+[\d.$]|(^|[;&|(`]|\b(do|then|else|docker|kubectl|podman)\b)\s*(wait|until)(?=[\s;&)]|$)", re.MULTILINE
)
"""A command that lets time pass; not one that is about such words."""
RUNS = re.compile(r"^job \d+ \(`.*`\):? running\b", re.MULTILINE)
SPACE = re.compile(r"\s+")


class Circle(StrEnum):
    """How an agent goes in circles."""

    REPEATS = "repeats"
    """Calls that it made before, with the results that they had before."""
    PING_PONG = "ping-pong"
    """A file goes back and forth between texts that it had before."""
    EMPTY = "empty"
    """Turns without a call."""


@dataclass(frozen=True, slots=True)
class CallSeen:
    """One call of a turn."""

    name: str
    input: str
    result: str
    """Without what differs each time. Of both, a digest will do."""
    states: tuple[tuple[str, Digest], ...] = ()
    """Files that it changed, or showed, and their texts after it."""
    writes: bool = False
    waits: bool = False
    """For a process that is alive."""


@dataclass(frozen=True, slots=True)
class TurnSeen:
    """One turn; without calls, it did nothing."""

    calls: tuple[CallSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class Patience:
    """How many turns in a row it takes."""

    repeats: int = 4
    returns: int = 4
    """Edits of a file in a row, each to a text that it had before."""
    empty: int = 3


@dataclass(frozen=True, slots=True)
class Circling:
    """What was found."""

    circle: Circle
    turns: int

    @property
    def text(self) -> str:
        """For people and models."""
        match self.circle:
            case Circle.REPEATS:
                return f"{self.turns} turns in a row repeated calls whose results were known, and changed nothing"
            case Circle.PING_PONG:
                return f"{self.turns} edits in a row put a file back to a text that it had before"
            case Circle.EMPTY:
                return f"{self.turns} turns in a row made no call"


@dataclass(slots=True)
class _Memory:
    """What is known by now."""

    said: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])
    states: set[tuple[str, Digest]] = field(default_factory=set[tuple[str, Digest]])
    present: dict[str, Digest] = field(default_factory=dict[str, Digest])
    returns: dict[str, int] = field(default_factory=dict[str, int])
    """By file, edits in a row that led to a known text."""
    last: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """What each call said when it was made last."""
    changes: int = 0
    """New texts of files, and commands that say something else than before."""

    def take(self, turn: TurnSeen) -> bool:
        """Whether the turn brought anything new."""
        # Each call is taken in, whatever the first one brought.
        new = [self._call(call) for call in turn.calls]
        return any(new)

    def _call(self, call: CallSeen) -> bool:
        # A call that writes is judged by the text that it leaves behind, however it says so.
        new = [self._state(call, path, digest) for path, digest in call.states if digest or call.writes]
        if call.writes and new:
            return any(new)
        told = (call.name, call.input, call.result)
        known, _ = told in self.said, self.said.add(told)
        before = self.last.get(told[:2], call.result)
        self.last[told[:2]] = call.result
        self.changes += before != call.result and call.name == COMMAND
        return not known or call.waits

    def _state(self, call: CallSeen, path: str, digest: Digest) -> bool:
        changed, new = self.present.get(path) != digest, (path, digest) not in self.states
        self.present[path] = digest
        self.states.add((path, digest))
        if not call.writes or not changed:
            return False
        self.returns[path] = 0 if new else self.returns.get(path, 0) + 1
        if new:
            self.said.clear()
            self.changes += 1
        return new


def circling(turns: Sequence[TurnSeen], since: int = 0, patience: Patience | None = None) -> Circling | None:
    """How the newest turns go in circles; `None`: they do not. Only turns from number `since` on count against it."""
    limits, memory = patience or Patience(), _Memory()
    repeats = empty = 0
    start = max(len(turns) - WINDOW, 0)
    for number, turn in enumerate(turns[start:], start):
        if number == since:
            memory.returns.clear()
        new = memory.take(turn)
        counts = number >= since
        repeats = 0 if new or not counts else repeats + bool(turn.calls)
        empty = 0 if turn.calls or not counts else empty + 1
    returns = max(memory.returns.values(), default=0) if since < len(turns) else 0
    if returns >= limits.returns:
        return Circling(Circle.PING_PONG, returns)
    if repeats >= limits.repeats:
        return Circling(Circle.REPEATS, repeats)
    return Circling(Circle.EMPTY, empty) if empty >= limits.empty else None


def changed(turns: Sequence[TurnSeen], since: int) -> bool:
    """Whether a file or what a command says changed from turn number `since` on; looking alone changes nothing."""
    memory, before = _Memory(), 0
    for number, turn in enumerate(turns):
        before = memory.changes if number == since else before
        memory.take(turn)
    return len(turns) > since and memory.changes > before


def quiet(text: str) -> str:
    """A result without what differs each time."""
    return NOISE.sub("…", text)


def plain(asked: str) -> str:
    """What was asked, its white space aside."""
    return SPACE.sub(" ", asked).strip()


def waits(name: str, asked: str, result: str) -> bool:
    """Whether a call waited for a process that is alive: by its command, if it has one, and its answer."""
    if name == "command_jobs":
        return bool(RUNS.search(result))
    return name == COMMAND and (bool(WAITS.search(asked)) or "it goes on as job" in result)
