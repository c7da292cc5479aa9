"""Builds a conversation again from its events, byte for byte. Refuses to guess how an interrupted call ended."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, cast

from specloom.agent.calls import result_of
from specloom.agent.session import Conversation
from specloom.domain.events import Event, agents
from specloom.domain.ids import Digest
from specloom.domain.usage import UsageTotal
from specloom.llm.decode import decode_message
from specloom.llm.messages import (
    AssistantMessage,
    ModelAnswer,
    Opaque,
    StopReason,
    Text,
    ToolResult,
    ToolUse,
    UserBlock,
    UserMessage,
)
from specloom.tools.continue_in_new_session import NAME as CONTINUE
from specloom.tools.tool import ToolOutcome

UNKNOWN = (
    "The outcome is unknown: Specloom was stopped while this call ran, and it was not run again. "
    "It may have happened wholly, partly or not at all. Look at the present state before you go on."
)


@dataclass(slots=True)
class Replayed:
    """A conversation as the log has it, and what its last answer still waits for."""

    conversation: Conversation = field(default_factory=Conversation)
    calls: tuple[ToolUse, ...] = ()
    """The calls of the last answer while not all of them are answered, else empty."""
    results: dict[str, ToolResult] = field(default_factory=dict[str, ToolResult])
    """Answers to some of `calls`, by call id."""
    requested: set[str] = field(default_factory=set[str])
    """Calls that were started; without a result their outcome is unknown."""
    ended: agents.SessionEnded | None = None
    """How the session ended, if it did."""
    shown: dict[str, Digest] = field(default_factory=dict[str, Digest])
    """What the model was shown last of each file, by digest; an empty one: it has no text of it any more."""
    warned: bool = False
    """The session was told that it has too much open."""
    cut: ModelAnswer | None = None
    """The last answer if it was cut off and the model has not been told so."""

    @property
    def unknown(self) -> tuple[ToolUse, ...]:
        """Calls that were started and whose outcome nobody knows."""
        return tuple(call for call in self._open if self._may_have_run(call))

    @property
    def unstarted(self) -> tuple[ToolUse, ...]:
        """Calls that certainly did nothing."""
        return tuple(call for call in self._open if not self._may_have_run(call))

    def answer(self, call: ToolUse, text: str) -> tuple[ToolResult, ToolOutcome]:
        """Settles a call that was not seen to its end with what the model is told of it."""
        outcome = ToolOutcome(text, is_error=True)
        self.results[call.id] = result_of(call, outcome)
        return self.results[call.id], outcome

    @property
    def _open(self) -> tuple[ToolUse, ...]:
        return tuple(call for call in self.calls if call.id not in self.results)

    def _may_have_run(self, call: ToolUse) -> bool:
        # A hand-over that is not settled has done nothing to anybody.
        return call.id in self.requested and call.name != CONTINUE


def replay(events: Iterable[Event]) -> Replayed:
    """The conversation that the events of one session, in order, tell."""
    replayed = Replayed()
    for event in events:
        _take(replayed, event)
        if isinstance(event, agents.ToolSettled | agents.MessageAdded | agents.ContextCollapsed):
            replayed.shown.update(event.shown)
    return replayed


def _take(replayed: Replayed, event: Event) -> None:
    if isinstance(event, agents.MessageAdded):
        replayed.cut = None  # What is said of a cut is the first thing that is said after it.
        replayed.conversation.add_user(UserMessage(_user_blocks(event.content)), tuple(path for path, _ in event.shown))
    elif isinstance(event, agents.ContextCollapsed):
        replayed.conversation.collapse(event.collapsed)
        if blocks := _user_blocks(event.content):
            replayed.conversation.add_user(UserMessage(blocks), tuple(path for path, _ in event.shown))
    elif isinstance(event, agents.OpenFilesWarned):
        replayed.warned = True
    elif isinstance(event, agents.TurnFinished):
        _take_answer(replayed, _answer(event), event.usage)
    elif isinstance(event, agents.ToolRequested):
        replayed.requested.add(event.call)
    elif isinstance(event, agents.ToolSettled):
        replayed.results[event.call] = _result(json.loads(event.content))
        if event.corrected:
            replayed.conversation.correct(event.call, json.loads(event.corrected))
        close(replayed)
    elif isinstance(event, agents.SessionEnded):
        replayed.ended = event


def _take_answer(replayed: Replayed, answer: ModelAnswer, usage: UsageTotal) -> None:
    replayed.conversation.add_answer(answer.message, usage)
    replayed.cut = answer if answer.was_cut else None
    replayed.calls, replayed.results, replayed.requested = answer.message.tool_uses, {}, set()


def close(replayed: Replayed) -> None:
    """Appends the answers to the last calls once all of them are there."""
    if replayed.calls and all(call.id in replayed.results for call in replayed.calls):
        answers = tuple(replayed.results[call.id] for call in replayed.calls)
        replayed.conversation.add_user(UserMessage(answers))
        replayed.calls = ()


def answer_of(event: agents.TurnFinished) -> AssistantMessage:
    """The model's message as it was kept: whole blocks, whatever cut the answer off behind them."""
    return _answer(event).message


def _answer(event: agents.TurnFinished) -> ModelAnswer:
    body = {"content": json.loads(event.content), "stop_reason": StopReason.END_TURN.value, "model": event.model}
    answer = decode_message(body)
    stop = StopReason.MAX_TOKENS if event.stop == StopReason.MAX_TOKENS.value else StopReason.OTHER
    was_cut = stop is StopReason.MAX_TOKENS or event.dropped_calls > 0
    return replace(answer, stop=stop, dropped_calls=event.dropped_calls) if was_cut else answer


def _user_blocks(content: str) -> tuple[UserBlock, ...]:
    return tuple(_user_block(raw) for raw in cast("list[dict[str, Any]]", json.loads(content)))


def _user_block(raw: dict[str, Any]) -> UserBlock:
    match raw.get("type"):
        case "text":
            return Text(str(raw["text"]), raw)
        case "tool_result":
            return _result(raw)
        case other:
            return Opaque(str(other), raw)


def _result(raw: dict[str, Any]) -> ToolResult:
    content = raw.get("content", "")
    text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    return ToolResult(str(raw["tool_use_id"]), text, bool(raw.get("is_error")), raw)
