"""Finds a program that waits at a terminal of its own making for keys that nobody will press.

A command has no terminal, so most that ask fail at once; `script`, `expect` and the like make one. Known where there is
a `/proc` alone. Refuses to suspect what computes, sleeps, or waits for a socket: only a wait at a terminal counts.
"""

import os
import termios
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

READING = frozenset({"n_tty_read", "wait_woken"})
"""Where the kernel sleeps in a read of a terminal (Linux, drivers/tty/n_tty.c)."""
POLLING = frozenset({"poll_schedule_timeout", "do_sys_poll", "do_select", "do_epoll_wait", "ep_poll"})
"""Where it sleeps for one of several files; at a terminal in raw mode that is an editor, a pager or a prompt."""

FOR_KEYS = frozenset(
    {"vi", "vim", "nvim", "view", "vimdiff", "vim.basic", "vim.tiny", "nano", "emacs", "joe", "mcedit"}
)
"""Programs that wait for nothing but keys, and that look for them elsewhere (at standard error) without a terminal."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A program that waits for input."""

    pid: int
    name: str


def waiting_below(pid: int) -> Waiting | None:
    """The first process below `pid` that waits at a terminal. Blocking; `None` where this cannot be known."""
    for child, name in _below(pid):
        if _waits(child, name):
            return Waiting(child, name)
    return None


def _below(pid: int) -> Iterator[tuple[int, str]]:
    """All descendants with their names, through sessions too, as far as their parents live."""
    children: dict[int, list[tuple[int, str]]] = defaultdict(list)
    try:
        names = [name for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208
    except OSError:
        return
    for name in names:
        entry = _stat(name)
        if entry is not None:
            children[entry[0]].append((int(name), entry[1]))
    level = children.get(pid, [])
    while level:
        yield from level
        level = [child for parent, _ in level for child in children.get(parent, [])]


def _stat(pid: str) -> tuple[int, str] | None:
    """Parent and name; see proc(5)."""
    line = _text(f"/proc/{pid}/stat")
    head, bracket, rest = line.rpartition(")")
    if not bracket:
        return None
    return int(rest.split()[1]), head.partition("(")[2]


def _waits(pid: int, name: str) -> bool:
    # The compiler may have added to the name of the kernel's function: `poll_schedule_timeout.constprop.0`.
    place = _text(f"/proc/{pid}/wchan").partition(".")[0]
    if name in FOR_KEYS:
        return place in READING | POLLING
    try:
        terminal = str(Path(f"/proc/{pid}/fd/0").readlink())
    except OSError:
        return False
    if not terminal.startswith(("/dev/pts/", "/dev/tty")):
        return False
    return place in READING or (place in POLLING and _is_raw(terminal))


def _is_raw(terminal: str) -> bool:
    try:
        descriptor = os.open(terminal, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not termios.tcgetattr(descriptor)[3] & termios.ICANON
    except termios.error:
        return False
    finally:
        os.close(descriptor)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  # called for each process
            return file.read()
    except OSError:
        return ""
