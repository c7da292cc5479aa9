"""`subagent`: lets a read-only session of its own find something out. Refuses to call an unfinished one an answer."""

from collections.abc import Mapping
from typing import Any

from specloom.tools.ports import Delegated, Errand, ToolContext
from specloom.tools.tool import Effect, ToolOutcome
from specloom.tools.view import counted

NAME = "subagent"
NOBODY = "no sub-agent can be sent from here; find it out by yourself"


class Subagent:
    """The tool."""

    name = NAME
    description = (
        "Sends a sub-agent to find something out: a session of its own that knows only the words of this call. It "
        "reads and searches the project as it stands now, and can do nothing else. It has about 15 turns, and "
        "only its last words come back, about 4,000 characters at most: claims, so look where it points before you "
        "build on them, and read a file yourself before you edit it. "
        "It pays where much must be read for a short answer (who uses this and how, which of these files does that, "
        "how these modules work together): the bulk stays out of this conversation. For one or two files or "
        "searches, or where you need the text itself, read by yourself: that is quicker and cheaper. Questions that "
        "do not need each other's answers go out as several calls in one turn: they work side by side."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "task": {
                "type": "string",
                "minLength": 1,
                "description": "The question, all that it must know for it, and what the answer must hold "
                "(for example paths with line numbers)",
            },
            "files": {
                "type": "array",
                "items": {"type": "string", "minLength": 1},
                "maxItems": 50,
                "description": "Paths to begin with, relative to the project root; it may read others",
            },
        },
        "required": ["task"],
        "additionalProperties": False,
    }
    effect = Effect.READ

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """The last words of the sub-agent, or why there are none."""
        if context.delegate is None:
            return ToolOutcome(NOBODY, is_error=True)
        files = tuple(dict.fromkeys(values.get("files", ())))
        return _told(await context.delegate.send(Errand(values["task"], files, context.call)))


def _told(delegated: Delegated) -> ToolOutcome:
    text = delegated.text
    if delegated.left_out:
        text += f"\n(cut off here: {delegated.left_out:,} more characters; ask for a shorter answer, or for a part)"
    if not delegated.failure:
        head = f"the sub-agent answers after {counted(delegated.turns, 'turn')}, unverified:"
        return ToolOutcome(f"{head}\n{text}")
    words = f"\nits last words, unverified:\n{text}" if text else ""
    return ToolOutcome(f"no answer: {delegated.failure}{words}", is_error=True)
