"""Holds a process so that its parent never gets its status: `python tracer.py PID` prints a line and waits.

A traced process that dies tells its tracer first (ptrace(2)). So a killed process stays, as one does that sleeps in the
kernel, until this program ends.
"""

import ctypes
import signal
import sys

SEIZE = 0x4206
"""`PTRACE_SEIZE`, see ptrace(2)."""


def hold(pid: int) -> bool:
    """Whether the system allows it."""
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    return ptrace(SEIZE, pid, None, None) == 0


if __name__ == "__main__":
    sys.stdout.write("held\n" if hold(int(sys.argv[1])) else "refused\n")
    sys.stdout.flush()
    signal.pause()
