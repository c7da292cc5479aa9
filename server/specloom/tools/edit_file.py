"""`edit_file`: replaces lines of a file that was read. Refuses the whole call when one edit is in doubt."""

from collections.abc import Mapping
from typing import Any

from specloom.domain.edit_cap import Capped, Torn, capped, spans
from specloom.domain.edits import EditRefusal, LineEdit, resolve
from specloom.domain.hidden import masked, restored
from specloom.tools.changes import told
from specloom.tools.edit_refusals import refused_batch, torn_call
from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome
from specloom.tools.view import counted
from specloom.tools.writing import Written, read_only, where, worked_out, write

_UNREAD = "not changed: read {path} first with read_file (search results do not count), then edit what you saw"

EDIT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "start_line": {"type": "integer", "minimum": 0, "description": "First line to replace, 1-based"},
        "start_text": {"type": "string", "description": "That line as it is, without its number"},
        "end_line": {"type": "integer", "minimum": 0, "description": "Last line to replace, inclusive"},
        "end_text": {"type": "string", "description": "That line"},
        "new_text": {
            "type": "string",
            "description": "The lines to stand there instead, indented as in the file, without numbers; empty deletes",
        },
    },
    "required": ["start_line", "start_text", "end_line", "end_text", "new_text"],
    "additionalProperties": False,
}


class EditFile:
    """The tool."""

    name = "edit_file"
    description = (
        "Replaces whole lines of a file that you have read with read_file or written yourself (search results do not "
        "count). Each edit names the first and the last line to replace by number and exact text; for one line both "
        "are the same. Numbers mean the text as you last saw it, for all edits of a turn: do not count in what the "
        "others add or remove. To insert, replace a line by itself and the new lines; to add after the last line, "
        "state its number plus one and empty texts, in an empty file line 1. A call takes at most 3 edits (unless set "
        "otherwise), best from the last line to the first. All are made, or none. What others changed elsewhere "
        "meanwhile is kept. The answer shows the changed lines with their new numbers."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "minLength": 1, "description": "Relative to the project root"},
            "edits": {"type": "array", "minItems": 1, "maxItems": 50, "items": EDIT},
        },
        "required": ["path", "edits"],
        "additionalProperties": False,
    }
    effect = Effect.WRITE

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """Resolves in the base, merges onto the present text."""
        refusal = await read_only(values["path"], context)
        if refusal is not None:
            return refusal
        present = await context.files.read(values["path"])
        base = context.memory.base_of(present.path)
        if base is None:
            return ToolOutcome(_UNREAD.format(path=present.path), is_error=True)
        most = context.edits_per_call
        made = context.memory.made(present.path)
        edits = [LineEdit(**edit) for edit in values["edits"]]
        before = made.hunks if made is not None else ()
        seen = await worked_out(len(base.text), masked, base.text, context.redact)
        batch = await worked_out(len(base.text), resolve, seen.lines, edits, before)
        if isinstance(batch, EditRefusal):
            return ToolOutcome(refused_batch(present.path, batch, len(values["edits"])), is_error=True)
        call = capped(batch, most)
        if isinstance(call, Torn):
            return ToolOutcome(torn_call(present.path, call, batch.edits, most), is_error=True)
        hunks = restored(seen, call.batch.hunks)
        if isinstance(hunks, str):
            return ToolOutcome(f"not changed: {hunks}", is_error=True)
        written = await write(context, base, seen.raw, hunks)
        if isinstance(written, ToolOutcome):
            return written
        return ToolOutcome(_report(present.path, call, written), corrected=_corrected(values["path"], call))


def _report(path: str, call: Capped, written: Written) -> str:
    made = len(call.batch.edits)
    count = counted(made, "edit") if not call.dropped else f"the first {made} of {made + len(call.dropped)} edits"
    moved = "; it had changed since you last saw it" if written.moved else ""
    title = f"{path}: {count} made{where(written.applied)}{moved}{_left(call)}"
    return f"{title}\n{told(written.merged)}"


def _left(call: Capped) -> str:
    """Names the edits that were not made, by the numbers that the model knows."""
    if not call.dropped:
        return ""
    made = len(call.batch.edits)
    named = [f"edit {made + at} ({span})" for at, span in enumerate(spans(call.dropped), 1)]
    return f"\nNot made: {', '.join(named)}. A call takes {made}: send the others again, with their present numbers"


def _corrected(path: str, call: Capped) -> Mapping[str, Any] | None:
    if not call.batch.corrected:
        return None
    return {"path": path, "edits": [_as_sent(edit) for edit in call.batch.edits]}


def _as_sent(edit: LineEdit) -> dict[str, Any]:
    return {
        "start_line": edit.start_line,
        "start_text": edit.start_text,
        "end_line": edit.end_line,
        "end_text": edit.end_text,
        "new_text": edit.new_text,
    }
