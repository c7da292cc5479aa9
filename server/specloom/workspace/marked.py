"""Finds and ends processes by a mark that they inherit. Refuses to signal a process that does not carry the mark.

The mark is there before a command's first instruction, goes to all that it starts, and stays with those that leave its
group and session or lose their parent. It is there twice: in the environment, where it can be read, and as a number in
a limit that no ordinary process has any use for, where it stays when the environment is cleared. Linux alone: see
`/proc/pid/environ` in proc(5), `RLIMIT_RTTIME` and prlimit in getrlimit(2), and pidfd_open(2), by which no signal goes
to a later process of the same number.

Run as a program with a mark (`python marked.py MARK`) it ends all of them when its standard input ends: so commands die
with whoever holds the other end, however that died. Uses the standard library alone, to start fast.
"""

import contextlib
import os
import resource
import signal
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "SPECLOOM_COMMAND"
GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""
POLL = 0.02
KILLED_WITHIN = 5.0
"""Seconds; what is left then waits for the kernel."""

TAGGED = 1 << 62
"""In each number; as microseconds of a process that never sleeps, a limit that nobody reaches."""

PROC = Path("/proc")


def is_supported() -> bool:
    """Whether this is a Linux with handles for processes, 5.3 or later."""
    return hasattr(os, "pidfd_open")


def find(mark: str) -> dict[int, str]:
    """The mark of each live process that carries `mark`, or one below it (`mark/…`); not ours, nor of our parents.

    Of those that have cleared their environment, `mark` itself.
    """
    if not is_supported():
        return {}
    spared = set(_line_of(os.getpid()))
    found = ((pid, _carried(pid, mark)) for pid in _all() if pid not in spared)
    return {pid: known for pid, known in found if known}


def _carried(pid: int, mark: str) -> str:
    known = mark_of(pid)
    if known == mark or known.startswith(f"{mark}/"):
        return known
    return mark if is_tagged(pid, mark) else ""


def tag(pid: int, mark: str) -> None:
    """Gives a process of ours the number of its mark, before it starts others; where the system cannot, it has none."""
    if not is_supported():
        return
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.prlimit(pid, resource.RLIMIT_RTTIME)
        resource.prlimit(pid, resource.RLIMIT_RTTIME, (_number(mark), hard))


def is_tagged(pid: int, mark: str) -> bool:
    """Whether a live process has the number of `mark`, or of one below it."""
    try:
        number, _ = resource.prlimit(pid, resource.RLIMIT_RTTIME)
    except (OSError, ValueError):
        return False
    below = 0 if "/" in mark else 31
    return number > 0 and number >> below == _number(mark) >> below and not _is_zombie(pid)


def _number(mark: str) -> int:
    """The upper half tells the owner, the lower half the command: `owner/command`."""
    owner, _, command = mark.partition("/")
    return TAGGED | (zlib.crc32(owner.encode()) >> 1) << 31 | zlib.crc32(command.encode()) >> 1


def _is_zombie(pid: int) -> bool:
    try:
        line = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return True
    return line.rpartition(")")[2].split()[0] in "ZX"


def _all() -> tuple[int, ...]:
    try:
        names = os.listdir(PROC)  # noqa: PTH208 - half the price for many processes
    except OSError:
        return ()
    return tuple(int(name) for name in names if name.isdecimal())


def mark_of(pid: int) -> str:
    """The mark that a process carries; empty: none, or the process is gone or somebody else's."""
    try:
        with open(PROC / str(pid) / "environ", "rb") as file:  # noqa: PTH123 - called for each process
            data = file.read()
    except OSError:
        return ""
    name = f"{VARIABLE}=".encode()
    entry = next((item for item in data.split(b"\0") if item.startswith(name)), b"") if name in data else b""
    return entry[len(name) :].decode("utf-8", "replace")


def _line_of(pid: int) -> Iterator[int]:
    """The process and all above it."""
    while pid > 1:
        yield pid
        pid = parent_of(pid)


def parent_of(pid: int) -> int:
    """The number of its parent; 0: it has none, or is gone."""
    try:
        return int((PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return 0


def end(mark: str, grace: float = GRACE) -> frozenset[str]:
    """Ends all that `find` finds: SIGTERM, after `grace` seconds SIGKILL. Returns the marks found. Blocking."""
    left = find(mark)
    marks = frozenset(left.values())
    _signal(left, signal.SIGTERM)
    until = time.monotonic() + grace
    while left and time.monotonic() < until:
        time.sleep(POLL)
        left = find(mark)
    until = time.monotonic() + KILLED_WITHIN
    while left and time.monotonic() < until:
        _signal(left, signal.SIGKILL)
        time.sleep(POLL)
        left = find(mark)
    return marks


def _signal(processes: dict[int, str], number: signal.Signals) -> None:
    for pid, mark in processes.items():
        try:
            handle = os.pidfd_open(pid)
        except OSError:
            continue
        try:
            if mark_of(pid) == mark or is_tagged(pid, mark):
                signal.pidfd_send_signal(handle, number)
        except OSError:
            continue
        finally:
            os.close(handle)


def main() -> None:
    """Waits for the end of standard input."""
    while sys.stdin.buffer.read(4096):
        pass
    end(sys.argv[1])


if __name__ == "__main__":
    main()
