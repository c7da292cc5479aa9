"""`report_blocked`: the agent says that it cannot go on. Refuses to judge: the engine and the user do."""

from collections.abc import Mapping
from typing import Any

from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome


class ReportBlocked:
    """The tool."""

    name = "report_blocked"
    description = (
        "Ends this attempt because something outside your reach is missing: a decision, an access, a contradiction "
        "in the requirements. Say what is missing and who can give it. Not for difficult work, nor for a failing "
        "test that you can mend."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "reason": {
                "type": "string",
                "minLength": 1,
                "description": "What is missing, in one or two sentences for the user",
            }
        },
        "required": ["reason"],
        "additionalProperties": False,
    }
    effect = Effect.CONTROL

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """Nothing but the report."""
        _ = context
        reason: str = values["reason"].strip()
        return ToolOutcome("reported; the attempt ends here", blocked=reason or "no reason given")
