"""`continue_in_new_session`: the model hands its work over to a fresh context window. Refuses to hand over nothing."""

from collections.abc import Mapping
from typing import Any

from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome

NAME = "continue_in_new_session"


class ContinueInNewSession:
    """The tool."""

    name = NAME
    description = (
        "Ends this conversation and goes on with the same task in a fresh one. Call it when you are told that the "
        "context window is filling up, or when a part of the work is done and what you have read for it is of no more "
        "use. Finish what you are in the middle of first.\n"
        "Carried over as recorded: the task, its requirements, spec and verify commands, the words of the user, your "
        "open files as they stand now, what was changed, which commands ran and how they ended, what was refused, and "
        "your shell with its jobs. Not carried over: everything else that you read, found out, tried or decided. Of "
        "that the new session knows only what you write here."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "remaining": {
                "type": "string",
                "minLength": 1,
                "description": "What remains to be done, in order, with the paths and names that it is about",
            },
            "notes": {
                "type": "string",
                "description": "What you found out and decided, and what did not work, as far as it still matters",
            },
        },
        "required": ["remaining"],
        "additionalProperties": False,
    }
    effect = Effect.CONTROL

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """Nothing but the words."""
        _ = context
        remaining: str = values["remaining"].strip()
        if not remaining:
            return ToolOutcome("`remaining` is empty: say what is left to be done", is_error=True)
        notes: str = values.get("notes", "").strip()
        said = f"{remaining}\n\nNotes:\n\n{notes}" if notes else remaining
        return ToolOutcome("this session ends here; the next one goes on from a hand-over", continues=said)
