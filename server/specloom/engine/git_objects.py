"""What git keeps: whether a text ever was a file of a repository, and since when. Refuses to start git, and to write.

Repositories with other digests than SHA-1 keep nothing that is found here.
"""

import contextlib
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from specloom.engine.repository import Repository

DIGEST = 20
"""Bytes of a SHA-1."""
PACK_INDEX = b"\xfftOc\x00\x00\x00\x02"
"""How the index of a pack begins (gitformat-pack(5)): version 2."""
FANOUT = 256 * 4
MOST_ALTERNATES = 20
LARGEST_BUCKET = 4_000_000
"""Digests of a pack that begin with the same byte: far beyond those of the largest repositories."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A text that git keeps."""

    digest: bytes
    stored: float
    """Seconds since 1970 when git was given it last: by a commit, `add` or `fetch`, but not by a checkout."""


def find_blob(found: Repository, data: bytes) -> Blob | None:
    """The blob of a file's bytes; also where git turns LF into CRLF in work trees. Blocks. Raises `OSError`."""
    texts = (data, data.replace(b"\r\n", b"\n")) if b"\r\n" in data else (data,)
    for text in texts:
        digest = hashlib.sha1(b"blob %d\0" % len(text) + text, usedforsecurity=False).digest()
        stored = [at for store in _stores(found.common / "objects") for at in _stored(store, digest)]
        if stored:
            return Blob(digest, max(stored))
    return None


def _stores(own: Path) -> Iterator[Path]:
    """The repository's own objects, and those that it borrows from others."""
    yield own
    try:
        borrowed = (own / "info" / "alternates").read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    yield from (own / line for line in islice(borrowed, MOST_ALTERNATES) if line and not line.startswith("#"))


def _stored(objects: Path, digest: bytes) -> Iterator[float]:
    name = digest.hex()
    packs = (index for index in sorted((objects / "pack").glob("*.idx")) if index.is_file())
    holders = (index.with_suffix(".pack") for index in packs if _is_in(index, digest))
    for kept in (objects / name[:2] / name[2:], *holders):
        with contextlib.suppress(FileNotFoundError):
            yield kept.stat().st_mtime


def _is_in(index: Path, digest: bytes) -> bool:
    with index.open("rb") as file:
        if file.read(len(PACK_INDEX)) != PACK_INDEX:
            return False
        first, end = _bucket(file, digest[0])
        if not 0 < end - first <= LARGEST_BUCKET:
            return False
        file.seek(len(PACK_INDEX) + FANOUT + first * DIGEST)
        digests = file.read((end - first) * DIGEST)
    at = digests.find(digest)
    while at >= 0 and at % DIGEST:
        at = digests.find(digest, at + 1)
    return at >= 0


def _bucket(file: BinaryIO, byte: int) -> tuple[int, int]:
    """Which of the digests begin with `byte`."""
    file.seek(len(PACK_INDEX) + max(byte - 1, 0) * 4)
    counts = file.read(8)
    if len(counts) < 8:
        return 0, 0
    before, upto = struct.unpack(">II", counts)
    return (before, upto) if byte else (0, before)


def last_at_work(found: Repository) -> int:
    """Nanoseconds since 1970 when git last wrote into the folder of a work tree; any writing of files ends so. Blocks.

    Raises `OSError`.
    """
    return found.folder.stat().st_mtime_ns
