"""`write_file`: gives a file a whole new text. Refuses to overwrite what was not read."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from specloom.domain.edits import applied
from specloom.domain.hidden import masked, restored
from specloom.domain.lines import Line, adapted, split_lines
from specloom.domain.merge import Hunk, diff
from specloom.domain.redact import REDACTED, Redactor
from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome
from specloom.tools.view import counted
from specloom.tools.writing import label, read_only, refused, where, worked_out, write
from specloom.workspace.ports import Applied, FileChange, MissingFileError, TextSnapshot

_UNREAD = "not changed: {path} exists; read it first with read_file, then write or edit it"
_UNSEEN = "not changed: {path} is read in this very turn, and you have not seen it yet; look at it, then write"


class WriteFile:
    """The tool."""

    name = "write_file"
    description = (
        "Creates a text file, with its folders, or replaces the whole text of one that you have read or written. To "
        "change parts of a file use edit_file. What others changed in it since you last saw it is kept where it does "
        "not touch your changes; otherwise nothing is written and the answer shows the present lines."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "minLength": 1, "description": "Relative to the project root"},
            "content": {"type": "string", "description": "The whole text"},
        },
        "required": ["path", "content"],
        "additionalProperties": False,
    }
    effect = Effect.WRITE

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """A new file is created; the text of an existing one is merged with what others did to it."""
        refusal = await read_only(values["path"], context)
        if refusal is not None:
            return refusal
        try:
            present = await context.files.read(values["path"])
        except MissingFileError:
            return await _create(values["path"], values["content"], context)
        return await _replace(present, values["content"], context)


async def _create(path: str, content: str, context: ToolContext) -> ToolOutcome:
    result = await context.files.apply(FileChange(path, content, None, label(context)))
    if not isinstance(result, Applied):
        return refused(result)
    context.memory.show(result.snapshot)
    context.memory.wrote(replace(result.snapshot, text=content))
    lines = counted(len(split_lines(content)), "line")
    mark = f"; {REDACTED} stands there as it is: a hidden value cannot be copied" if REDACTED in content else ""
    return ToolOutcome(f"{result.snapshot.path} created, {lines}{where(result)}{mark}")


async def _replace(present: TextSnapshot, content: str, context: ToolContext) -> ToolOutcome:
    base = context.memory.base_of(present.path)
    if base is not None and context.memory.is_unseen(present.path):
        return ToolOutcome(_UNSEEN.format(path=present.path), is_error=True)
    if base is None:
        return ToolOutcome(_UNREAD.format(path=present.path), is_error=True)
    compared = await worked_out(len(base.text) + len(content), _compared, base.text, content, context.redact)
    if isinstance(compared, str):
        return ToolOutcome(f"not changed: {compared}", is_error=True)
    wanted, old, hunks = compared
    written = await write(context, base, old, hunks, apart=False)
    if isinstance(written, ToolOutcome):
        return written
    context.memory.wrote(replace(written.applied.snapshot, text=wanted))
    lines = counted(len(written.merged.lines), "line")
    kept = "; changes that others made since you read it were kept, read it again to see them" if written.moved else ""
    return ToolOutcome(f"{present.path} replaced, {lines}{where(written.applied)}{kept}")


def _compared(base: str, content: str, redact: Redactor) -> tuple[str, tuple[Line, ...], tuple[Hunk, ...]] | str:
    """The text as it will be, the lines of the base, and what turns these into that; or why that cannot be told."""
    wanted, seen = adapted(content, base), masked(base, redact)
    hunks = diff(seen.lines, split_lines(wanted))
    if not seen.hidden:
        return wanted, seen.raw, hunks
    own = restored(seen, hunks)
    return own if isinstance(own, str) else (applied(seen.raw, own), seen.raw, own)
