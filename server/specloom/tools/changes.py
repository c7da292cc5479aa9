"""What a change did to the numbering that a model has in sight. Refuses to leave a shift unsaid."""

from collections.abc import Sequence
from dataclasses import replace

from specloom.domain.lines import Line, split_lines
from specloom.domain.merge import Merged, Piece, Side, diff, merge_hunks
from specloom.tools.view import shortened

SHOWN = 40
"""Lines of one changed place that are shown in full; of longer ones head and tail."""
PLACES = 12
"""Changed places and shifts that are told one by one."""
KEPT = "Changed since you last saw it, and kept:"
"""Stands before what others changed."""
UNCHANGED = "already reads like this; nothing was changed"
"""Said of an edit that the file held before; alone on its line, it shows no line of the file."""


def told(merged: Merged) -> str:
    """Changed lines with their new numbers, changes of others, and the shift of the rest."""
    lines, pieces = _numbered(merged)
    ours = [piece for piece in pieces if piece.side in {Side.OURS, Side.BOTH}]
    theirs = [piece for piece in pieces if piece.side is Side.THEIRS]
    parts = [_place(lines, piece) for piece in ours]
    if theirs:
        parts.append(KEPT)
        parts += [_place(lines, piece) for piece in theirs[:PLACES]]
        if len(theirs) > PLACES:
            parts.append(f"… and {len(theirs) - PLACES} more places; read the file again")
    return "\n".join([*parts, *_shifts(pieces), *_end(len(lines), pieces)])


def since(base: str, present: str) -> str:
    """What others changed, without any change of ours."""
    lines = split_lines(base)
    merged = merge_hunks(lines, (), diff(lines, split_lines(present)))
    assert isinstance(merged, Merged), "one side alone cannot conflict"
    return told(merged)


def _numbered(merged: Merged) -> tuple[Sequence[Line], Sequence[Piece]]:
    """Without an empty line at the very end that has lost its end of line: nobody counts that as a line any more."""
    if not merged.lines or merged.lines[-1].whole:
        return merged.lines, merged.pieces
    count = len(merged.lines) - 1
    clipped = [replace(piece, start=min(piece.start, count), end=min(piece.end, count)) for piece in merged.pieces]
    return merged.lines[:-1], clipped


def _place(lines: Sequence[Line], piece: Piece) -> str:
    if piece.start == piece.end:
        gone = _span(piece.base_start, piece.base_end)
        return f"old {gone} deleted"
    shown = [f"{number + 1} | {shortened(lines[number].text)}" for number in range(piece.start, piece.end)]
    if len(shown) > SHOWN:
        why = "not shown, read them again" if piece.side is Side.THEIRS else "as you sent them"
        middle = f"… lines {piece.start + SHOWN // 2 + 1} to {piece.end - SHOWN // 2} {why}"
        shown = [*shown[: SHOWN // 2], middle, *shown[-SHOWN // 2 :]]
    return "\n".join(shown)


def _shifts(pieces: Sequence[Piece]) -> list[str]:
    moved = [piece for piece in pieces if piece.side is Side.BASE and piece.start != piece.base_start]
    if not moved:
        return []
    if len(moved) > PLACES:
        return [f"Line numbers have moved in {len(moved)} places; read the file again before the next edit"]
    return [
        f"Old {_span(piece.base_start, piece.base_end)} → {_span(piece.start, piece.end).partition(' ')[2]}"
        for piece in moved
    ]


def _end(count: int, pieces: Sequence[Piece]) -> list[str]:
    """Where lines at the very end were replaced by fewer, no shift of others tells that they are gone."""
    shrunk = bool(pieces) and pieces[-1].side is not Side.BASE and pieces[-1].base_end > count
    return [f"The file ends with line {count} now"] if shrunk else []


def _span(start: int, end: int) -> str:
    return f"line {end}" if end - start == 1 else f"lines {start + 1}-{end}"
