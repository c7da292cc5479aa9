"""`ask_user`: puts a question to the person. Refuses to decide in his place when nobody answers."""

from collections.abc import Mapping
from typing import Any

from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome

MOST_CHOICES = 4
"""More are cut off in some editors."""
WITHOUT = "decide yourself what is cheap to change later, and say so at the end; for anything else report_blocked"


class AskUser:
    """The tool."""

    name = "ask_user"
    description = (
        "Asks the user one question and waits for the answer, for minutes if need be. Only for what you cannot find "
        "out and may not decide: a choice that the requirements leave open and that is costly to change later. "
        "With `choices` the user picks one of them, otherwise answers in words. Often nobody is there, and the answer "
        "says so. Permission for commands is asked for by itself."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "question": {"type": "string", "minLength": 1, "description": "Whole and understandable by itself"},
            "choices": {
                "type": "array",
                "items": {"type": "string", "minLength": 1},
                "minItems": 2,
                "maxItems": MOST_CHOICES,
                "description": "Short answers to pick from",
            },
        },
        "required": ["question"],
        "additionalProperties": False,
    }
    effect = Effect.CONTROL

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """The words of the user, or why there are none."""
        choices = tuple(dict.fromkeys(values.get("choices", ())))
        reply = await context.asker.ask(values["question"], choices)
        if reply.answered:
            return ToolOutcome(f"the user answers: {reply.text}")
        text = f"no answer: {reply.text}; {WITHOUT}"
        return ToolOutcome(text, is_error=True)
