"""`run_command`: runs one shell command to its end. Refuses to run unasked and to leave anything running."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome
from specloom.workspace.process import OUTPUT_LIMIT, ProcessResult, run

LONGEST = 1800


class RunCommand:
    """The tool."""

    name = "run_command"
    description = (
        "Runs a command with `bash -c` in the project root and waits for its end. Nobody can answer prompts: "
        "standard input is empty, pagers and editors do not open. Each call is a new shell: `cd` and variables do not "
        "last. Background processes are ended with the command. The answer starts with the exit code; "
        "of long output it holds head and tail. "
        "The user may have to allow the command and may refuse it."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "command": {"type": "string", "minLength": 1},
            "cwd": {
                "type": "string",
                "minLength": 1,
                "description": "Folder below the project root, default: the root",
            },
            "timeout_s": {"type": "number", "minimum": 1, "maximum": LONGEST, "description": "Seconds, default 120"},
        },
        "required": ["command"],
        "additionalProperties": False,
    }
    effect = Effect.COMMAND

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """Asks first."""
        command: str = values["command"]
        folder = await asyncio.to_thread(_folder, context, values.get("cwd", "."))
        if folder is None:
            return ToolOutcome(f"cwd {values['cwd']!r} is no folder below the root; use one that exists", is_error=True)
        decision = await context.asker.may_run(command, _purpose(context, values.get("cwd")))
        if not decision.allowed:
            return ToolOutcome(f"not run: {decision.reason or 'the user did not allow it'}", is_error=True)
        timeout = float(values.get("timeout_s", context.command_timeout))
        result = await run(
            command, folder, context.environment, timeout, on_output=context.output.chunk, limit=OUTPUT_LIMIT
        )
        return ToolOutcome(_told(result, timeout), is_error=result.timed_out)


def _folder(context: ToolContext, cwd: str) -> Path | None:
    folder = context.files.resolve(cwd)
    return folder if folder.is_dir() else None


def _purpose(context: ToolContext, cwd: str | None) -> str:
    who = f"agent {context.agent}" if context.task is None else f"task {context.task}"
    return f"{who} runs a command" + (f" in {cwd}" if cwd else "")


def _told(result: ProcessResult, timeout: float) -> str:
    if result.timed_out:
        first = (
            f"ended after {timeout:g} s without an exit code (timeout); give it longer with timeout_s, or a smaller job"
        )
    else:
        first = f"exit code {result.exit_code}"
    if result.left_behind:
        first += "; background processes that it had started were ended"
    if not result.output:
        return f"{first}, no output"
    return f"{first}\n{result.output}"
