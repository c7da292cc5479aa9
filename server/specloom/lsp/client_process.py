"""Notices that the client's process ended without closing the connection. Refuses to guess whose a process is.

A client may run on another machine or in another container, where its number means nothing here: only a process that
the one that was started for it descends from is watched. Source: `initialize.processId` of the LSP specification.
"""

import asyncio
import os
import select
from pathlib import Path

LOOK_S = 3.0
"""Between looks at the parent where the system cannot tell of a process' end by itself."""
FIRST = 1
"""Everything descends from it, so it tells nothing."""


async def outlived(pid: int, started: int | None = None) -> bool:
    """True once the process is gone; False at once for one that is not surely the client's.

    It is if it started `started`, by default this process.
    """
    started = os.getpid() if started is None else started
    if pid <= FIRST:
        return False
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        # Not Linux, a kernel that is older than this call, or no such process.
        return started == os.getpid() and await _outlived_parent(pid)
    try:
        # In this order: a number that is free again and taken by another process has another descriptor.
        if not await asyncio.to_thread(_is_ancestor, pid, started):
            # One that ended since it was named has no descendants left to be told by.
            return _is_over(descriptor)
        await _until_readable(descriptor)
    finally:
        os.close(descriptor)
    return True


def _is_over(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


async def _outlived_parent(pid: int) -> bool:
    if os.getppid() != pid:
        return False
    while os.getppid() == pid:  # noqa: ASYNC110 - nothing announces it
        await asyncio.sleep(LOOK_S)
    return True


async def _until_readable(descriptor: int) -> None:
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)


def _is_ancestor(pid: int, started: int) -> bool:
    """Whether the process `started` descends from it. Blocking."""
    above = _parent_of(started)
    while above > FIRST and above != pid:
        above = _parent_of(above)
    return above == pid


def _parent_of(pid: int) -> int:
    """0 for a process that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    # The name, in brackets, may hold anything; state and parent follow it.
    return int(fields.rpartition(")")[2].split()[1])
