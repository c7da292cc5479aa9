"""Finds edits whose numbers may count what the edits before them in the same turn do. Refuses to choose.

All edits of a turn count in the text before it, but models at times state later ones in the text that they imagine
after the earlier ones. Where both readings name lines that fit, the edit is in doubt, unless another one tells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from specloom.domain.anchors import Anchors, Place, fits
from specloom.domain.lines import Line
from specloom.domain.merge import Hunk


@dataclass(frozen=True, slots=True)
class Placed:
    """An edit as it was stated, without a viewer's numbers, and what it does to the base."""

    anchors: Anchors
    hunk: Hunk


@dataclass(frozen=True, slots=True)
class Doubt:
    """An edit that fits in both countings."""

    index: int
    """0-based, in the order of the call."""
    before: int
    """1-based line, as numbers count in the text before the call."""
    after: int
    """The same in the text that the edits before it leave."""


def doubts(base: Sequence[Line], edits: Sequence[Placed], earlier: Sequence[Hunk] = ()) -> list[Doubt]:
    """Edits in doubt, unless another one of the call fits in the text before it alone.

    `earlier`: what calls before this one made of the same base, without their author having seen it.
    """
    found: list[Doubt] = []
    for index, edit in enumerate(edits):
        before = [*earlier, *(known.hunk for known in edits[:index])]
        start, end = edit.anchors.stated
        others = [(start - shift, end - shift) for shift in _shifts(before, edit.anchors)]
        fitting = [other for other in others if _fits(base, other, edit.anchors)]
        found += [Doubt(index, edit.hunk.start + 1, other[0] + 1) for other in fitting if other != _place(edit.hunk)]
        if others and not fitting and (start, end) == _place(edit.hunk):
            return []
    return found


def _place(hunk: Hunk) -> Place:
    return hunk.start, max(hunk.start, hunk.end - 1)


def _shifts(before: Sequence[Hunk], anchors: Anchors) -> Iterator[int]:
    """How many lines the edits before put above this one, for each number of them that may stand above it."""
    ordered = sorted(before, key=lambda hunk: (hunk.start, hunk.end))
    shift = 0
    for at, hunk in enumerate(ordered):
        shift += len(hunk.lines) - (hunk.end - hunk.start)
        start = anchors.start_line - 1 - shift
        if shift and start >= hunk.end and (at + 1 == len(ordered) or start <= ordered[at + 1].start):
            yield shift


def _fits(base: Sequence[Line], place: Place, anchors: Anchors) -> bool:
    if not anchors.start_text and not anchors.end_text and place == (len(base), len(base)):
        return True
    return fits(base, place[0], anchors.start_text) and fits(base, place[1], anchors.end_text)
