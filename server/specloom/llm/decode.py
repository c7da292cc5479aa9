"""Builds one answer from stream events or a plain message. Refuses to give out a half call or to change a block.

Shapes: https://docs.anthropic.com/en/api/messages-streaming and the event types of the SDK.
"""

import json
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NoReturn, cast

from specloom.llm.messages import (
    AnswerBlock,
    AssistantMessage,
    ModelAnswer,
    Opaque,
    StopReason,
    Text,
    Thinking,
    ToolUse,
    Usage,
)
from specloom.llm.model import DeltaKind, DeltaSink

Json = dict[str, Any]


class MalformedStreamError(ValueError):
    """The events are not those of a Messages API."""


class StreamedError(Exception):
    """The endpoint said in the stream that it failed; `error` is its error object."""

    def __init__(self, error: Json) -> None:
        super().__init__(str(error.get("message", "")))
        self.error = error


_GROWING: dict[str, tuple[str, str, DeltaKind]] = {
    # delta type → its text, the field of the block that grows, what a listener is told
    "text_delta": ("text", "text", "text"),
    "thinking_delta": ("thinking", "thinking", "thinking"),
    "input_json_delta": ("partial_json", "input", "tool_input"),
}
_CUTTING = frozenset({StopReason.MAX_TOKENS, StopReason.CONTEXT_WINDOW, StopReason.REFUSAL, StopReason.OTHER})
"""Reasons that may end an answer in the middle of a block, which then may lack its last part."""
CHARACTERS_A_TOKEN = 4
"""About so many, of English text and code."""
MOST_TOKENS = 10**12
"""What is more was never counted: nobody could be billed for it, and no price times it is a number."""
_USAGE = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_input_tokens": "cache_read",
    "cache_creation_input_tokens": "cache_write",
}


class _Block:
    """A block while it grows: the object it started with, and what each of its fields got since."""

    __slots__ = ("closed", "fields", "name", "start", "type")

    def __init__(self, start: Json) -> None:
        self.start = start
        self.type = str(start.get("type", ""))
        self.name = str(start.get("name", ""))
        self.fields: dict[str, list[str]] = {}
        self.closed = False

    def merge(self, delta: Json) -> None:
        """A delta that is not plain growth: signatures replace, citations collect, unknown texts grow."""
        kind = delta.get("type")
        for key, value in delta.items():
            if key == "type":
                continue
            if kind == "citations_delta" and key == "citation":
                self.start["citations"] = [*(self.start.get("citations") or []), value]
            elif kind != "signature_delta" and isinstance(value, str):
                self.fields.setdefault(key, []).append(value)
            else:
                self.start[key] = value

    def raw(self) -> Json:
        """The object as a plain answer would hold it; tool input that is no JSON object is left as it started."""
        grown = {key: _grown(self.start.get(key), parts) for key, parts in self.fields.items() if key != "input"}
        return {**self.start, **grown}

    def input(self) -> tuple[Json, str]:
        """Tool input and why it could not be read (empty if it could)."""
        text = "".join(self.fields.get("input", ())).strip()
        if not text:
            start = self.start.get("input")
            return (cast("Json", start) if isinstance(start, dict) else {}), ""
        try:
            value: object = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            return {}, f"the input is not valid JSON ({error or 'nested too deeply'}): {text[:200]}"
        if not isinstance(value, dict):
            return {}, f"the input is not a JSON object: {text[:200]}"
        return cast("Json", value), ""


