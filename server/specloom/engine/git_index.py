"""The index of a repository: which files git wrote, and what it saw of them then. Refuses to start git, and to write.

What stands in an index that cannot be read (of version 4, split) is not known.
"""

import os
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from specloom.engine.repository import nearest

LARGEST_INDEX = 64 << 20


def read_index(root: Path) -> bytes:
    """The whole index; empty where there is none or it is too large. Blocks."""
    found = nearest(root)
    if found is None:
        return b""
    index = found.folder / "index"
    try:
        return index.read_bytes() if index.is_file() and index.stat().st_size <= LARGEST_INDEX else b""
    except OSError:
        return b""


def present(top: Path, path: bytes) -> tuple[int, int] | None:
    """Size, and seconds of its last change, of a file as an index would have them; `None`: there is none. Blocks."""
    try:
        known = (top / os.fsdecode(path)).lstat()
    except (OSError, ValueError):
        return None
    return known.st_size & 0xFFFFFFFF, int(known.st_mtime) & 0xFFFFFFFF


ENTRY = struct.Struct(">10I20sH")
"""Of gitformat-index(5): two times, device, inode, mode, owner, group, size, digest, flags."""
HEADER = 12
SEEN = 40
"""Bytes of an entry before its digest."""
REGULAR = 0o100000


def entries(data: bytes) -> Iterator[tuple[bytes, tuple[bytes, int, int]]]:
    """Path, digest, size and seconds of change of each file in an index of version 2 or 3.

    Raises `ValueError` for others, and `struct.error`.
    """
    magic, version, count = struct.unpack_from(">4sII", data)
    if magic != b"DIRC" or version not in (2, 3):
        raise ValueError("this index is of another version")
    at = HEADER
    for _ in range(count):
        fields = ENTRY.unpack_from(data, at)
        seconds, mode, size, flags = fields[2], fields[6], fields[9], fields[11]
        name = at + ENTRY.size + (2 if flags & 0x4000 else 0)
        end = data.index(b"\0", name)
        hidden = flags & 0x4000 and data[at + ENTRY.size] & 0x40
        if mode & REGULAR == REGULAR and mode & 0o170000 == REGULAR and not hidden:
            yield data[name:end], (fields[10], size, seconds)
        at += (end - at + 8) // 8 * 8


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One file."""

    seen: bytes
    """What `lstat` told when git wrote or read it, packed."""
    digest: bytes
    size: int
    seconds: int


def find_entry(index: bytes, path: bytes) -> IndexEntry | None:
    """The entry of a regular file; `None`: there is none, or it is in conflict.

    Looks for its name, because an index may have very many others.
    """
    at = index.find(path + b"\0")
    while at >= 0:
        for begin, extended in ((at - ENTRY.size, False), (at - ENTRY.size - 2, True)):
            fields = ENTRY.unpack_from(index, begin) if begin >= HEADER else None
            if fields is not None and _is_of(path, fields[6], fields[11], extended=extended):
                return IndexEntry(index[begin : begin + SEEN], fields[10], fields[9], fields[2])
        at = index.find(path + b"\0", at + 1)
    return None


def _is_of(path: bytes, mode: int, flags: int, *, extended: bool) -> bool:
    named = flags & 0xFFF == min(len(path), 0xFFF) and flags & 0x3000 == 0
    return named and mode & 0o170000 == REGULAR and bool(flags & 0x4000) is extended


@dataclass(frozen=True, slots=True)
class Indexes:
    """One index over time; empty where it is not known."""

    committed: bytes
    """As it was when HEAD last came to a commit."""
    before: bytes
    """As it was when one last looked."""
    now: bytes


def restored(root: Path, paths: Collection[str], indexes: Indexes) -> frozenset[str]:
    """Those of the files that git wrote as the index or HEAD has them: `git restore FILE`, `git checkout -- FILE`.

    Their entry says what it said, but of a file that was written since, and that file stands there. Whoever edits a
    file and adds it has another entry. Blocks.
    """
    found = nearest(root)
    if found is None:
        return frozenset()
    names = {path: os.fsencode(os.path.relpath(root / path, found.top)) for path in paths}
    return frozenset(path for path, name in names.items() if _is_restored(found.top, name, indexes))


def _is_restored(top: Path, name: bytes, indexes: Indexes) -> bool:
    now, before = find_entry(indexes.now, name), find_entry(indexes.before, name)
    if now is None or before is None or now.seen == before.seen:
        return False
    committed = find_entry(indexes.committed, name)
    known = (before.digest, committed.digest if committed is not None else b"")
    return now.digest in known and present(top, name) == (now.size, now.seconds)
