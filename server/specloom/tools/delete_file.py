"""`delete_file`: deletes a file, or a folder with all below it. Refuses what somebody is changing, and links."""

from collections.abc import Mapping
from typing import Any

from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome
from specloom.tools.view import counted
from specloom.tools.writing import covers, label, read_only

NAMED = 20
"""Deleted paths that are named one by one."""


class DeleteFile:
    """The tool."""

    name = "delete_file"
    description = (
        "Deletes a file, or a folder with everything below it. The user can bring it back. "
        "Refused: links, folders of more than 200 files, files with unsaved changes in the user's editor, and files "
        "that others changed since you read them."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {"path": {"type": "string", "minLength": 1, "description": "Relative to the project root"}},
        "required": ["path"],
        "additionalProperties": False,
    }
    effect = Effect.WRITE

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """What is gone is closed: its text is no base any more."""
        path: str = values["path"]
        refusal = await read_only(path, context)
        if refusal is not None:
            return refusal
        known = {path: base.digest for path, base in context.memory.bases.items()}
        done = await context.files.delete(path, label(context), known, lambda name: _is_closed(name, context))
        for gone in done.paths:
            context.memory.close(gone)
        if done.refused:
            kept = f"; deleted before that: {_named(done.paths)}" if done.paths else ""
            return ToolOutcome(f"not deleted: {done.refused}{kept}", is_error=True)
        if done.paths == (path,):
            return ToolOutcome(f"{path} deleted")
        return ToolOutcome(f"{path} deleted with {counted(len(done.paths), 'file')}: {_named(done.paths)}")


def _is_closed(path: str, context: ToolContext) -> bool:
    return any(covers(pattern, path) for pattern in context.read_only)


def _named(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return f"{', '.join(paths[:NAMED])}{more}" if paths else "it was empty"
