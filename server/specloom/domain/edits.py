"""Edits by line anchors: finds the lines that a model meant, or refuses the whole batch.

Refuses to guess: an anchor away from its stated place must fit in one way only, and one in doubt stops all edits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from specloom.domain.anchors import Anchors, Found, NotFound, find
from specloom.domain.indentation import reindented
from specloom.domain.lines import Line, join_lines, main_eol, split_lines
from specloom.domain.merge import Hunk


@dataclass(frozen=True, slots=True)
class LineEdit:
    """Replaces the lines `start_line` to `end_line` (1-based, inclusive), whose texts are the two anchors.

    A line number one past the end, with empty anchors, adds after the last line; 0 adds before the first.
    """

    start_line: int
    start_text: str
    end_line: int
    end_text: str
    new_text: str
    """Whole lines; the last end-of-line may be left out. `""` deletes."""


class FaultKind(StrEnum):
    """Why an edit was refused."""

    NOT_FOUND = "not-found"
    AMBIGUOUS = "ambiguous"
    INDENTATION = "indentation"
    OVERLAP = "overlap"


@dataclass(frozen=True, slots=True)
class EditFault:
    """What is wrong with one edit."""

    index: int
    """0-based, of the edit in the batch."""
    kind: FaultKind
    message: str
    """Expected, actual and the next step."""
    around: int
    """1-based line to show the surroundings of."""


@dataclass(frozen=True, slots=True)
class EditRefusal:
    """Nothing was changed."""

    faults: tuple[EditFault, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ResolvedBatch:
    """All edits found their lines."""

    base: tuple[Line, ...]
    hunks: tuple[Hunk, ...]
    """In the order of lines."""
    edits: tuple[LineEdit, ...]
    """As sent, with the numbers and texts of the lines that were found."""
    corrected: bool
    """Whether `edits` differ from what was sent."""

    @property
    def text(self) -> str:
        """The base with all edits applied."""
        return applied(self.base, self.hunks)


Resolution: TypeAlias = ResolvedBatch | EditRefusal


def resolve(base_text: str, edits: Sequence[LineEdit]) -> Resolution:
    """Finds the lines of each edit in the text that the model was shown; one fault refuses the batch."""
    base = split_lines(base_text)
    placed = [_place(base, index, edit) for index, edit in enumerate(edits)]
    faults = [place for place in placed if isinstance(place, EditFault)]
    good = [place for place in placed if not isinstance(place, EditFault)]
    faults += _overlaps(good)
    if faults:
        return EditRefusal(tuple(faults), base)
    found = tuple(place.edit for place in good)
    hunks = tuple(
        place.hunk for place in sorted(good, key=lambda place: (place.hunk.start, place.hunk.end, place.index))
    )
    return ResolvedBatch(base, hunks, found, found != tuple(edits))


def applied(base: Sequence[Line], hunks: Sequence[Hunk]) -> str:
    """The base with hunks that are in order and do not overlap."""
    result: list[Line] = []
    done = 0
    for hunk in hunks:
        result += (*base[done : hunk.start], *hunk.lines)
        done = hunk.end
    return join_lines([*result, *base[done:]])


@dataclass(frozen=True, slots=True)
class _Placed:
    index: int
    edit: LineEdit
    hunk: Hunk


def _place(base: tuple[Line, ...], index: int, edit: LineEdit) -> "_Placed | EditFault":
    anchors = Anchors(edit.start_line, edit.start_text, edit.end_line, edit.end_text)
    if anchors.is_insertion(len(base)):
        return _insertion(base, index, edit)
    found = find([line.text for line in base], anchors)
    if isinstance(found, NotFound):
        kind = FaultKind.AMBIGUOUS if found.ambiguous else FaultKind.NOT_FOUND
        return EditFault(index, kind, found.message, found.around)
    new_text = _new_text(base, edit, found)
    if new_text is None:
        message = "only the indentation differs, but not by one amount; send all lines with the indentation shown"
        return EditFault(index, FaultKind.INDENTATION, message, found.start + 1)
    texts = base[found.start].text, base[found.end - 1].text
    corrected = LineEdit(found.start + 1, texts[0], found.end, texts[1], new_text)
    return _Placed(index, corrected, _replaced(base, found.start, found.end, new_text))


def _new_text(base: Sequence[Line], edit: LineEdit, found: Found) -> str | None:
    """The new text as it fits to the lines found; `None` if it cannot be told."""
    new_text = found.unnumbered(edit.new_text)
    start, end = (found.start_text, base[found.start].text), (found.end_text, base[found.end - 1].text)
    return reindented(new_text, start, end)


def _replaced(base: tuple[Line, ...], start: int, end: int, new_text: str) -> Hunk:
    """Keeps the end-of-line of the replaced lines, and whether the text ends in one."""
    eol = base[start].eol or main_eol(base)
    lines = [Line(line.text, eol) for line in split_lines(new_text)]
    last = base[end - 1].eol
    if lines:
        lines[-1] = Line(lines[-1].text, last)
    elif not last and start:
        start -= 1
        lines = [Line(base[start].text, "")]
    return Hunk(start, end, tuple(lines))


def _insertion(base: tuple[Line, ...], index: int, edit: LineEdit) -> "_Placed | EditFault":
    """At the stated end, as an exact fit. Refused where the line beside it is empty: the anchors may mean that one."""
    at = 0 if edit.start_line == 0 else len(base)
    beside = 0 if at == 0 else at - 1
    empty = beside + 1 if base and not base[beside].text.strip() else None
    if empty is None:
        return _Placed(index, edit, _inserted(base, at, edit.new_text))
    message = f"line {empty} is empty too; to add lines, replace the line before them by itself and the new lines"
    return EditFault(index, FaultKind.AMBIGUOUS, message, empty)


def _inserted(base: tuple[Line, ...], at: int, new_text: str) -> Hunk:
    eol = main_eol(base)
    lines = tuple(Line(line.text, eol) for line in split_lines(new_text))
    if at == 0:
        return Hunk(0, 0, lines)
    last = base[-1]
    if last.eol or not lines:
        return Hunk(at, at, lines)
    return Hunk(at - 1, at, (Line(last.text, eol), *lines[:-1], Line(lines[-1].text, "")))


def _overlaps(placed: Sequence[_Placed]) -> list[EditFault]:
    faults: list[EditFault] = []
    reached: _Placed | None = None
    for place in sorted(placed, key=lambda place: (place.hunk.start, place.hunk.end, place.index)):
        if reached is not None and place.hunk.start < reached.hunk.end:
            message = f"it overlaps edit {reached.index + 1}; put both into one edit"
            faults.append(EditFault(place.index, FaultKind.OVERLAP, message, place.edit.start_line))
        if reached is None or place.hunk.end > reached.hunk.end:
            reached = place
    return faults
