"""Reads and writes file descriptors of any kind, also those whose other holder made them non-blocking.

Refuses asyncio: the bridge is loaded with it. Everything here blocks. An open file has one mode for all that hold it,
so an editor that wants its own end so may leave ours so, too.
"""

import os
import select


def read_some(descriptor: int, most: int) -> bytes:
    """At most so many bytes, as soon as there are any; none at the end. Raises `OSError`."""
    while True:
        try:
            return os.read(descriptor, most)
        except BlockingIOError:
            select.select([descriptor], [], [])


def write_all(descriptor: int, data: bytes) -> None:
    """Every byte. Raises `OSError` when nobody reads any more."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
