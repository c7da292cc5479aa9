"""`read_file`: shows a text with line numbers, or an image. Refuses other binary files and never changes anything."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Any

from specloom.domain.lines import Line, split_lines
from specloom.tools.images import BYTE_LIMIT, measured, refusal
from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome
from specloom.tools.view import MAX_LINES, counted, numbered
from specloom.tools.writing import worked_out
from specloom.workspace.ports import MissingFileError, NotTextError, TextSnapshot, TooLargeError

IN_PARTS = ", too large to edit: use a command for that)"
"""Ends the first line on a file of which only parts are shown."""


class ReadFile:
    """The tool."""

    name = "read_file"
    description = (
        "Shows a text file as it stands now, unsaved changes in the user's editor included. "
        "Lines look like `12 | text`: the number and ` | ` are not part of the file. Long files are cut and the answer "
        "says how to go on; very large ones are shown in parts and cannot be edited. "
        "PNG, JPEG, GIF and WebP are shown as images; other binary files are refused."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "minLength": 1, "description": "Relative to the project root"},
            "start_line": {"type": "integer", "minimum": 1, "description": "First line to show, 1-based"},
            "end_line": {"type": "integer", "minimum": 1, "description": "Last line to show, inclusive"},
        },
        "required": ["path"],
        "additionalProperties": False,
    }
    effect = Effect.READ

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """Remembers the whole text as the base of later edits."""
        try:
            return await _read(values, context)
        except MissingFileError as error:
            near = await asyncio.to_thread(nearest, values["path"], await context.files.walk())
            return ToolOutcome(f"{error}{near}", is_error=True)
        except NotTextError:
            image = await _image(values["path"], context)
            if image is None:
                raise
            return image


MOST_NEAR = 3
"""Files that are offered in place of one that does not exist."""


def nearest(path: str, paths: Sequence[str]) -> str:
    """Which files may have been meant, as the end of a sentence: those of that name, else similar ones beside it."""
    wanted = PurePosixPath(path)
    near = [known for known in paths if PurePosixPath(known).name.lower() == wanted.name.lower()]
    if not near:
        beside = [known for known in paths if PurePosixPath(known).parent == wanted.parent]
        near = get_close_matches(str(wanted), beside, MOST_NEAR, cutoff=0.8)
    return f" (did you mean {' or '.join(map(repr, near[:MOST_NEAR]))}?)" if near else ""


async def _read(values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
    try:
        snapshot = await context.files.read(values["path"])
    except TooLargeError:
        return await _part(values, context)
    lines = split_lines(snapshot.text)
    first = values.get("start_line", 1)
    last = min(values.get("end_line", len(lines)), len(lines))
    if lines and (first > len(lines) or last < first):
        asked = f"line {first}" if first > len(lines) else f"lines {first} to {last}"
        message = f"{snapshot.path} has {counted(len(lines), 'line')}; there is nothing to show from {asked}"
        return ToolOutcome(message, is_error=True)
    context.memory.show(snapshot)
    return ToolOutcome(_shown(snapshot, lines, first, last))


def _shown(snapshot: TextSnapshot, lines: tuple[Line, ...], first: int, last: int) -> str:
    state = ", unsaved changes in the editor" if snapshot.dirty else ""
    if not lines:
        return f"{snapshot.path} is empty{state}"
    view = numbered(lines, first, last)
    end = "" if lines[-1].eol else ", no newline at the end"
    title = f"{snapshot.path} ({counted(len(lines), 'line')}{end}{state})"
    if view.last < last:
        rest = f"\n… lines {view.last + 1} to {last} left out; go on with start_line={view.last + 1}"
    else:
        rest = ""
    return f"{title}\n{view.text}{rest}"


async def _part(values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
    """Of a file that is too large to be a base: what is shown of it cannot be edited."""
    first = values.get("start_line", 1)
    wanted = max(0, min(values.get("end_line", first + MAX_LINES - 1) - first + 1, MAX_LINES))
    part = await context.files.read_part(values["path"], first, wanted)
    if not part.lines:
        return ToolOutcome(f"{part.path} has no line {first}", is_error=True)
    view = numbered([Line(line, "\n") for line in part.lines], 1, len(part.lines), shift=first - 1)
    more = f"\n… go on with start_line={view.last + 1}" if part.more or view.last < first + len(part.lines) - 1 else ""
    title = f"{part.path} ({part.size:,} bytes{IN_PARTS}"
    return ToolOutcome(f"{title}\n{view.text}{more}")


async def _image(path: str, context: ToolContext) -> ToolOutcome | None:
    data = await context.files.read_bytes(path, BYTE_LIMIT + 1)
    if said := await worked_out(len(data), refusal, path, data):
        return ToolOutcome(said, is_error=True)
    size = await worked_out(len(data), measured, data)
    if size is None:
        return None
    title = f"{path} ({size.media}, {size.width:,} x {size.height:,} pixels, {len(data):,} bytes)"
    return ToolOutcome(title, image=(size.media, base64.b64encode(data).decode()))
