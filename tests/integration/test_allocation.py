"""What a long-lived process has dropped goes back to the system, as the C library itself counts it."""

import platform
import subprocess
import sys

import pytest

COUNTING = """
import ctypes, sys
from specloom.compose.allocation import give_back_large_texts

class Info(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_int) for name in names.split()]

libc = ctypes.CDLL(None)
libc.mallinfo.restype = Info
if sys.argv[1] == "held":
    assert give_back_large_texts()
large = bytes(20_000_000)
del large
before = libc.mallinfo().hblks
kept = [bytes(1_000_000) for _ in range(8)]
print(libc.mallinfo().hblks - before)
"""
"""Tells how many of eight large texts have pages of their own, after a still larger one was dropped."""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
@pytest.mark.parametrize(("manner", "own"), [("held", 8), ("as it is", 0)])
def test_a_large_text_has_pages_of_its_own_whatever_was_dropped_before(manner: str, own: int) -> None:
    command = [sys.executable, "-c", COUNTING, manner]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30, env={})
    assert int(told.stdout) == own
