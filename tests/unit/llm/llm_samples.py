"""Streams as they are recorded from the API, and a server that sends exactly the bytes it is given."""

import itertools
import json
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, AnyStr

from hypothesis import strategies as st

from specloom.llm.messages import AssistantMessage, ModelRequest, Text, ToolResult, ToolSchema, UserMessage
from specloom.llm.model import DeltaKind

Json = dict[str, Any]

READ_FILE = ToolSchema("read_file", "Reads a file", {"type": "object", "properties": {"path": {"type": "string"}}})


def say(text: str) -> UserMessage:
    return UserMessage((Text.of(text),))


def request(*messages: UserMessage | AssistantMessage, **settings: Any) -> ModelRequest:
    """A request for the scripted model that says `hello` unless told otherwise."""
    fields: Json = {"model": "scripted-1", "system": "You help", "tools": (READ_FILE,)} | settings
    return ModelRequest(messages=messages or (say("hello"),), **fields)


def result(message: AssistantMessage, text: str) -> UserMessage:
    return UserMessage(tuple(ToolResult.of(call.id, text) for call in message.tool_uses))


@dataclass
class Listener:
    """Keeps what it hears."""

    heard: list[tuple[int, DeltaKind, str, str]] = field(default_factory=list[tuple[int, DeltaKind, str, str]])

    def delta(self, block: int, kind: DeltaKind, text: str, name: str = "") -> None:
        self.heard.append((block, kind, text, name))


def sse(events: list[Json]) -> bytes:
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def opened(**fields: Any) -> Json:
    usage = {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 5}
    message: Json = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
    }
    return {"type": "message_start", "message": {**message, "stop_sequence": None, "usage": usage, **fields}}


def block(index: int, start: Json, *deltas: Json, closed: bool = True) -> list[Json]:
    events: list[Json] = [{"type": "content_block_start", "index": index, "content_block": start}]
    events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return events + ([{"type": "content_block_stop", "index": index}] if closed else [])


def text_block(index: int, *parts: str) -> list[Json]:
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": part} for part in parts))


def call_block(index: int, *parts: str, name: str = "read_file", closed: bool = True) -> list[Json]:
    start: Json = {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}
    deltas = ({"type": "input_json_delta", "partial_json": part} for part in parts)
    return block(index, start, *deltas, closed=closed)


def thinking_block(index: int, signature: str, *parts: str) -> list[Json]:
    deltas: list[Json] = [{"type": "thinking_delta", "thinking": part} for part in parts]
    if signature:
        deltas.append({"type": "signature_delta", "signature": signature})
    return block(index, {"type": "thinking", "thinking": "", "signature": ""}, *deltas)


def ended(reason: str = "end_turn", **usage: int) -> list[Json]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [{"type": "message_delta", "delta": delta, "usage": {"output_tokens": 7, **usage}}, {"type": "message_stop"}]


PING: Json = {"type": "ping"}
WHOLE_BLOCKS: list[Json] = [
    {"type": "redacted_thinking", "data": "EuYBCoQBGAI"},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
]
UNKNOWN_BLOCK: Json = {"type": "compaction_v9", "content": {"deep": [1, None]}, "encrypted": "…"}


def pieces(whole: AnyStr, cuts: list[int]) -> list[AnyStr]:
    """`whole` cut at these places, wherever they lie."""
    places = [0, *sorted(cut % (len(whole) + 1) for cut in cuts), len(whole)]
    return [whole[start:end] for start, end in itertools.pairwise(places)]


@st.composite
def answers(draw: st.DrawFn) -> list[Json]:
    """Streams that the API may send: any blocks, any deltas, pings anywhere."""
    events: list[Json] = [opened()]
    calls = 0
    for index in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(["text", "thinking", "call", "whole"]))
        parts = draw(st.lists(st.text(), max_size=4))
        if kind == "text":
            events += text_block(index, *parts)
        elif kind == "thinking":
            events += thinking_block(index, draw(st.text(min_size=1)), *parts)
        elif kind == "call":
            calls += 1
            value = json.dumps(draw(st.dictionaries(st.text(), st.one_of(st.integers(), st.text()), min_size=1)))
            events += call_block(index, *pieces(value, draw(st.lists(st.integers(0, 400), max_size=4))))
        else:
            events += block(index, draw(st.sampled_from(WHOLE_BLOCKS)))
    events += ended("tool_use" if calls else "end_turn", cache_read_input_tokens=draw(st.integers(0, 99)))
    for place in draw(st.lists(st.integers(0, len(events)), max_size=3)):
        events.insert(place, PING)
    return events


@dataclass
class RawServer:
    """What a raw server was asked, whole heads and bodies."""

    url: str
    asked: list[str] = field(default_factory=list[str])


@contextmanager
def raw_server(answer: dict[str, bytes]) -> Generator[RawServer]:
    """Sends `answer[path]` and closes; 404 for other paths."""
    missing = http(b'{"error": {"message": "no such path"}}', status="404 Not Found")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = RawServer(f"http://127.0.0.1:{listening.getsockname()[1]}")

        def serve() -> None:
            while True:
                connection, _ = listening.accept()
                with connection, connection.makefile("rb") as reader:
                    head = _head(reader.readline, reader.read)
                    if not head:
                        return
                    server.asked.append(head)
                    with suppress(ConnectionError):
                        connection.sendall(answer.get([*head.split(), "", ""][1], missing))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server
        finally:
            # An empty connection is the word to stop
            socket.create_connection(listening.getsockname()).close()
            thread.join()


def _head(readline: Any, read: Any) -> str:
    lines: list[str] = []
    while (line := readline().decode("latin-1")).strip():
        lines.append(line)
    length = next((int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length")), 0)
    return "".join(lines) + (read(length).decode() if length else "")


def http(
    body: bytes, status: str = "200 OK", kind: str = "application/json", length: int | None = None, **headers: str
) -> bytes:
    """A response with its length; a larger `length` than the body's breaks the connection in the middle."""
    lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {length or len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode() + body


def http_stream(body: bytes, length: int | None = None) -> bytes:
    return http(body, kind="text/event-stream", length=length)
