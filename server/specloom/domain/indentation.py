"""Moves a new text to the indentation of the lines that it replaces. Refuses where there is not one shift for all."""

from collections.abc import Sequence
from dataclasses import dataclass

from specloom.domain.lines import split_lines


@dataclass(frozen=True, slots=True)
class _Told:
    """The white space before a line, as a model states it and as it is."""

    stated: str
    actual: str

    @property
    def trimmed(self) -> bool:
        """Nothing was stated, as by someone who names a line by its words."""
        return not self.stated and self.actual != ""

    @property
    def shift(self) -> tuple[str, str] | None:
        """What to take from the front of each line, and what to put there instead."""
        if self.actual.endswith(self.stated):
            return "", self.actual[: len(self.actual) - len(self.stated)]
        if self.stated.endswith(self.actual):
            return self.stated[: len(self.stated) - len(self.actual)], ""
        return None


def reindented(new_text: str, start: tuple[str, str], end: tuple[str, str]) -> str | None:
    """`new_text` for lines whose anchors (stated, actual) may differ in indentation; `None` if that cannot be told.

    A text that already has the actual indentation stays as it is: only its anchors were trimmed.
    """
    lines = [line.whole for line in split_lines(new_text)]
    filled = [line for line in lines if line.strip()]
    told = [_Told(_indent(stated), _indent(actual)) for stated, actual in (start, end) if actual.strip()]
    if not filled or all(pair.stated == pair.actual for pair in told):
        return new_text
    if _has_its_place(filled, told):
        return new_text
    shifts = {pair.shift for pair in told}
    shift = shifts.pop()
    if shifts or shift is None or _indent(filled[0]) != told[0].stated:
        return None
    moved = [_moved(line, *shift) for line in lines]
    return None if None in moved else "".join(line for line in moved if line is not None)


def _has_its_place(filled: Sequence[str], told: Sequence[_Told]) -> bool:
    """It starts where the replaced lines start, and does not end at a trimmed anchor's column."""
    if _indent(filled[0]) != told[0].actual:
        return False
    if told[0].stated != told[0].actual and not told[0].trimmed:
        return True
    return not (told[-1].trimmed and not _indent(filled[-1])) and all(
        pair.trimmed or pair.stated == pair.actual for pair in told
    )


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _moved(line: str, take: str, put: str) -> str | None:
    if not line.strip():
        return line
    return put + line[len(take) :] if line.startswith(take) else None
