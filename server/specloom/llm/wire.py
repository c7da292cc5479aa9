"""Turns a request into the bytes of its body. Refuses to encode a message twice: what is known is only joined again.

A conversation of 500 turns costs one `bytes.join` a turn, because each message is encoded once and kept as long as the
message itself lives. Cache breakpoints follow https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching.
"""

import json
import re
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from specloom.llm.messages import (
    AnswerBlock,
    AssistantMessage,
    Message,
    ModelRequest,
    Text,
    Thinking,
    ThinkingSetting,
    ToolSchema,
    UserBlock,
    UserMessage,
)

EPHEMERAL = {"type": "ephemeral"}
SMALLEST_THINKING_BUDGET = 1024
"""Tokens; the API refuses less."""
_KEPT_HEADS = 32
"""Sessions whose system text and tools are kept encoded."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

ThinkingTypes = frozenset[str] | None
"""The `thinking.type` values that a model accepts; `None` where the endpoint does not tell."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What a model allows, as far as known."""

    max_output_tokens: int | None = None
    thinking_types: ThinkingTypes = None


NO_LIMITS = RequestLimits()


@dataclass(frozen=True, slots=True)
class _Encoded:
    """The blocks of one message, comma separated, with the last markable one apart."""

    before: bytes
    last: bytes
    marked: bytes
    """`last` with a cache breakpoint; equal to it where none may be set."""

    @property
    def empty(self) -> bool:
        return not self.last

    @property
    def markable(self) -> bool:
        return self.marked != self.last


class WireEncoder:
    """Encodes requests of any number of sessions. Not for several threads at once."""

    def __init__(self) -> None:
        self._messages: dict[int, tuple[weakref.ref[Message], _Encoded]] = {}
        self._heads: list[tuple[str, tuple[ToolSchema, ...], bool, bytes]] = []

    def __len__(self) -> int:
        """How many messages it keeps encoded."""
        return len(self._messages)

    def body(self, request: ModelRequest, limits: RequestLimits = NO_LIMITS) -> bytes:
        """The body of `POST /v1/messages`, streaming."""
        max_tokens = request.max_tokens
        if limits.max_output_tokens:
            max_tokens = min(max_tokens, limits.max_output_tokens)
        settings: dict[str, Any] = {"model": request.model, "max_tokens": max_tokens, "stream": True}
        settings |= thinking_param(request.thinking, max_tokens, limits.thinking_types)
        return self._join(settings, request)

    def count_body(self, request: ModelRequest, limits: RequestLimits = NO_LIMITS) -> bytes:
        """The body of `POST /v1/messages/count_tokens`."""
        thinking = thinking_param(request.thinking, request.max_tokens, limits.thinking_types)
        return self._join({"model": request.model, **thinking}, request)

    def _join(self, settings: Mapping[str, Any], request: ModelRequest) -> bytes:
        head = self._head(request.system, request.tools, request.cache)
        messages = b"".join(self._content(request))
        return _dump(settings)[:-1] + head + b',"messages":[' + messages + b"]}"

    def _head(self, system: str, tools: tuple[ToolSchema, ...], cache: bool) -> bytes:
        """Tools and system text, the part that a session never changes."""
        for known in self._heads:
            if known[2] == cache and known[0] == system and (known[1] is tools or known[1] == tools):
                return known[3]
        encoded = _encode_head(system, tools, cache=cache)
        self._heads.append((system, tools, cache, encoded))
        del self._heads[:-_KEPT_HEADS]
        return encoded

    def _content(self, request: ModelRequest) -> Iterator[bytes]:
        """The parts of the list of messages. Neighbours of one side are joined: the API wants them to alternate."""
        encoded = [(message, self._encoded(message)) for message in request.messages]
        kept = [(message, part) for message, part in encoded if not part.empty]
        marks = _breakpoints(kept, _same(encoded, request.kept)) if request.cache else frozenset[int]()
        role = b""
        for place, (message, part) in enumerate(kept):
            new = b"user" if isinstance(message, UserMessage) else b"assistant"
            if new == role:
                yield b","
            else:
                yield (b']},{"role":"' if role else b'{"role":"') + new + b'","content":['
            role = new
            yield part.before
            yield part.marked if place in marks else part.last
        if role:
            yield b"]}"

    def _encoded(self, message: Message) -> _Encoded:
        """Encoded once a message, found by identity: hashing would cost as much as encoding."""
        key = id(message)
        known = self._messages.get(key)
        if known is not None and known[0]() is message:
            return known[1]
        encoded = _encode_message(message)
        messages = self._messages

        def forget(reference: weakref.ref[Message]) -> None:
            if (entry := messages.get(key)) is not None and entry[0] is reference:
                del messages[key]

        messages[key] = (weakref.ref(message, forget), encoded)
        return encoded


