"""How the process takes memory from the C library. Refuses to matter where that is not glibc.

A run of days makes and drops texts of every size: requests, documents, snapshots. By default glibc learns from the
first large one that is dropped to take the next from the heap, where small ones that live on come to lie between them,
and gives threads heaps of their own: what is resident then grows with every day though nothing is kept.
"""

import ctypes
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
