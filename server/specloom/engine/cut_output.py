"""Ties what commands print to the call that ran them, so that a model hears of a command that was cut off.

Refuses to guess: a log counts as a call's output only where it was written down, before the call, that it would be.
"""

import asyncio
import json
import os
from pathlib import Path

from specloom.agent.replay import UNKNOWN
from specloom.workspace.process import OUTPUT_LIMIT
from specloom.workspace.shell.agent_shell import AgentShell, last_number
from specloom.workspace.shell.command_log import UNPRINTABLE
from specloom.workspace.shell.log_pages import page

NAME = "running.json"
LINES = 200
"""That are shown of a log at the most."""
ALIVE = "It was still running, and was ended now."
GONE = "Nothing of it was found running any more."
NOTHING = "It had printed nothing by then."


async def write_down(shell: AgentShell, call: str) -> None:
    """Call before a command runs. Where the disk takes nothing, a cut command is told without its output."""
    await asyncio.to_thread(_write_down, shell.logs, call, shell.newest)


async def told_of_cut(folder: Path, call: str, *, alive: bool) -> str:
    """What the model hears of a call that was cut off: that its outcome is unknown, whether it lived, its output."""
    printed = await asyncio.to_thread(_printed, folder, call)
    return f"{UNKNOWN} {ALIVE if alive else GONE} {printed}"


def _write_down(folder: Path, call: str, newest: int) -> None:
    try:
        for each in (folder.parent, folder):
            each.mkdir(mode=0o700, exist_ok=True)
        noted = json.dumps({"call": call, "after": max(newest, last_number(folder))})
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(folder / NAME, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(noted)
    except OSError:
        return


def _printed(folder: Path, call: str) -> str:
    try:
        noted = json.loads((folder / NAME).read_text(encoding="utf-8"))
        if noted["call"] != call:
            return NOTHING  # It was not come to.
        number = last_number(folder)
        if number <= int(noted["after"]):
            return NOTHING
        shown = page(folder / f"{number}.log", None, LINES, OUTPUT_LIMIT)
    except (OSError, ValueError, KeyError, TypeError):
        return "What it had printed is not known."
    if not shown.text:
        return NOTHING
    whole = "" if shown.first <= 1 else f" (its last {shown.last - shown.first + 1} lines of {shown.total})"
    return f"What it had printed by then{whole}:\n{shown.text.translate(UNPRINTABLE)}"