def thinking_param(setting: ThinkingSetting, max_tokens: int, types: ThinkingTypes) -> dict[str, Any]:
    """The `thinking` parameter as the model accepts it, or nothing.

    `types` steers between a budget and the model's own choice where the model knows only one of them. Off is said
    only to models that are known to accept it, since others refuse the word.
    """
    if not setting.enabled:
        return {"thinking": {"type": "disabled"}} if types and "disabled" in types else {}
    adaptive = types is None or "adaptive" in types
    if setting.budget is None and adaptive:
        return {"thinking": {"type": "adaptive"}}
    if types is not None and "enabled" not in types:
        return {"thinking": {"type": "adaptive"}} if adaptive else {}
    budget = min(setting.budget or max_tokens // 2, max_tokens - 1)
    if max_tokens <= SMALLEST_THINKING_BUDGET:
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": max(budget, SMALLEST_THINKING_BUDGET)}}


def _encode_head(system: str, tools: tuple[ToolSchema, ...], *, cache: bool) -> bytes:
    parts: list[bytes] = []
    if tools:
        wire: list[dict[str, Any]] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema} for tool in tools
        ]
        if cache:
            wire[-1]["cache_control"] = EPHEMERAL
        parts.append(b',"tools":' + _dump(wire))
    if system.strip():
        block: dict[str, Any] = {"type": "text", "text": system}
        parts.append(b',"system":' + _dump([block | {"cache_control": EPHEMERAL}] if cache else system))
    return b"".join(parts)


THINKING = ("thinking", "redacted_thinking")
WORDLESS: Mapping[str, Any] = {"type": "text", "text": "(no words)"}
"""Stands behind thinking that nothing followed: the API refuses an answer that ends in thinking."""


def _encode_message(message: Message) -> _Encoded:
    raws = [block.raw for block in message.blocks if _goes_back(block)]
    if not raws:
        return _Encoded(b"", b"", b"")
    if isinstance(message, AssistantMessage) and raws[-1].get("type") in THINKING:
        raws.append(WORDLESS)
    before = b"".join(_dump(raw) + b"," for raw in raws[:-1])
    last = _dump(raws[-1])
    if isinstance(message, AssistantMessage):
        return _Encoded(before, last, last)
    return _Encoded(before, last, _dump({**raws[-1], "cache_control": EPHEMERAL}))


def _goes_back(block: AnswerBlock | UserBlock) -> bool:
    """Blank text is refused by the API, from either side; everything else goes back as it is."""
    return isinstance(block, Thinking) or not isinstance(block, Text) or bool(block.text.strip())


def _same(messages: list[tuple[Message, _Encoded]], kept: int | None) -> int | None:
    """How many of the messages that go out are the same as before; `kept` counts the empty ones too."""
    return None if kept is None else sum(not part.empty for _, part in messages[:kept])


def _breakpoints(messages: list[tuple[Message, _Encoded]], kept: int | None) -> frozenset[int]:
    """The newest message of ours, and the newest one before it at which an earlier request wrote the cache.

    Together with tools and system these are the four breakpoints that the API allows. The older one is read whatever
    number of blocks came since; the look-back of 20 blocks alone would miss it after a turn with many calls. Usually
    it is the message before; after a collection it is the last one of those that were `kept`.
    """
    places = [place for place, (_, part) in enumerate(messages) if part.markable]
    older = [place for place in places[:-1] if kept is None or place < kept]
    return frozenset([*older[-1:], *places[-1:]])


def _dump(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    try:
        return text.encode()
    except UnicodeEncodeError:
        # JSON with half a surrogate pair is refused as a whole, which would end the session
        return _LONE_SURROGATE.sub("\ufffd", text).encode()


def _plain(value: object) -> dict[str, Any]:
    """Read-only mappings, which `json` does not know."""
    if isinstance(value, Mapping):
        return dict(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] -- any JSON mapping
    raise TypeError(f"{type(value).__name__} is no JSON value")
