"""Decides what a request is answered with: session by its beginning, turn by its length, branch by its newest message.

Refuses to look at the order of arrival: the same request gets the same answer again, and is counted as a repeat.
"""

import hashlib
import threading
from dataclasses import dataclass, field

from specloom.llm.messages import Usage
from specloom.llm.scripted.laws import THINKING, thinking_problem, violation
from specloom.llm.scripted.reading import Json, head_of, system_of, text_of
from specloom.llm.scripted.script import Branch, Fault, Script, Session
from specloom.llm.scripted.sizes import Footprint, parts_of, tokens_of, usage_of
from specloom.llm.scripted.stream import message_of


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer of the API."""

    status: int
    type: str
    message: str


@dataclass(frozen=True, slots=True)
class Played:
    """An answer and where in the script it stands; `fault` is to be played instead or in the middle of it."""

    session: str
    turn: int
    """1-based, as messages name it."""
    branch: Branch
    message: Json
    fault: Fault | None
    repeat: bool


@dataclass(slots=True)
class _Known:
    """What a request got when it first came."""

    session: int
    turn: int
    branch: Branch
    usage: Usage
    times: int = 0


@dataclass(slots=True)
class Player:
    """Plays one script to any number of clients at once."""

    script: Script
    failures: list[str] = field(default_factory=list[str])
    """What was asked for and not foreseen, or against the laws of the API."""
    _known: dict[str, _Known] = field(default_factory=dict[str, _Known])
    _asked: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    _before: dict[int, Footprint] = field(default_factory=dict[int, Footprint])
    _served: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Json) -> Played | Refusal:
        """What to answer to one `POST /v1/messages`."""
        facts = self.script.model
        if request.get("model") != facts.id:
            return Refusal(404, "not_found_error", f"model: {request.get('model')}")
        with self._lock:
            problem = violation(request, facts) or thinking_problem(request, self._served)
            if problem:
                return self._fail(problem)
            parts = parts_of(request)
            footprint = Footprint.of(request, parts)
            if footprint.total > facts.max_input_tokens:
                message = f"prompt is too long: {footprint.total} tokens > {facts.max_input_tokens} maximum"
                return Refusal(400, "invalid_request_error", message)
            digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
            known = self._known.get(digest) or self._find(request, footprint)
            if isinstance(known, str):
                return self._fail(known)
            self._known[digest] = known
            return self._play(known, digest)

    def unused(self) -> list[str]:
        """The turns that nobody asked for, optional ones aside."""
        with self._lock:
            return [
                f"session {session.name!r}, turn {turn + 1}"
                for place, session in enumerate(self.script.sessions)
                for turn, entry in enumerate(session.turns)
                if not (session.optional or entry.optional or (place, turn) in self._asked)
            ]

    def _play(self, known: _Known, digest: str) -> Played:
        known.times += 1
        self._asked.add((known.session, known.turn))
        message = message_of(known.branch, digest, self.script.model.id, known.usage)
        thinking = [block for block in message["content"] if block["type"] in THINKING]
        if thinking:
            calls = (block["id"] for block in message["content"] if block["type"] == "tool_use")
            self._served |= dict.fromkeys(calls, thinking)
        return Played(
            session=self.script.sessions[known.session].name,
            turn=known.turn + 1,
            branch=known.branch,
            message=message,
            fault=_fault_of(known.branch, known.times),
            repeat=known.times > 1,
        )

    def _find(self, request: Json, footprint: Footprint) -> _Known | str:
        """The place in the script, or what is wrong with it."""
        session = self._session(request)
        if isinstance(session, str):
            return session
        entry = self.script.sessions[session]
        messages = request["messages"]
        turn = sum(message["role"] == "assistant" for message in messages)
        newest = text_of(messages[-1])
        where = f"session {entry.name!r}, turn {turn + 1}"
        if turn >= len(entry.turns):
            return f"{where}: the script has only {len(entry.turns)} turns; newest message: {head_of(newest)}"
        branch = next((branch for branch in entry.turns[turn].branches if _fits(branch, newest)), None)
        if branch is None:
            wanted = " or ".join(_wanted(branch) for branch in entry.turns[turn].branches)
            return f"{where}: expected {wanted}; newest message: {head_of(newest)}"
        output = sum(tokens_of(str(part.block)) for part in branch.answer)
        usage = branch.usage or usage_of(footprint, self._before.get(session), output)
        self._before[session] = footprint
        return _Known(session, turn, branch, usage)

    def _session(self, request: Json) -> int | str:
        opening = f"{system_of(request)}\n{text_of(request['messages'][0])}"
        fitting = [place for place, entry in enumerate(self.script.sessions) if _opens(entry, opening)]
        if len(fitting) == 1:
            return fitting[0]
        first = head_of(text_of(request["messages"][0]))
        if not fitting:
            names = ", ".join(repr(entry.name) for entry in self.script.sessions)
            return f"no session begins like this; there are {names or 'none'}; first message: {first}"
        names = ", ".join(repr(self.script.sessions[place].name) for place in fitting)
        return f"several sessions begin like this: {names}; first message: {first}"

    def _fail(self, problem: str) -> Refusal:
        self.failures.append(problem)
        return Refusal(400, "invalid_request_error", problem)


def _opens(session: Session, opening: str) -> bool:
    return all(text in opening for text in session.first) and not any(text in opening for text in session.not_first)


def _fits(branch: Branch, newest: str) -> bool:
    return all(text in newest for text in branch.expect) and not any(text in newest for text in branch.not_expect)


def _wanted(branch: Branch) -> str:
    without = f" without {list(branch.not_expect)}" if branch.not_expect else ""
    return f"{list(branch.expect)}{without}"


def _fault_of(branch: Branch, times: int) -> Fault | None:
    """The fault of the `times`-th request of this kind: each lasts for its own number of times, in order."""
    passed = 0
    for fault in branch.faults:
        passed += fault.times
        if fault.times == 0 or times <= passed:
            return fault
    return None
