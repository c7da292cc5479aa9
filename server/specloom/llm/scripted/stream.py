"""Turns an answer into the events that the API streams. Refuses chance: the same answer is always cut alike."""

import json
from collections.abc import Iterator
from typing import TypeAlias

from specloom.llm.messages import Usage
from specloom.llm.scripted.laws import signature_of
from specloom.llm.scripted.reading import Json
from specloom.llm.scripted.script import Branch

Event: TypeAlias = tuple[str, Json]
"""Name and data."""


def message_of(branch: Branch, digest: str, model: str, usage: Usage) -> Json:
    """The whole answer. Ids come from `digest`, so the same request gets the same ids."""
    content: list[Json] = []
    for place, part in enumerate(branch.answer):
        block = dict(part.block)
        if block.get("type") == "tool_use":
            block.setdefault("id", f"toolu_{digest[:16]}_{place}")
        elif block.get("type") == "thinking":
            block.setdefault("signature", signature_of(block["thinking"]))
        content.append(block)
    calls = any(block.get("type") == "tool_use" for block in content)
    return {
        "id": f"msg_{digest[:24]}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": branch.stop or ("tool_use" if calls else "end_turn"),
        "stop_sequence": None,
        "usage": {
            "input_tokens": usage.input,
            "cache_creation_input_tokens": usage.cache_write,
            "cache_read_input_tokens": usage.cache_read,
            "output_tokens": usage.output,
        },
    }


def events_of(message: Json, branch: Branch, delta_chars: int) -> Iterator[Event]:
    """The events of `message`, with deltas of `delta_chars` characters and a ping, which may come anywhere."""
    start: Json = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    yield "message_start", {"message": start}
    yield "ping", {}
    for index, block in enumerate(message["content"]):
        opened, deltas = _block_events(block, branch.answer[index].partial, delta_chars)
        yield "content_block_start", {"index": index, "content_block": opened}
        for delta in deltas:
            yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
    end = {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]}
    yield "message_delta", {"delta": end, "usage": message["usage"]}
    yield "message_stop", {}


def encode(event: Event) -> bytes:
    """One server-sent event."""
    name, data = event
    return f"event: {name}\ndata: {json.dumps({'type': name, **data}, separators=(',', ':'))}\n\n".encode()


def _block_events(block: Json, partial: str | None, size: int) -> tuple[Json, Iterator[Json]]:
    """The block as it starts, and its deltas; blocks of other types come whole at their start."""
    match block["type"]:
        case "text":
            texts = _pieces(block["text"], size)
            return {**block, "text": ""}, ({"type": "text_delta", "text": text} for text in texts)
        case "thinking":
            return {**block, "thinking": "", "signature": ""}, _thinking_deltas(block, size)
        case "tool_use":
            whole = partial if partial is not None else json.dumps(block["input"]) if block["input"] else ""
            pieces = _pieces(whole, size)
            return {**block, "input": {}}, ({"type": "input_json_delta", "partial_json": piece} for piece in pieces)
        case _:
            return block, iter(())


def _thinking_deltas(block: Json, size: int) -> Iterator[Json]:
    for piece in _pieces(block["thinking"], size):
        yield {"type": "thinking_delta", "thinking": piece}
    yield {"type": "signature_delta", "signature": block["signature"]}


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))
