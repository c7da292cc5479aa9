"""A batch of 50 edits in a file of 100,000 lines. Refuses small files: it looks for what grows."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from specloom.domain.edits import LineEdit, ResolvedBatch, resolve
from specloom.domain.ids import AgentId, CallId, SessionId
from specloom.tools.edit_file import EditFile
from specloom.tools.ports import Asker, Output, ReadMemory, ToolContext
from specloom.workspace.workspace import Workspace

LINES = 100_000
EDITS = 50
NAME = "large.py"


def large() -> str:
    """Many twins, few lines that stand once."""
    return "".join(f"def call_{at}():\n" if at % 5 == 0 else f"    value = {at % 7}\n" for at in range(LINES))


def batch() -> list[LineEdit]:
    """All over the file; each second one a line off, each with more lines than it replaces."""
    lines = large().split("\n")
    places = range(100, LINES, LINES // EDITS)
    return [
        LineEdit(at + 1 + number % 2, lines[at], at + 1 + number % 2, lines[at], f"def new_{at}():\n    pass\n")
        for number, at in enumerate(places)
    ]


def resolved(repeats: int) -> list[float]:
    """Seconds to find the lines and make the text, without any file."""
    text, edits = large(), batch()
    seconds: list[float] = []
    for _ in range(repeats):
        start = time.perf_counter()
        found = resolve(text, edits)
        assert isinstance(found, ResolvedBatch), found.faults
        assert len(found.text) > len(text)
        seconds.append(time.perf_counter() - start)
    return seconds


async def edited(folder: Path, repeats: int) -> list[float]:
    """Seconds of whole calls of the tool: read, find, merge, write, report."""
    values = {"path": NAME, "edits": [_sent(edit) for edit in batch()]}
    seconds: list[float] = []
    for _ in range(repeats):
        (folder / NAME).write_text(large())
        context = _context(folder)
        context.memory.show(await context.files.read(NAME))
        start = time.perf_counter()
        outcome = await EditFile().run(values, context)
        seconds.append(time.perf_counter() - start)
        assert not outcome.is_error, outcome.text
    return seconds


def _sent(edit: LineEdit) -> Mapping[str, Any]:
    return {name: getattr(edit, name) for name in ("start_line", "start_text", "end_line", "end_text", "new_text")}


def _context(folder: Path) -> ToolContext:
    """Of a tool that asks nobody and prints nothing."""
    return ToolContext(
        files=Workspace.at(folder),
        asker=cast("Asker", None),
        output=cast("Output", None),
        memory=ReadMemory(),
        agent=AgentId("agent-1"),
        session=SessionId("session-1"),
        attempt=None,
        task=None,
        call=CallId("call-1"),
        environment={},
        edits_per_call=EDITS,
    )
