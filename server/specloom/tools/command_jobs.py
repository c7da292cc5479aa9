"""`command_jobs`: lists, reads and stops the commands that go on beside the agent. Refuses to start one."""

import asyncio
from collections.abc import Mapping
from typing import Any

from specloom.tools.ports import ToolContext
from specloom.tools.tool import Effect, ToolOutcome
from specloom.workspace.process import OUTPUT_LIMIT
from specloom.workspace.shell.agent_shell import AgentShell
from specloom.workspace.shell.jobs import Job
from specloom.workspace.shell.log_pages import page

LINES = 200
MOST = 2000


class CommandJobs:
    """The tool."""

    name = "command_jobs"
    description = (
        "Looks after jobs: commands that `run_command` started with `blocking: false` or that ran out of time. "
        "`list` names them with their states. `read` shows what one has printed so far (the last 200 lines, or from "
        "`from_line` on), running or ended; it takes the number of any earlier command whose answer was cut, too. "
        "`stop` ends one with everything it started and shows its last lines. You are told when a job ends: do not "
        "read again and again to wait for it, go on with other work, or wait with `sleep` in `run_command`."
    )
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "action": {"type": "string", "enum": ["list", "read", "stop"]},
            "job": {"type": "integer", "minimum": 1, "description": "Its number; for read and stop"},
            "from_line": {
                "type": "integer",
                "minimum": 1,
                "description": "read: first line to show",
            },
            "lines": {"type": "integer", "minimum": 1, "maximum": MOST, "description": "read: how many, default 200"},
        },
        "required": ["action"],
        "additionalProperties": False,
    }
    effect = Effect.CONTROL

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """Needs no leave: it was given for the command."""
        shell, number = context.shell, values.get("job")
        if shell is None:
            return ToolOutcome("this role has no shell", is_error=True)
        if values["action"] == "list":
            return ToolOutcome("\n".join(map(_line, shell.jobs)) or "there are no jobs")
        if number is None:
            return ToolOutcome(f"{values['action']} needs `job`, the number of one; `list` names them", is_error=True)
        known = {job.number: job for job in shell.jobs}
        if values["action"] == "stop":
            return await _stopped(shell, number, known)
        return await _read(shell, number, known.get(number), values)


async def _stopped(shell: AgentShell, number: int, known: Mapping[int, Job]) -> ToolOutcome:
    if number not in known:
        return ToolOutcome(_unknown(number, known), is_error=True)
    was = known[number].status
    job = await shell.stop(number)
    assert job is not None
    told = "was stopped" if was == "running" else f"had {was} already"
    last = await asyncio.to_thread(page, job.log, None, 20, OUTPUT_LIMIT)
    return ToolOutcome(f"job {number} (`{job.title}`) {told}; its last lines:\n{last.text or '(no output)'}")


async def _read(shell: AgentShell, number: int, job: Job | None, values: Mapping[str, Any]) -> ToolOutcome:
    log = shell.log(number)
    if log is None:
        return ToolOutcome(_unknown(number, {job.number: job for job in shell.jobs}), is_error=True)
    who = f"command {number}" if job is None else f"job {number} (`{job.title}`) {job.status}"
    if job is not None:
        await shell.look(job)
    try:
        shown = await asyncio.to_thread(page, log, values.get("from_line"), values.get("lines", LINES), OUTPUT_LIMIT)
    except OSError as error:
        return ToolOutcome(f"the log of {who} cannot be read: {error.strerror}", is_error=True)
    if not shown.first:
        none = "nothing printed so far" if not shown.total else f"it has {shown.total} lines, none from there on"
        return ToolOutcome(f"{who}: {none}")
    return ToolOutcome(f"{who}: lines {shown.first}-{shown.last} of {shown.total}\n{shown.text}")


def _line(job: Job) -> str:
    return f"job {job.number} (`{job.title}`): {job.status}"


def _unknown(number: int, known: Mapping[int, Job]) -> str:
    names = ", ".join(map(str, known)) or "none"
    return f"there is no job {number}; jobs: {names}"
