"""A process that cannot be ended, as the kernel holds it, is waited for no longer than said, and is told of."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from specloom.workspace.process import run
from specloom.workspace.process_start import start
from specloom.workspace.shell.agent_shell import ShellLimits
from tests.integration import tracer
from tests.integration.shells import ENV, said, shell_in, until, words_of
from tests.integration.stage import DEADLINE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ptrace as on Linux")


@asynccontextmanager
async def held(pid: int) -> AsyncGenerator[None]:
    """While it is open, nobody is told that the process has died."""
    argv = (sys.executable, tracer.__file__, str(pid))
    holder = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    assert holder.stdout is not None
    try:
        if await holder.stdout.readline() != b"held\n":
            pytest.skip("this system lets nobody trace a process")
        yield
    finally:
        holder.kill()
        await holder.wait()


def noted_starts(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.subprocess.Process]:
    """What is started from now on."""
    started: list[asyncio.subprocess.Process] = []

    async def noted(*args: Any, **named: Any) -> asyncio.subprocess.Process:
        started.append(await start(*args, **named))
        return started[-1]

    for module in ("process", "shell.shell_process"):
        monkeypatch.setattr(f"specloom.workspace.{module}.start", noted)
    return started


async def has_ended(process: asyncio.subprocess.Process) -> None:
    """Of one that is held no more: the loop that takes its status must not end before."""
    async with asyncio.timeout(DEADLINE):
        await process.wait()
    # Its transport is closed in the round after that in which its status came.
    await asyncio.sleep(0)


async def test_stalled_command_whose_shell_cannot_be_ended_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specloom.workspace.shell.shell_process.GRACE", 0.5)
    started = noted_starts(monkeypatch)
    async with shell_in(tmp_path, tmp_path / "logs", ShellLimits(jobs=0)) as shell:
        pid = int(await said(shell, "echo $$"))
        async with held(pid):
            result = await shell.run("sleep 274", 0.3)
            assert f"process {pid} cannot be ended: it waits in the kernel" in result.notes[-1]
            assert await said(shell, "echo back") == "back\n"
        await has_ended(next(process for process in started if process.pid == pid))


async def test_job_that_cannot_be_ended_is_stopped_as_far_as_can_be_and_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specloom.workspace.shell.agent_shell.LAST", 0.5)
    monkeypatch.setattr("specloom.workspace.shell.shell_process.GRACE", 0.5)
    async with shell_in(tmp_path, tmp_path / "logs") as shell:
        job = await shell.start("sleep 273")
        assert job is not None
        assert job.running is not None
        process = job.running.shell.process
        async with held(process.pid):
            assert await shell.stop(job.number) is job
            assert (job.status, job.running) == ("stopped", None)
            assert "cannot be ended" in shell.notices()[-1]
        await has_ended(process)


async def test_check_that_cannot_be_ended_has_a_result_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specloom.workspace.process_group.KILLED", 0.5)
    monkeypatch.setattr("specloom.workspace.process.GRACE", 0.5)
    started = noted_starts(monkeypatch)
    # Whoever holds it is a process of its own, which has to start before the time is over.
    running = asyncio.create_task(run("sleep 272; true", tmp_path, ENV, 8.0))
    me = psutil.Process()

    def sleeps() -> list[int]:
        return [child.pid for child in me.children() if words_of(child)[-1:] == ["sleep 272; true"]]

    await until(lambda: bool(sleeps()), 15)
    (pid,) = sleeps()
    async with held(pid):
        result = await running
    await has_ended(started[0])
    assert result.timed_out
    assert f"process {pid} cannot be ended" in result.output
