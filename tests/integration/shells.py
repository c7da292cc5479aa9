"""What the tests of an agent's shell share: a shell on a real folder, and ways to see what became of processes."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from specloom.domain.redact import Redactor
from specloom.workspace.shell.agent_shell import AgentShell, CommandResult, ShellLimits

ENV = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/nonexistent"}
SECRET = "correct horse battery"


@asynccontextmanager
async def shell_in(root: Path, logs: Path, limits: ShellLimits | None = None, **env: str) -> AsyncGenerator[AgentShell]:
    """Ended with the block."""
    shell = AgentShell(root, {**ENV, **env}, logs, Redactor([SECRET]), limits or ShellLimits())
    try:
        yield shell
    finally:
        await shell.close()


async def said(shell: AgentShell, command: str, seconds: float = 20) -> str:
    """The output of a command that succeeds."""
    result = await shell.run(command, seconds)
    assert result.exit_code == 0, result
    return result.printed.text


async def ends(shell: AgentShell, command: str, seconds: float = 20) -> CommandResult:
    """A command that ends by itself, however."""
    result = await shell.run(command, seconds)
    assert result.exit_code is not None, result
    return result


def words_of(process: psutil.Process) -> list[str]:
    """Its command line; nothing of one that has ended since it was listed."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def gone(pid: int) -> bool:
    """Whether a process lives no more."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits for it."""
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < end, "the condition never held"
        await asyncio.sleep(0.01)