class Accumulator:
    """Takes the events of one stream in order; `sink` hears each delta as it comes."""

    def __init__(self, sink: DeltaSink | None = None) -> None:
        self._sink = sink
        self._blocks: dict[int, _Block] = {}
        self._started: set[int] = set()
        self._head: Json | None = None
        self._usage: dict[str, int] = {}
        self._stop: object = None
        self.finished = False
        """Whether `message_stop` came: only then is `answer` an answer."""

    def feed(self, event: object, name: bytes = b"") -> None:
        """One event; `name` stands in for a missing type. Raises `MalformedStreamError`, `StreamedError`."""
        if not isinstance(event, dict):
            raise MalformedStreamError("an event is not a JSON object")
        event = cast("Json", event)
        kind = event.get("type") or name.decode("utf-8", "replace")
        if kind == "content_block_delta":
            self._delta(event)
        elif kind == "content_block_start":
            self._open(_index(event), _object(event, "content_block"))
        elif kind == "content_block_stop":
            self._block(_index(event)).closed = True
        elif kind == "message_start":
            self._start(_object(event, "message"))
        elif kind == "message_delta":
            self._stop = _object(event, "delta").get("stop_reason") or self._stop
            self._count(event.get("usage"))
        elif kind == "message_stop":
            self.finished = True
        elif kind == "error" or (not kind and "error" in event):
            raise _streamed(event)

    def end(self) -> None:
        """The endpoint ends its stream in the manner of others: good if all but `message_stop` has come."""
        whole = self._head is not None and self._stop is not None
        self.finished = whole and all(block.closed for block in self._blocks.values())

    @property
    def usage(self) -> Usage:
        """What was billed so far, as far as the endpoint said it."""
        return Usage(**self._usage)

    @property
    def come(self) -> Usage | None:
        """What an answer that ends here has cost: its output is estimated, as it is counted only at its end.

        `None`: nothing has come.
        """
        if self._head is None:
            return None
        written = sum(len(part) for block in self._blocks.values() for parts in block.fields.values() for part in parts)
        return replace(self.usage, output=max(self.usage.output, -(-written // CHARACTERS_A_TOKEN)))

    def answer(self) -> ModelAnswer:
        """The finished answer. Raises `MalformedStreamError` if no message started."""
        if self._head is None:
            raise MalformedStreamError("the stream has no message_start")
        stop = _stop_reason(self._stop)
        order = list(self._blocks.values())
        finished = _with_own_ids(_finish(block, stop, last=block is order[-1]) for block in order)
        return ModelAnswer(
            id=str(self._head.get("id") or ""),
            model=str(self._head.get("model") or ""),
            message=AssistantMessage(tuple(block for block in finished if block is not None)),
            stop=stop,
            usage=self.usage,
            dropped_calls=sum(
                block.type == "tool_use" and done is None for block, done in zip(order, finished, strict=True)
            ),
        )

    def _open(self, index: int, start: Json) -> None:
        # To take the second block for the first would lose one of them without a word.
        if index in self._started:
            raise MalformedStreamError(f"block {index} started twice")
        self._started.add(index)
        self._blocks[index] = _Block(dict(start))

    def _start(self, message: Json) -> None:
        self._head = message
        self._stop = message.get("stop_reason")
        self._count(message.get("usage"))
        content = message.get("content")
        for index, block in enumerate(cast("list[object]", content) if isinstance(content, list) else ()):
            if not isinstance(block, dict):
                raise MalformedStreamError("a content block is not a JSON object")
            self._blocks[index] = _Block(dict(cast("Json", block)))
            self._blocks[index].closed = True

    def _delta(self, event: Json) -> None:
        index = event.get("index")
        delta = event.get("delta")
        block = self._blocks.get(index) if isinstance(index, int) else None
        if block is None or not isinstance(delta, dict):
            raise MalformedStreamError("a delta belongs to no block")
        delta = cast("Json", delta)
        growing = _GROWING.get(str(delta.get("type")))
        if growing is None:
            block.merge(delta)
            return
        source, field, kind = growing
        text = delta.get(source)
        if not isinstance(text, str):
            raise MalformedStreamError(f"a delta has no {source}")
        parts = block.fields.get(field)
        if parts is None:
            block.fields[field] = [text]
        else:
            parts.append(text)
        if self._sink is not None:
            self._sink.delta(cast("int", index), kind, text, block.name)

    def _block(self, index: int) -> _Block:
        block = self._blocks.get(index)
        if block is None:
            raise MalformedStreamError(f"block {index} never started")
        return block

    def _count(self, usage: object) -> None:
        """Totals replace what was said before; what is missing, null, absurd or back to nothing leaves it."""
        if not isinstance(usage, dict):
            return
        for key, value in cast("Json", usage).items():
            field = _USAGE.get(key)
            if field is None or type(value) is not int or value > MOST_TOKENS:
                continue
            if value > 0 or (value == 0 and field not in self._usage):
                self._usage[field] = value


def decode_message(body: object) -> ModelAnswer:
    """An answer that came whole, as JSON. Raises `MalformedStreamError`, `StreamedError`."""
    accumulator = Accumulator()
    if isinstance(body, dict) and "content" not in body:
        if "error" in body:
            raise _streamed(cast("Json", body))
        raise MalformedStreamError("an answer has no content")
    start: Json = {"type": "message_start", "message": body}
    accumulator.feed(start)
    return accumulator.answer()


def _streamed(event: Json) -> StreamedError:
    error = event.get("error")
    return StreamedError(cast("Json", error) if isinstance(error, dict) else {"message": str(error or event)})


def _with_own_ids(blocks: Iterable[AnswerBlock | None]) -> list[AnswerBlock | None]:
    """Calls that share an id, as some endpoints number them, get one each: results are told apart by it."""
    seen: set[str] = set()
    kept: list[AnswerBlock | None] = []
    for block in blocks:
        if isinstance(block, ToolUse) and block.id in seen:
            block = replace(block, id=(call := _new_id()), raw={**block.raw, "id": call})
        if isinstance(block, ToolUse):
            seen.add(block.id)
        kept.append(block)
    return kept


def _new_id() -> str:
    return f"toolu_{uuid.uuid4().hex}"


def _finish(block: _Block, stop: StopReason, *, last: bool) -> AnswerBlock | None:
    """The block as a value; `None` if it was cut off in a way that makes it unusable."""
    cut = last and stop in _CUTTING
    raw = block.raw()
    match block.type:
        case "text":
            return Text(str(raw.get("text") or ""), raw)
        case "thinking":
            # Without its signature the endpoint would refuse the block when it comes back
            return None if cut and not raw.get("signature") else Thinking(str(raw.get("thinking") or ""), raw)
        case "redacted_thinking":
            return Thinking("", raw)
        case "tool_use":
            return _finish_call(block, raw, cut=cut)
        case _:
            return Opaque(block.type, {**raw, "input": block.input()[0]} if "input" in block.fields else raw)


def _finish_call(block: _Block, raw: Json, *, cut: bool) -> ToolUse | None:
    value, fault = block.input()
    empty = not value and not "".join(block.fields.get("input", ())).strip()
    if not block.closed or (cut and (fault or empty)):
        return None
    call = str(raw.get("id") or "") or _new_id()
    return ToolUse(call, block.name, value, {**raw, "id": call, "input": value}, fault)


def _grown(start: object, parts: list[str]) -> str:
    return (start if isinstance(start, str) else "") + "".join(parts)


def _stop_reason(value: object) -> StopReason:
    try:
        return StopReason(cast("str", value))
    except ValueError:
        return StopReason.OTHER


def _index(event: Json) -> int:
    index = event.get("index")
    if not isinstance(index, int):
        raise MalformedStreamError("a block has no index")
    return index


def _object(event: Json, key: str) -> Json:
    value = event.get(key)
    if not isinstance(value, dict):
        raise MalformedStreamError(f"an event has no {key}")
    return cast("Json", value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
