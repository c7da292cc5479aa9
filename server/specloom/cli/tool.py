"""`specloom tool`: runs tools by hand, one call a line on standard input, one result a line on standard output.

Refuses to end on a line that it cannot read: it says so in place of the result, and takes the next one.
"""

import argparse
import asyncio
import json
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, BinaryIO, cast

from specloom.cli.failures import Exit
from specloom.cli.output import Output
from specloom.cli.ports import HandTools, Place

LONGEST = 64 * 1024 * 1024
"""Bytes of one line."""
AHEAD = 32
"""Lines that are read before they are asked for."""
EXAMPLE = '{"tool": "read_file", "input": {"path": "README.md"}}'


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Until standard input ends. A refused call is a result, so the status is 0."""
    if sys.stdin.isatty():
        output.note(f"one call a line, for example {EXAMPLE}; Ctrl-D ends")
    opened = place.composition.open_tools(
        place.root, environment=place.environment, yes=arguments.yes, profile=arguments.profile
    )
    async with opened as tools, aclosing(_lines(sys.stdin.buffer)) as lines:
        number = 0
        async for line in lines:
            number += 1
            if line.strip():
                output.json(await _answered(tools, line, number))
            if output.closed.is_set():
                break
    return Exit.OK


async def _answered(tools: HandTools, line: bytes, number: int) -> dict[str, object]:
    call = _call(line)
    if isinstance(call, str):
        return {"ok": False, "error": f"line {number}: {call}; a call looks like {EXAMPLE}"}
    outcome = await tools.run(*call)
    if outcome.is_error:
        return {"ok": False, "error": outcome.text}
    if outcome.image is None:
        return {"ok": True, "result": outcome.text}
    media, data = outcome.image
    return {"ok": True, "result": {"text": outcome.text, "mediaType": media, "data": data}}


def _call(line: bytes) -> tuple[str, dict[str, Any]] | str:
    """The tool and its input, or what is wrong with the line."""
    if len(line) > LONGEST:
        return f"it is longer than {LONGEST:,} bytes"
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"it is no JSON ({error})"
    if not isinstance(value, dict):
        return "it is no JSON object"
    known = cast("dict[str, object]", value)
    if unknown := sorted(known.keys() - {"tool", "input"}):
        return f"it has the unknown key {unknown[0]!r}"
    name, values = known.get("tool"), known.get("input", {})
    if not isinstance(name, str) or not isinstance(values, dict):
        return '"tool" must be a text and "input" an object'
    return name, cast("dict[str, Any]", values)


async def _lines(source: BinaryIO) -> AsyncGenerator[bytes]:
    """Read by a thread of its own, which the end of the program does not wait for."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    room = threading.Semaphore(AHEAD)
    threading.Thread(target=_read, args=(source, loop, queue, room), daemon=True, name="stdin").start()
    while line := await queue.get():
        room.release()
        yield line


def _read(
    source: BinaryIO, loop: asyncio.AbstractEventLoop, queue: "asyncio.Queue[bytes]", room: threading.Semaphore
) -> None:
    while True:
        room.acquire()
        line = source.readline(LONGEST + 1)
        rest = line
        while len(rest) > LONGEST and not rest.endswith(b"\n"):
            rest = source.readline(LONGEST + 1)
        try:
            loop.call_soon_threadsafe(queue.put_nowait, line)
        except RuntimeError:
            return  # The loop has ended: nobody asks any more.
        if not line:
            return
