"""Texts that git keeps: one in a file of its own, in a pack, in the repository that objects are borrowed from."""

import hashlib
import os
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from specloom.engine.git_objects import FANOUT, PACK_INDEX, Blob, find_blob
from specloom.engine.repository import Repository

TEXT = b"- [ ] 1 Step\n"


def digest_of(text: bytes) -> bytes:
    """As gitformat-loose(5) has it."""
    return hashlib.sha1(b"blob %d\0" % len(text) + text, usedforsecurity=False).digest()


def stored(file: Path, at: float, data: bytes = b"") -> None:
    """A file that was written then."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    os.utime(file, (at, at))


def loose(folder: Path, text: bytes, at: float) -> None:
    """Stores a text in a file of its own."""
    name = digest_of(text).hex()
    stored(folder / "objects" / name[:2] / name[2:], at)


def packed(folder: Path, digests: Sequence[bytes], at: float) -> None:
    """Stores texts in a pack."""
    counts = [sum(digest[0] <= byte for digest in digests) for byte in range(256)]
    table = struct.pack(">256I", *counts)
    assert len(table) == FANOUT
    stored(folder / "objects" / "pack" / "pack-1.idx", at, PACK_INDEX + table + b"".join(sorted(digests)))
    stored(folder / "objects" / "pack" / "pack-1.pack", at)


def found(folder: Path, text: bytes = TEXT) -> Blob | None:
    """What is known of a text."""
    return find_blob(Repository(folder.parent, folder, folder), text)


def test_text_is_found_by_its_digest_alone(tmp_path: Path) -> None:
    loose(tmp_path, TEXT, 1000.0)
    assert found(tmp_path) == Blob(digest_of(TEXT), 1000.0)
    assert found(tmp_path, TEXT + b"\n") is None


def test_text_whose_lines_git_ended_otherwise_is_found(tmp_path: Path) -> None:
    loose(tmp_path, TEXT, 1000.0)
    assert found(tmp_path, TEXT.replace(b"\n", b"\r\n")) == Blob(digest_of(TEXT), 1000.0)


@pytest.mark.parametrize("others", [(), (b"\x00" * 20,), (b"\xff" * 20,), (b"\x00" * 20, b"\xff" * 20)])
def test_text_in_a_pack_is_found_among_others(tmp_path: Path, others: tuple[bytes, ...]) -> None:
    packed(tmp_path, (digest_of(TEXT), *others), 1000.0)
    assert found(tmp_path) == Blob(digest_of(TEXT), 1000.0)
    packed(tmp_path, others, 1000.0)
    assert found(tmp_path) is None


def test_digest_across_two_others_is_none(tmp_path: Path) -> None:
    digest = digest_of(TEXT)
    first = digest[:1]
    packed(tmp_path, (first + b"\x00" * 9 + digest[:10], first + digest[11:] + b"\x00" * 10), 1000.0)
    assert found(tmp_path) is None


def test_text_that_was_stored_twice_is_as_new_as_its_newest_copy(tmp_path: Path) -> None:
    packed(tmp_path, (digest_of(TEXT),), 1000.0)
    loose(tmp_path, TEXT, 2000.0)
    assert found(tmp_path) == Blob(digest_of(TEXT), 2000.0)


def test_text_of_another_repository_is_found_where_objects_are_borrowed(tmp_path: Path) -> None:
    loose(tmp_path / "other", TEXT, 1000.0)
    stored(tmp_path / "own" / "objects" / "info" / "alternates", 0.0, b"../../other/objects\n")
    assert found(tmp_path / "own") == Blob(digest_of(TEXT), 1000.0)


@pytest.mark.parametrize("data", [b"", PACK_INDEX, b"\xfftOc\x00\x00\x00\x03", PACK_INDEX + b"\xff" * FANOUT])
def test_index_of_a_pack_that_cannot_be_read_holds_nothing(tmp_path: Path, data: bytes) -> None:
    stored(tmp_path / "objects" / "pack" / "pack-1.idx", 0.0, data)
    assert found(tmp_path) is None
