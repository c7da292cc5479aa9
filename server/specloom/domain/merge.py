"""Three-way merge of texts by lines. Refuses to choose where both sides changed overlapping or touching lines."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from specloom.domain.alignment import matches
from specloom.domain.lines import Line, join_lines, split_lines


@dataclass(frozen=True, slots=True)
class Hunk:
    """The lines `start` to `end` (0-based, end exclusive) of a base are replaced by `lines`."""

    start: int
    end: int
    lines: tuple[Line, ...]


class Side(StrEnum):
    """Where lines of a merged text come from."""

    BASE = "base"
    OURS = "ours"
    THEIRS = "theirs"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines of the merged text, and those of the base that they keep or replace. 0-based, end exclusive."""

    side: Side
    base_start: int
    base_end: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Merged:
    """Both changes in one text."""

    text: str
    pieces: tuple[Piece, ...]
    """The whole text in order. A deletion is an empty piece."""
    lines: tuple[Line, ...]
    """Those of the text."""


@dataclass(frozen=True, slots=True)
class Region:
    """Lines `start` to `end` of the base (0-based, end exclusive), which both sides changed differently."""

    start: int
    end: int
    ours: tuple[Line, ...]
    theirs: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """No merged text."""

    regions: tuple[Region, ...]


Merge: TypeAlias = Merged | Conflict


def merge(base: str, ours: str, theirs: str) -> Merge:
    """Merges two texts that were made from `base`; the same change on both sides counts once."""
    lines = split_lines(base)
    return merge_hunks(lines, diff(lines, split_lines(ours)), diff(lines, split_lines(theirs)))


def merge_hunks(base: Sequence[Line], ours: Sequence[Hunk], theirs: Sequence[Hunk]) -> Merge:
    """As `merge`, for changes that are known. The hunks of each side are in order and do not overlap."""
    woven = _Weaving([], [])
    conflicts: list[Region] = []
    done = 0
    for group in _groups(ours, theirs):
        woven.take(Side.BASE, (done, group.start), base[done : group.start])
        mine, other = group.content(base, group.ours), group.content(base, group.theirs)
        side, lines = group.side, mine if group.ours else other
        if side is Side.BOTH and mine != other:
            conflicts.append(Region(group.start, group.end, mine, other))
        woven.take(side, (group.start, group.end), lines)
        done = group.end
    woven.take(Side.BASE, (done, len(base)), base[done:])
    if conflicts:
        return Conflict(tuple(conflicts))
    return Merged(join_lines(woven.lines), tuple(woven.pieces), tuple(woven.lines))


def diff(base: Sequence[Line], new: Sequence[Line]) -> tuple[Hunk, ...]:
    """What turns `base` into `new`, in order, no two hunks touching."""
    hunks: list[Hunk] = []
    done_base = done_new = 0
    codes: dict[str, int] = {}
    runs = matches(_coded(base, codes), _coded(new, codes))
    for base_at, new_at, size in (*runs, (len(base), len(new), 0)):
        if (base_at, new_at) != (done_base, done_new):
            hunks.append(Hunk(done_base, base_at, tuple(new[done_new:new_at])))
        done_base, done_new = base_at + size, new_at + size
    return _settled(base, hunks)


def _coded(lines: Sequence[Line], codes: dict[str, int]) -> list[int]:
    """A number for each line, the same for equal ones: a comparison of lines costs ten times as much."""
    return [codes.setdefault(line.text + line.eol, len(codes)) for line in lines]


def _settled(base: Sequence[Line], hunks: Sequence[Hunk]) -> tuple[Hunk, ...]:
    """Insertions and deletions that fit in several places stand in the last one, so that two sides agree on it."""
    settled: list[Hunk] = []
    limit = len(base)
    for hunk in reversed(hunks):
        start, end, lines = hunk.start, hunk.end, deque(hunk.lines)
        while end < limit and not (lines and end > start) and base[end] == (lines[0] if lines else base[start]):
            lines.rotate(-1)
            start, end = start + 1, end + 1
        settled.append(Hunk(start, end, tuple(lines)))
        limit = start - 1
    return tuple(reversed(settled))


def changes_of(merged: Merged) -> tuple[Hunk, ...]:
    """What turned the base into the merged text, each piece for itself."""
    return tuple(
        Hunk(piece.base_start, piece.base_end, merged.lines[piece.start : piece.end])
        for piece in merged.pieces
        if piece.side is not Side.BASE
    )


def combined(earlier: Sequence[Hunk], later: Sequence[Hunk]) -> tuple[Hunk, ...] | None:
    """All hunks of one base in order, those inserted at one place in the order given; `None` where two overlap."""
    if set(earlier) & set(later):
        return None
    ordered = sorted([*earlier, *later], key=lambda hunk: (hunk.start, hunk.end))
    reached = 0
    for hunk in ordered:
        if hunk.start < reached:
            return None
        reached = max(reached, hunk.end)
    return tuple(ordered)


@dataclass(frozen=True, slots=True)
class _Group:
    """Hunks of both sides that overlap or touch, and the lines of the base that they span."""

    start: int
    end: int
    ours: tuple[Hunk, ...]
    theirs: tuple[Hunk, ...]

    @property
    def side(self) -> Side:
        if self.ours and self.theirs:
            return Side.BOTH
        return Side.OURS if self.ours else Side.THEIRS

    def content(self, base: Sequence[Line], hunks: tuple[Hunk, ...]) -> tuple[Line, ...]:
        """The span as one side has it."""
        lines: list[Line] = []
        done = self.start
        for hunk in hunks:
            lines += (*base[done : hunk.start], *hunk.lines)
            done = hunk.end
        return (*lines, *base[done : self.end])


def _groups(ours: Sequence[Hunk], theirs: Sequence[Hunk]) -> Iterator[_Group]:
    """Hunks of one side that merely touch each other stay apart, so that each edit keeps a place of its own."""
    marked = [(hunk, Side.OURS) for hunk in ours] + [(hunk, Side.THEIRS) for hunk in theirs]
    group: dict[Side, list[Hunk]] = {Side.OURS: [], Side.THEIRS: []}
    for hunk, side in sorted(marked, key=lambda item: (item[0].start, item[0].end)):
        others = group[Side.THEIRS if side is Side.OURS else Side.OURS]
        if hunk.start > max((other.end for other in others), default=-1) and any(group.values()):
            yield _group(group)
            group = {Side.OURS: [], Side.THEIRS: []}
        group[side].append(hunk)
    if any(group.values()):
        yield _group(group)


def _group(hunks: dict[Side, list[Hunk]]) -> _Group:
    together = hunks[Side.OURS] + hunks[Side.THEIRS]
    start, end = min(hunk.start for hunk in together), max(hunk.end for hunk in together)
    return _Group(start, end, tuple(hunks[Side.OURS]), tuple(hunks[Side.THEIRS]))


@dataclass(frozen=True, slots=True)
class _Weaving:
    """The merged text as it grows."""

    pieces: list[Piece]
    lines: list[Line]

    def take(self, side: Side, span: tuple[int, int], lines: Sequence[Line]) -> None:
        if span[0] == span[1] and not lines:
            return
        self.pieces.append(Piece(side, *span, len(self.lines), len(self.lines) + len(lines)))
        self.lines.extend(lines)
