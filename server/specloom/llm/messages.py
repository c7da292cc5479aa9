"""What goes to a model and what comes back. Refuses provider types: only the adapter knows the SDK.

A block of an answer keeps the JSON object that the API sent (`raw`), so that thinking blocks, and blocks of types that
did not exist when this was written, go back untouched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

Raw: TypeAlias = Mapping[str, Any]
"""A JSON object as the Messages API defines it; never changed after it was made."""


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text, of either side."""

    text: str
    raw: Raw

    @classmethod
    def of(cls, text: str) -> "Text":
        """Our own text, with the block that the API wants."""
        return cls(text, {"type": "text", "text": text})


@dataclass(frozen=True, slots=True)
class Thinking:
    """A thinking or redacted-thinking block: goes back as it came or not at all."""

    text: str
    raw: Raw


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A finished tool call. A call whose input JSON did not parse carries `fault`, and its input is empty."""

    id: str
    name: str
    input: Mapping[str, Any]
    raw: Raw
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Opaque:
    """A block of a type that we do not know: kept, sent back, never interpreted."""

    type: str
    raw: Raw


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The answer to one tool call; `raw` is a `tool_result` block."""

    call: str
    text: str
    is_error: bool
    raw: Raw

    @classmethod
    def of(cls, call: str, text: str, is_error: bool = False) -> "ToolResult":
        """The answer to the call with the id `call`, with the block that the API wants."""
        raw: dict[str, Any] = {"type": "tool_result", "tool_use_id": call, "content": text}
        if is_error:
            raw["is_error"] = True
        return cls(call, text, is_error, raw)


AnswerBlock: TypeAlias = Text | Thinking | ToolUse | Opaque
UserBlock: TypeAlias = Text | ToolResult | Opaque


@dataclass(frozen=True, slots=True, weakref_slot=True)
class UserMessage:
    """Ours: text, tool results, images (as `Opaque`)."""

    blocks: tuple[UserBlock, ...]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class AssistantMessage:
    """The model's, in the order in which its blocks came."""

    blocks: tuple[AnswerBlock, ...]

    @property
    def tool_uses(self) -> tuple[ToolUse, ...]:
        """Its calls in order."""
        return tuple(block for block in self.blocks if isinstance(block, ToolUse))

    @property
    def text(self) -> str:
        """Its text blocks joined; no thinking."""
        return "".join(block.text for block in self.blocks if isinstance(block, Text))


Message: TypeAlias = UserMessage | AssistantMessage


@dataclass(frozen=True, slots=True)
class ToolSchema:
    """A tool as the model is told of it; `input_schema` is a JSON Schema object."""

    name: str
    description: str
    input_schema: Raw


@dataclass(frozen=True, slots=True)
class ThinkingSetting:
    """Thinking on with a budget in tokens, on with the endpoint's own choice (`budget=None`), or off."""

    enabled: bool = False
    budget: int | None = None


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One request. System, tools, model and thinking stay fixed for a session, messages grow between collections."""

    model: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...] = ()
    max_tokens: int = 32_768
    """Capped by the model's own limit."""
    thinking: ThinkingSetting = ThinkingSetting()
    cache: bool = True
    """Whether to set cache breakpoints (after tools, after system, and on the newest message)."""
    kept: int | None = None
    """After a collection: how many messages at the beginning are as they were sent before; `None`: all of them."""


class StopReason(StrEnum):
    """Why an answer ended. Reasons that we do not know read as `OTHER`."""

    END_TURN = "end_turn"
    TOOL_USE = "tool_use"
    MAX_TOKENS = "max_tokens"
    STOP_SEQUENCE = "stop_sequence"
    PAUSE_TURN = "pause_turn"
    REFUSAL = "refusal"
    CONTEXT_WINDOW = "model_context_window_exceeded"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Usage:
    """Billed tokens of one answer, or a sum of several. `input` excludes what was read from or written to the cache."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def prompt(self) -> int:
        """Tokens of what was asked."""
        return self.input + self.cache_read + self.cache_write

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
        )


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """One finished answer. A tool call that the stream did not finish is not in it."""

    id: str
    model: str
    """As the endpoint names it, which may differ from what was asked for."""
    message: AssistantMessage
    stop: StopReason
    usage: Usage
    dropped_calls: int = 0
    """Calls that were cut off and left out."""

    @property
    def was_cut(self) -> bool:
        """Whether its end is missing: by the length limit, or for whatever other reason within a call."""
        return self.stop is StopReason.MAX_TOKENS or self.dropped_calls > 0
