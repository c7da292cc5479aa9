"""`run_command`: runs a command in the agent's shell. Refuses to wait for what does not end."""

from collections.abc import Mapping
from typing import Any

from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome
from specloom.workspace.shell.agent_shell import AgentShell, CommandResult

LONGEST = 1800


class RunCommand:
    """The tool."""

    name = "run_command"
    description = (
        "Runs a command in your bash, which starts in the project root and stays: `cd`, variables, functions and "
        "activated tools (`source .venv/bin/activate`) last from call to call; only `set -e`, `-u`, `-v`, `-x` count "
        "for one call. The answer starts with the exit code; of long output it holds head and tail and says how to "
        "read the rest. Nobody can answer prompts: standard input is empty, there is no terminal, pagers and editors "
        "do not open; give answers by options (`-y`, `-m`).\n"
        "With `blocking: false` the command becomes a job (a server, a watcher, a long build): a copy of your shell "
        "carries it out, so what it sets stays there, and the answer comes at once with the job's number and log. A "
        "command that is not done after `timeout_s` goes on as a job too, and a fresh shell takes over in the same "
        "folder with the same exported variables and functions; so it does after `exit` or `exec`. You are told when "
        "a job ends; `command_jobs` reads its output and stops it. All processes end with your work on the task.\n"
        "The user may have to allow the command and may refuse it."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "command": {"type": "string", "minLength": 1, "description": "Any bash, also of several lines"},
            "blocking": {
                "type": "boolean",
                "description": "Wait for the end (default true), or false: run it as a job beside the next calls",
            },
            "timeout_s": {
                "type": "number",
                "minimum": 1,
                "maximum": LONGEST,
                "description": "Seconds to wait for the end, default 120",
            },
        },
        "required": ["command"],
        "additionalProperties": False,
    }
    effect = Effect.COMMAND

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """Whoever calls has asked."""
        command: str = values["command"]
        shell = context.shell
        if shell is None:
            return ToolOutcome("not run: this role has no shell", is_error=True)
        if not values.get("blocking", True):
            return await _started(shell, command, context)
        timeout = float(values.get("timeout_s", context.command_timeout))
        before = shell.folder
        result = await shell.run(command, timeout, context.output.chunk)
        moved = "" if shell.folder == before else shell.spoken(shell.folder)
        return ToolOutcome(_told(result, timeout, moved), is_error=result.exit_code is None or bool(result.advice))


async def _started(shell: AgentShell, command: str, context: ToolContext) -> ToolOutcome:
    job = await shell.start(command, context.output.chunk)
    if job is None:
        running = ", ".join(f"{job.number} (`{job.title}`)" for job in shell.jobs if job.state == "running")
        return ToolOutcome(f"not run: no more jobs may run; stop one of {running} with `command_jobs`", is_error=True)
    return ToolOutcome(f"job {job.number} was started\nIt prints to {job.log}; you are told when it ends")


def _told(result: CommandResult, timeout: float, moved: str) -> str:
    lines = [*_outcome(result, timeout), *(f"({note})" for note in result.notes)]
    if moved:
        lines.append(f"(the shell is now in {moved})")
    if result.printed.fault:
        lines.append(f"({result.printed.fault})")
    elif result.printed.truncated:
        lines.append(f"(the whole output: `command_jobs` with action read and job {result.number}, or {result.log})")
    if not result.printed.text and len(lines) == 1:
        return f"{lines[0]}, no output"
    return "\n".join((*lines, result.printed.text or "(no output)"))


def _outcome(result: CommandResult, timeout: float) -> tuple[str, ...]:
    """First what happened, on a line that can stand alone; then what may be done."""
    if result.exit_code is not None:
        ended = f"exit code {result.exit_code}"
        if not result.advice:
            return (ended,)
        return f"{ended}; it wanted input, which nobody can give", f"Unattended: {result.advice}"
    endless = (f"If it never ends by itself: {result.advice}",) if result.advice else ()
    if result.job:
        told = f"It prints to {result.log}; `command_jobs` reads its output or stops it"
        return f"not done after {timeout:g} s (timeout): it goes on as job {result.number}", told, *endless
    if not result.overdue:
        return ("ended; its exit code is not known",)
    return f"ended without an exit code after at most {timeout:g} s: no more jobs may run, so it was stopped", *endless
