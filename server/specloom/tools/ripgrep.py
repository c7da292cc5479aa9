"""ripgrep as a sieve: which of some files hold one of some texts. Refuses to decide what matches, and what is visible.

It is given names and answers names; each file is then opened through the jail and matched by the one engine that
knows the pattern, so that results are the same with and without it.
"""

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from specloom.workspace.process_group import end_process
from specloom.workspace.shielding import to_the_end

ROOM = 512 * 1024
"""Bytes of names for one process: half of what macOS takes, a quarter of what Linux does."""
AT_ONCE = 2
FLAGS = (
    *("--no-config", "--no-messages", "--no-ignore", "--hidden", "--text", "--files-with-matches", "--null"),
    *("--color=never", "--threads=0"),
)
BETWEEN = r"(?-u:[^\n])*"
NUL = r"\x00"
"""Files with one are looked into as well: they may be of an encoding that only we know."""


def find_ripgrep(environment: Mapping[str, str], root: Path) -> str | None:
    """The `rg` on the path of `environment`. One in the root is the repository's, and is not run. Blocking."""
    found = shutil.which("rg", path=environment.get("PATH", ""))
    if found is None or not Path(found).is_absolute():
        return None
    return None if Path(found).resolve().is_relative_to(root) else found


async def sieve(
    program: str, root: Path, paths: Sequence[str], groups: Sequence[Sequence[str]], *, ignore_case: bool
) -> list[str] | None:
    """The paths that may hold, in one line, all texts of a group; in their order. `None`: ripgrep cannot tell."""
    command = [program, *FLAGS, *(["--ignore-case"] if ignore_case else ["--case-sensitive"])]
    for texts in groups:
        command += ["-e", BETWEEN.join(map(_escaped, texts))]
    command += ["-e", NUL, "--"]
    slots = asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as group:
        parts = [group.create_task(_part(slots, [*command, *chunk], root)) for chunk in _chunks(paths)]
    answers = [part.result() for part in parts]
    found = {name for answer in answers if answer is not None for name in answer}
    return None if None in answers else [path for path in paths if path in found]


async def _part(slots: asyncio.Semaphore, command: Sequence[str], root: Path) -> list[str] | None:
    pipe, none = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    async with slots:
        try:
            process = await asyncio.create_subprocess_exec(
                *command, cwd=root, stdin=none, stdout=pipe, stderr=none, env={}
            )
        except OSError:
            return None
        try:
            output, _ = await process.communicate()
        finally:
            await to_the_end(end_process(process))
    if process.returncode not in {0, 1}:
        return None  # A file could not be read, or the pattern was not taken: then we look ourselves.
    return [os.fsdecode(name).removeprefix("./") for name in output.split(b"\0") if name]


def _escaped(text: str) -> str:
    return "".join(char if char.isalnum() or char in " _" else f"\\x{ord(char):02x}" for char in text)


def _chunks(paths: Sequence[str]) -> list[list[str]]:
    chunks: list[list[str]] = [[]]
    size = 0
    for path in paths:
        name = f"./{path}"
        size += len(os.fsencode(name)) + 9
        if size > ROOM and chunks[-1]:
            chunks.append([])
            size = len(os.fsencode(name)) + 9
        chunks[-1].append(name)
    return [chunk for chunk in chunks if chunk]
