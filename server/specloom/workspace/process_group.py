"""Ends a command with everything it started. Refuses to leave a process behind that stayed in its session.

And to wait for ever: a process that sleeps in the kernel (state D in proc(5)) cannot be ended by anybody.
"""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

POLL = 0.02
"""Seconds between two looks at a group that was told to end."""
KILLED = 5.0
"""Seconds in which what was killed must be gone, unless the kernel holds it."""


async def end_group(leader: int, grace: float) -> bool:
    """Ends the session `leader`: SIGTERM, after `grace` seconds SIGKILL. Returns whether any process was left."""
    if not await asyncio.to_thread(_signal, leader, signal.SIGTERM):
        return False
    for wait in (grace, KILLED):
        if await _empty_within(leader, wait):
            return True
        await asyncio.to_thread(_signal, leader, signal.SIGKILL)
    return True


async def end_process(process: asyncio.subprocess.Process) -> None:
    """Kills one process of ours if it still runs, and takes its status if the kernel gives it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await reaped(process)


async def reaped(process: asyncio.subprocess.Process) -> bool:
    """Takes the status of a process that was killed; false: it does not come, see `stuck`."""
    try:
        async with asyncio.timeout(KILLED):
            await process.wait()
    except TimeoutError:
        return False
    return True


def stuck(pid: int) -> str:
    """What to tell of a process that cannot be ended."""
    return f"process {pid} cannot be ended: it waits in the kernel, as a rule for a disk or a network drive"


async def _empty_within(leader: int, seconds: float) -> bool:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while await asyncio.to_thread(is_alive, leader):
        if loop.time() >= end:
            return False
        await asyncio.sleep(POLL)
    return True


def is_alive(leader: int) -> bool:
    """Whether the session or group `leader` holds a process that is not a zombie. Blocking."""
    members = _members(leader)
    if members is not None:
        return bool(members)
    try:
        os.killpg(leader, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def others(leader: int) -> bool:
    """Whether the session holds a process beside its leader; where that cannot be known, it may. Blocking."""
    members = _members(leader)
    return members is None or any(pid != leader for pid in members)


def _signal(leader: int, number: signal.Signals) -> bool:
    """Sends to the group, and to members of the session that made groups of their own (`set -m`)."""
    members = _members(leader)
    if members is None:
        return _send_to_group(leader, number)
    for pid in members:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue
    return bool(members)


def _send_to_group(leader: int, number: signal.Signals) -> bool:
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _members(leader: int) -> tuple[int, ...] | None:
    """Live processes of the session, from Linux's `/proc`; `None` where there is none."""
    proc = Path("/proc")
    if not (proc / "self" / "stat").exists():
        return None
    return tuple(int(name) for name in os.listdir(proc) if name.isdecimal() and _belongs(name, leader))  # noqa: PTH208


def _belongs(pid: str, leader: int) -> bool:
    """See proc(5): after the command name in brackets come state, ppid, pgrp and session."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:  # noqa: PTH123  # called for each process
            state, _, group, session = file.read().rpartition(")")[2].split()[:4]
    except (OSError, ValueError):
        return False
    return state not in "ZX" and str(leader) in {group, session}
