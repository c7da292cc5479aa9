"""Measures what streaming and asking cost in CPU. Refuses to judge: it prints one line of JSON.

`python benchmarks/stream.py [--deltas N] [--repeats N]`. In one run, against a scripted model in another process: one
answer of many deltas through our adapter (also into the output that is kept of an open block, nobody watching), through
`json.loads` alone and through the SDK, each event in an HTTP chunk of its own and many in one; then one request at turn
10, 100 and 500, ours and the SDK's.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic

from specloom.domain.ids import SessionId
from specloom.engine.output import OutputHub
from specloom.llm.anthropic_model import AnthropicModel
from specloom.llm.messages import (
    AssistantMessage,
    Message,
    ModelRequest,
    Text,
    ToolResult,
    ToolSchema,
    ToolUse,
    UserMessage,
)
from specloom.llm.sse import SseSplitter
from specloom.llm.wire import WireEncoder

Json = dict[str, Any]
KEY = "benchmark-key"
MODEL = "scripted-1"
DELTA = 8
"""Characters of a delta, about two tokens, as endpoints send them."""
TURNS = (10, 100, 500)
SCHEMA: Json = {"type": "object", "properties": {"path": {"type": "string", "description": "Relative to the root"}}}
TOOLS = tuple(ToolSchema(f"tool_{number}", "Does something useful. " * 10, SCHEMA) for number in range(9))
HELLO = UserMessage((Text.of("hello"),))


class Counter:
    """A listener as cheap as one can be."""

    def __init__(self) -> None:
        self.heard = 0

    def delta(self, block: int, kind: str, text: str, name: str = "") -> None:
        """Counts."""
        del block, kind, text, name
        self.heard += 1


@contextmanager
def serving(*turns: Json, coalesce: bool = False) -> Generator[str]:
    """The base URL of a scripted model in a process of its own, whose CPU does not count."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.json"
        script.write_text(json.dumps({"sessions": [{"name": "benchmark", "first": "hello", "turns": turns}]}))
        command = [sys.executable, "-m", "specloom.llm.scripted", str(script), "--delta", str(DELTA)]
        command += ["--coalesce"] if coalesce else []
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield process.stdout.readline().strip()
            finally:
                process.terminate()


async def cpu_ms(run: Callable[[], Awaitable[object]], repeats: int) -> float:
    """The median CPU milliseconds of one run, after one that warms up."""
    await run()
    times: list[float] = []
    for _ in range(repeats):
        start = time.process_time()
        await run()
        times.append((time.process_time() - start) * 1000)
    return statistics.median(times)


async def read_events(client: anthropic.AsyncAnthropic, request: Json) -> int:
    """The SDK's request, then bytes, our split and `json.loads`, nothing else."""
    splitter = SseSplitter()
    count = 0
    async with client.messages.with_streaming_response.create(**request, stream=True) as response:
        async for chunk in response.iter_bytes():
            for _, data in splitter.feed(chunk):
                json.loads(data)
                count += 1
    return count


async def read_iterator(client: anthropic.AsyncAnthropic, request: Json) -> int:
    """`messages.create(stream=True)`."""
    return sum([1 async for _ in await client.messages.create(**request, stream=True)])


async def read_accumulator(client: anthropic.AsyncAnthropic, request: Json) -> int:
    """`messages.stream()`, which accumulates the message."""
    async with client.messages.stream(**request) as stream:
        return sum([1 async for _ in stream])


async def measure_stream(deltas: int, repeats: int, *, coalesce: bool) -> Json:
    """CPU milliseconds per 1,000 deltas of one long answer."""
    text = ("a few words of prose and code; " * (deltas * DELTA // 31 + 1))[: deltas * DELTA]
    with serving({"answer": [{"text": text}]}, coalesce=coalesce) as url:
        model = AnthropicModel(api_key=KEY, base_url=url)
        client = anthropic.AsyncAnthropic(api_key=KEY, base_url=url, max_retries=0)
        request = ModelRequest(MODEL, "You help", (HELLO,))
        wire: Json = {"model": MODEL, "max_tokens": 1000, "messages": [{"role": "user", "content": "hello"}]}
        counter = Counter()
        runs: dict[str, Callable[[], Awaitable[object]]] = {
            "ours": lambda: model.ask(request, counter),
            "ours_kept_for_who_comes_later": lambda: model.ask(request, OutputHub().sink(SessionId("s"), 1)),
            "json_loads_alone": lambda: read_events(client, wire),
            "sdk_create_stream": lambda: read_iterator(client, wire),
            "sdk_messages_stream": lambda: read_accumulator(client, wire),
        }
        found = {name: round(await cpu_ms(run, repeats) * 1000 / deltas, 2) for name, run in runs.items()}
        assert counter.heard == deltas * (repeats + 1)
        await model.close()
        await client.close()
    return found


def conversation(turns: int) -> tuple[Message, ...]:
    """A session as agents make it: one call and one kilobyte of result a turn."""
    messages: list[Message] = [HELLO]
    for turn in range(turns):
        raw: Json = {"type": "tool_use", "id": f"toolu_{turn}", "name": "tool_1", "input": {"path": f"src/{turn}.py"}}
        call = ToolUse(raw["id"], raw["name"], raw["input"], raw)
        messages.append(AssistantMessage((Text.of("I look at the next file."), call)))
        messages.append(UserMessage((ToolResult.of(call.id, f"{turn} | line of a file\n" * 40),)))
    return tuple(messages)


async def measure_requests(repeats: int) -> Json:
    """CPU milliseconds of one whole request with a short answer, and of building its body alone."""
    rows: dict[str, Json] = {}
    with serving(*({"answer": [{"text": "done"}]} for _ in range(max(TURNS) + 1))) as url:
        model = AnthropicModel(api_key=KEY, base_url=url)
        client = anthropic.AsyncAnthropic(api_key=KEY, base_url=url, max_retries=0)
        for turns in TURNS:
            messages = conversation(turns)
            request = ModelRequest(MODEL, "You help. " * 300, messages, TOOLS, max_tokens=1000)
            encoder = WireEncoder()
            wire = json.loads(encoder.body(request))
            del wire["stream"]
            rows[str(turns)] = {
                "ours": round(await cpu_ms(lambda request=request: model.ask(request), repeats), 2),
                "sdk": round(await cpu_ms(lambda wire=wire: read_events(client, wire), repeats), 2),
                "our_body_alone": round(await cpu_ms(lambda e=encoder, r=request: build(e, r), repeats), 3),
            }
        await model.close()
        await client.close()
    return rows


async def build(encoder: WireEncoder, request: ModelRequest) -> None:
    """One body of a conversation whose last turn is new."""
    *before, _, last = request.messages
    fresh = UserMessage(tuple(block for block in last.blocks if isinstance(block, ToolResult)))
    encoder.body(ModelRequest(request.model, request.system, (*before, request.messages[-2], fresh), request.tools))


async def measure(deltas: int, repeats: int) -> Json:
    """Everything."""
    few = max(3, repeats // 10)
    return {
        "deltas": deltas,
        "cpu_ms_per_1000_deltas": {
            "chunk_per_event": await measure_stream(deltas, few, coalesce=False),
            "coalesced": await measure_stream(deltas, few, coalesce=True),
        },
        "request_cpu_ms_at_turn": await measure_requests(repeats),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deltas", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.deltas, options.repeats))))
