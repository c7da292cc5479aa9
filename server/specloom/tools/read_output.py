"""`read_output`: gives back an output that stands in the conversation as one line. Refuses to run anything again."""

from collections.abc import Mapping
from typing import Any

from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome
from specloom.tools.view import MAX_CHARACTERS, counted


class ReadOutput:
    """The tool."""

    name = "read_output"
    description = (
        "Shows again what an earlier call answered, where its result has become one line such as "
        '`[run_command …: exit code 1, 214 lines …; read_output {"output": 17} shows it]`. '
        "It is what was answered then; to know how things are now, make the call again. Long outputs are cut and the "
        "answer says how to go on."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "output": {"type": "integer", "minimum": 0, "description": "The number that the line names"},
            "start_line": {"type": "integer", "minimum": 1, "description": "First line to show, 1-based"},
            "end_line": {"type": "integer", "minimum": 1, "description": "Last line to show, inclusive"},
        },
        "required": ["output"],
        "additionalProperties": False,
    }
    effect = Effect.READ

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """Looks it up among the session's own results."""
        number = values["output"]
        text = context.outputs.get(number)
        if text is None:
            known = ", ".join(str(item) for item in sorted(context.outputs)) or "none yet"
            return ToolOutcome(f"no output {number} is kept; there are: {known}", is_error=True)
        lines = text.split("\n")
        first, last = values.get("start_line", 1), min(values.get("end_line", len(lines)), len(lines))
        if first > last:
            message = f"output {number} has {counted(len(lines), 'line')}; lines {first} to {last} are not in it"
            return ToolOutcome(message, is_error=True)
        return ToolOutcome(_bounded(number, lines, first, last))


def _bounded(number: int, lines: list[str], first: int, last: int) -> str:
    shown: list[str] = []
    size = 0
    for line in lines[first - 1 : last]:
        size += len(line) + 1
        if shown and size > MAX_CHARACTERS:
            break
        shown.append(line[:MAX_CHARACTERS])
    done = first + len(shown) - 1
    rest = f"\n… lines {done + 1} to {last} left out; go on with start_line={done + 1}" if done < last else ""
    title = f"output {number}, lines {first} to {done} of {len(lines)}, as it was:"
    return "\n".join([title, *shown]) + rest
