"""Moves a new text to the indentation of the lines that it replaces. Refuses where there is not one shift for all."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from specloom.domain.lines import split_lines

WIDTHS = (2, 3, 4, 8)
"""Spaces that stand for one tab."""

Shift: TypeAlias = Callable[[str], str | None]
"""From the white space before a line to what it becomes; `None` if the shift does not reach it."""


@dataclass(frozen=True, slots=True)
class _Told:
    """The white space before a line, as a model states it and as it is."""

    stated: str
    actual: str

    @property
    def trimmed(self) -> bool:
        """Nothing was stated, as by someone who names a line by its words."""
        return not self.stated and self.actual != ""


def reindented(new_text: str, start: tuple[str, str], end: tuple[str, str], replaced: Sequence[str] = ()) -> str | None:
    """`new_text` for lines whose anchors (stated, actual) may differ in indentation; `None` if that cannot be told.

    Lines that it repeats from `replaced` tell whether it has the actual indentation already or the stated one.
    """
    lines = [line.whole for line in split_lines(new_text)]
    filled = [line for line in lines if line.strip()]
    told = [_Told(indent(stated), indent(actual)) for stated, actual in (start, end) if actual.strip()]
    if not filled or all(pair.stated == pair.actual for pair in told):
        return new_text
    shift = _shift(told, filled)
    in_place, to_move, neither = _votes(filled, [*replaced, start[1], end[1]], shift)
    if (in_place > 0) + (to_move > 0) + (neither > 0) > 1:
        return None
    first = filled[0] if start[1].strip() else filled[-1]
    if in_place and told[0].stated != told[0].actual and indent(first) == told[0].stated:
        return None
    if in_place or (not to_move and _has_its_place(indent(first), indent(filled[-1]), told)):
        return new_text
    # An empty first line tells nothing of where the first line of the new text belongs.
    if shift is None or not (to_move or (start[1].strip() and indent(first) == told[0].stated)):
        return None
    moved = [_moved(line, shift) for line in lines]
    return None if None in moved else "".join(line for line in moved if line is not None)


def indent(line: str) -> str:
    """The white space before it."""
    return line[: len(line) - len(line.lstrip())]


def _votes(filled: Sequence[str], replaced: Sequence[str], shift: Shift | None) -> tuple[int, int, int]:
    """How many repeated lines stand where they were, how many would after the shift, how many in neither case."""
    places: dict[str, set[str]] = {}
    for line in replaced:
        places.setdefault(line.strip(), set()).add(indent(line))
    in_place = to_move = neither = 0
    for line in filled:
        known = places.get(line.strip())
        if known is None:
            continue
        here, there = indent(line) in known, shift is not None and shift(indent(line)) in known
        in_place += here and not there
        to_move += there and not here
        neither += not here and not there
    return in_place, to_move, neither


def _has_its_place(first: str, last: str, told: Sequence[_Told]) -> bool:
    """It starts where the replaced lines start, and does not end at a trimmed anchor's column."""
    if first != told[0].actual:
        return False
    if told[0].stated != told[0].actual and not told[0].trimmed:
        return True
    return not (told[-1].trimmed and not last) and all(pair.trimmed or pair.stated == pair.actual for pair in told)


def _shift(told: Sequence[_Told], filled: Sequence[str]) -> Shift | None:
    """The one shift that explains all anchors: white space put before lines or taken away, else tabs for spaces."""
    fronts = {_front(pair) for pair in told}
    front = fronts.pop()
    if not fronts and front is not None:
        take, put = front
        return lambda blank: put + blank[len(take) :] if blank.startswith(take) else None
    return _conversion([pair for pair in told if pair.stated or pair.actual], [indent(line) for line in filled])


def _front(pair: _Told) -> tuple[str, str] | None:
    """What to take from the front of a line, and what to put there instead."""
    if pair.actual.endswith(pair.stated):
        return "", pair.actual[: len(pair.actual) - len(pair.stated)]
    if pair.stated.endswith(pair.actual):
        return pair.stated[: len(pair.stated) - len(pair.actual)], ""
    return None


def _conversion(told: Sequence[_Told], blanks: Sequence[str]) -> Shift | None:
    """Tabs for spaces or spaces for tabs, of one width throughout."""
    for one, other in ((" ", "\t"), ("\t", " ")):
        if all(set(pair.stated) == {one} and set(pair.actual) == {other} for pair in told):
            widths = {_width(pair) for pair in told}
            width = widths.pop()
            known = len({pair.actual for pair in told}) > 1
            steps = math.gcd(*(abs(len(blank) - len(told[0].stated)) for blank in blanks if set(blank) <= {one}))
            sure = known or not steps or steps == (width if one == " " else 1)
            if not widths and width in WIDTHS and sure:
                return lambda blank: _converted(blank, one, other, width)
    return None


def _width(pair: _Told) -> int:
    more, fewer = max(len(pair.stated), len(pair.actual)), min(len(pair.stated), len(pair.actual))
    return more // fewer if more % fewer == 0 else 0


def _converted(blank: str, one: str, other: str, width: int) -> str | None:
    if not set(blank) <= {one} or (one == " " and len(blank) % width):
        return None
    return other * (len(blank) // width if one == " " else len(blank) * width)


def _moved(line: str, shift: Shift) -> str | None:
    if not line.strip():
        return line
    blank = indent(line)
    moved = shift(blank)
    return None if moved is None else moved + line[len(blank) :]
