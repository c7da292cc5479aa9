"""`close_file`: the model has no more use for a file's text. Refuses nothing, and changes nothing on disk."""

from collections.abc import Mapping
from posixpath import normpath
from typing import Any

from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome
from specloom.tools.view import counted


class CloseFile:
    """The tool."""

    name = "close_file"
    description = (
        "Closes files that you need no more: changes to them are not told any more, and their text leaves later "
        "requests, which makes these cheaper. Nothing on disk changes. To edit a closed file, read it again."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "paths": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string", "minLength": 1},
                "description": "Relative to the project root, as in the results that showed them",
            }
        },
        "required": ["paths"],
        "additionalProperties": False,
    }
    effect = Effect.READ

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """Names what was not open, which harms nothing."""
        wanted = list(dict.fromkeys(map(normpath, values["paths"])))
        known = [path for path in wanted if path in context.memory.bases]
        unknown = [path for path in wanted if path not in context.memory.bases]
        for path in known:
            context.memory.close(path)
        parts = [f"closed: {', '.join(known)}"] if known else []
        parts += [f"not open: {', '.join(unknown)}"] if unknown else []
        return ToolOutcome(f"{'; '.join(parts)} ({counted(len(context.memory.bases), 'file')} open)")
