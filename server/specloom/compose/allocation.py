"""How the process takes memory from the C library, and looks for what nobody holds. Refuses to change what is kept.

A run of days makes and drops texts of every size: requests, documents, snapshots. By default glibc learns from the
first large one that is dropped to take the next from the heap, where small ones that live on come to lie between them,
and gives threads heaps of their own: what is resident then grows with every day though nothing is kept.

By default Python goes through what is young each time 700 objects more were made than dropped, and now and then through
all there is: with 10,000 tasks a third of the time until they are shown went there, and nothing was found.
"""

import ctypes
import gc
import sys

LARGE = 128 * 1024
"""Bytes from which a text gets pages of its own, which go back to the system with it; glibc's own first value."""
HEAPS = 2
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
"""Parameters of `mallopt`: https://sourceware.org/glibc/manual/latest/html_node/Malloc-Tunable-Parameters.html."""


def give_back_large_texts() -> bool:
    """Holds the thresholds where they are, whatever is dropped. Returns whether the C library knows them."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    return all(
        mallopt(name, value) for name, value in ((MMAP_THRESHOLD, LARGE), (TRIM_THRESHOLD, LARGE), (ARENA_MAX, HEAPS))
    )


MADE = 10_000
"""Objects made beyond those dropped, after which garbage is looked for among the young ones."""


def look_for_garbage_less() -> None:
    """In larger steps, and never among what is there by now: modules stay. Called again, it changes nothing."""
    gc.set_threshold(MADE, *gc.get_threshold()[1:])
    if not gc.get_freeze_count():
        gc.freeze()
