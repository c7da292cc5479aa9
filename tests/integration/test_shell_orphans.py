"""Nothing that an agent started outlives Specloom, however Specloom ends; real processes, really killed."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from specloom.workspace.shell.watchdog import Watchdog
from tests.integration import shell_owner
from tests.integration.shells import gone, said, shell_in, until, words_of


def folders(temporary: Path) -> list[Path]:
    return list(temporary.glob("specloom-shell-*"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_killed_owner_takes_all_its_commands_along(tmp_path: Path, number: signal.Signals) -> None:
    # Its own, since tests beside this one have shells, too.
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    argv = [sys.executable, shell_owner.__file__, str(tmp_path)]
    own = os.environ | {"TMPDIR": str(temporary)}
    owner = await asyncio.to_thread(subprocess.Popen, argv, start_new_session=True, env=own)
    try:
        await until((tmp_path / "ready").exists, 40)
        pids = [int(pid) for pid in (await asyncio.to_thread((tmp_path / "pids").read_text)).split()]
        assert not any(map(gone, pids))
        assert folders(temporary), "shells have one"
    finally:
        owner.send_signal(number)
        await asyncio.to_thread(owner.wait)
    await until(lambda: all(map(gone, pids)), 20)
    await until(lambda: not folders(temporary), 20)


async def test_group_of_the_terminal_may_be_killed_without_the_watchdog(tmp_path: Path) -> None:
    argv = [sys.executable, shell_owner.__file__, str(tmp_path)]
    owner = await asyncio.to_thread(subprocess.Popen, argv, start_new_session=True)
    await until((tmp_path / "ready").exists, 40)
    pids = [int(pid) for pid in (await asyncio.to_thread((tmp_path / "pids").read_text)).split()]
    os.killpg(owner.pid, signal.SIGKILL)
    await asyncio.to_thread(owner.wait)
    await until(lambda: all(map(gone, pids)), 20)


async def test_killed_watchdog_is_replaced_before_the_next_shell(tmp_path: Path) -> None:
    async with shell_in(tmp_path, tmp_path / "logs") as shell:
        await said(shell, "true")
        (watchdog,) = [p for p in psutil.Process().children() if "specloom-watchdog" in words_of(p)]
        watchdog.kill()
        # Until its status was taken, too, by which it is known to have ended.
        await until(lambda: not psutil.pid_exists(watchdog.pid))
        job = await shell.start("sleep 280")
        assert job is not None
        watchdogs = [p for p in psutil.Process().children() if "specloom-watchdog" in words_of(p)]
        assert len(watchdogs) == 1
    assert all(map(gone, (p.pid for p in watchdogs)))


async def test_session_that_has_ended_is_guarded_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    await asyncio.to_thread(folder.mkdir)
    watchdog = Watchdog("/bin/bash", {"PATH": "/usr/bin:/bin"}, folder)
    ours, theirs = [await asyncio.create_subprocess_exec("sleep", "279", start_new_session=True) for _ in range(2)]
    await watchdog.guard(ours.pid)
    await watchdog.guard(theirs.pid)
    watchdog.release(theirs.pid)
    await watchdog.close()
    await asyncio.wait_for(ours.wait(), 10)
    assert theirs.returncode is None
    theirs.kill()
    await theirs.wait()
    assert not await asyncio.to_thread(folder.exists)
