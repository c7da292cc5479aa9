"""Reads the parts of a request that scripts and laws speak of. Refuses nothing: odd shapes read as empty."""

import json
import re
from typing import Any, TypeAlias, cast

Json: TypeAlias = dict[str, Any]

_BREAKPOINT = re.compile(r'"cache_control":\{[^{}]*\},|,?"cache_control":\{[^{}]*\}')
_HEAD = 300
"""Characters of a message in a complaint."""


def blocks_of(message: Json) -> list[Json]:
    """The content blocks of a message; a plain string is one text block."""
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return _objects(content)


def text_of(message: Json) -> str:
    """All text that a message shows the model, results of tools included."""
    return "\n".join(_text_of_block(block) for block in blocks_of(message))


def system_of(request: Json) -> str:
    """The system text."""
    system = request.get("system")
    if isinstance(system, str):
        return system
    return "\n".join(str(block.get("text", "")) for block in _objects(system))


def content_problem(message: Json) -> str | None:
    """What is wrong with the content of one message by itself."""
    blocks = blocks_of(message)
    if not blocks:
        return "messages must have non-empty content"
    for block in blocks:
        if block.get("type") == "text" and not str(block.get("text") or "").strip():
            return "text content blocks must be non-empty"
        if block.get("type") == "tool_use" and not isinstance(block.get("input"), dict):
            return "tool_use.input: input should be an object"
    return None


def canonical(value: object) -> str:
    """JSON that is equal for equal values, whatever their key order and cache breakpoints."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return _BREAKPOINT.sub("", text) if "cache_control" in text else text


def head_of(text: str) -> str:
    """The start of a text on one line, for complaints."""
    line = " ".join(text.split())
    return line if len(line) <= _HEAD else f"{line[:_HEAD]}…"


def _text_of_block(block: Json) -> str:
    if block.get("type") == "tool_result":
        content = block.get("content")
        return content if isinstance(content, str) else "\n".join(_text_of_block(part) for part in _objects(content))
    return str(block.get("text", ""))


def _objects(value: object) -> list[Json]:
    entries = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Json", entry) for entry in entries if isinstance(entry, dict)]
