"""What a long-lived process has dropped goes back to the system, and garbage is looked for seldom."""

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


LOOKING = """
import gc, sys
from specloom import compose
from specloom.compose.allocation import look_for_garbage_less

compose.load_hosting()
if sys.argv[1] == "held":
    look_for_garbage_less()
    look_for_garbage_less()
before = gc.get_freeze_count()
looked = []
gc.callbacks.append(lambda phase, told: looked.append(told["generation"]) if phase == "stop" else None)
kept = [[number] for number in range(200_000)]
gc.callbacks.clear()
circle = []
circle.append(circle)
del circle
print(len(looked), before, gc.get_freeze_count() - before, gc.collect() > 0)
"""
"""Tells how often garbage was looked for while 200,000 objects were made, and among how many it never is."""


@pytest.mark.parametrize(("manner", "least", "most", "frozen"), [("held", 10, 30, True), ("as it is", 60, 400, False)])
def test_garbage_is_looked_for_seldom_and_not_among_modules_but_it_is_found(
    manner: str, least: int, most: int, frozen: bool
) -> None:
    command = [sys.executable, "-c", LOOKING, manner]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env={})
    times, among, more, found = told.stdout.split()
    # Versions of Python differ in how often that is.
    assert least <= int(times) <= most
    assert (int(among) > 10_000, int(more), found) == (frozen, 0, "True")
