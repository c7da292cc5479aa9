"""Turns new texts into hunks of a base. Refuses to change its ends of lines, and whether its last line has one."""

from collections.abc import Sequence

from specloom.domain.lines import Line, main_eol, split_lines
from specloom.domain.merge import Hunk


def replaced(base: Sequence[Line], start: int, end: int, new_text: str, eol: str) -> Hunk:
    """Lines `start` to `end` (0-based, end exclusive, at least one) replaced; their own ends of lines are kept."""
    first = base[start].eol or eol
    lines = [Line(line.text, first) for line in split_lines(new_text)]
    if lines:
        lines[-1] = Line(lines[-1].text, base[end - 1].eol or eol)
    return Hunk(start, end, tuple(lines))


def inserted(at: int, new_text: str, eol: str) -> Hunk:
    """Lines put before line `at` (0-based)."""
    return Hunk(at, at, tuple(Line(line.text, eol) for line in split_lines(new_text)))


def keeping_the_end(base: Sequence[Line], hunks: Sequence[Hunk]) -> tuple[Hunk, ...]:
    """Hunks of whole lines, in order, for a base whose last line may have no end: then the new last one has none."""
    count = len(base)
    tail = [hunk for hunk in hunks if hunk.end == count]
    if not base or base[-1].eol or not tail:
        return tuple(hunks)
    before = list(hunks[: -len(tail)])
    lines = [line for hunk in tail for line in hunk.lines]
    start = tail[0].start
    while not lines and before and before[-1].end == start:
        start, lines = before[-1].start, list(before.pop().lines)
    if start == count or (start and not lines):
        start -= 1
        lines = [Line(base[start].text, main_eol(base)), *lines]
    return (*before, Hunk(start, count, (*lines[:-1], *(Line(line.text, "") for line in lines[-1:]))))
