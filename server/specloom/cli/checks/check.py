"""One result of `specloom doctor`, and how to ask another program for its version."""

import asyncio
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from specloom.workspace.process_group import end_process

ANSWER_S = 5.0
"""Seconds that any program or endpoint has for its answer."""


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """Works, with less."""
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at and how it is; `mend` says what to do where it is not well."""

    name: str
    level: Level
    message: str
    mend: str = ""


async def first_line(*command: str) -> str | None:
    """The first line that a program prints, `None` if it is missing, fails or does not answer in time."""
    found = shutil.which(command[0])
    if found is None or not Path(found).is_absolute():
        # `.` on the path: what lies in the folder is the repository's, and is not run.
        return None
    try:
        process = await asyncio.create_subprocess_exec(
            found,
            *command[1:],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(ANSWER_S):
            printed, _ = await process.communicate()
    except TimeoutError:
        return None
    finally:
        await end_process(process)
    return printed.decode(errors="replace").partition("\n")[0].strip() if process.returncode == 0 else None
