"""Some lines of a file that is too large to be held whole. Refuses binary files, and lines without bound."""

import os
from typing import BinaryIO

from specloom.workspace.ports import NotTextError, TextPart

LONGEST = 8192
"""Bytes of one line that are kept."""


def part_of(file: BinaryIO, relative: str, first: int, count: int) -> TextPart:
    """`count` lines from the 1-based `first` on, as UTF-8, other bytes replaced. Blocking. Raises `NotTextError`."""
    lines: list[bytes] = []
    number, begins = 1, True
    while len(lines) < count or not begins:
        piece = file.readline(LONGEST)
        if b"\0" in piece:
            raise NotTextError(f"{relative!r} is a binary file (it holds NUL bytes); tools read and edit text only")
        if not piece:
            break
        if begins and number >= first:
            lines.append(piece.rstrip(b"\r\n"))
        begins = piece.endswith(b"\n")
        number += begins
    texts = tuple(line.decode("utf-8", "replace") for line in lines)
    return TextPart(relative, first, texts, os.fstat(file.fileno()).st_size, more=bool(file.read(1)))
