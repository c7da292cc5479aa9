"""Edits by line anchors: finds the lines that a model meant, or refuses the whole batch.

Refuses to guess: an anchor away from its stated place must fit in one way only, and one in doubt stops all edits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from specloom.domain.anchors import Anchors, Found, NotFound, find
from specloom.domain.edit_candidates import explained
from specloom.domain.edit_folds import cut, substitutes
from specloom.domain.edit_hunks import inserted, keeping_the_end, replaced
from specloom.domain.edit_numbering import Placed, doubts
from specloom.domain.indentation import indent, reindented
from specloom.domain.lines import Line, join_lines, main_eol, split_lines
from specloom.domain.merge import Hunk

EXPLAINED = 4
"""Faults of one batch that are looked into; the others are only counted."""


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

    @property
    def anchors(self) -> Anchors:
        """The lines that it names."""
        return Anchors(self.start_line, self.start_text, self.end_line, self.end_text)


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
    """Expected, actual and the next step. Empty beyond the first few of a batch."""
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
    apart: tuple[Hunk, ...]
    """What each edit does to whole lines, in the order of the call."""

    @property
    def text(self) -> str:
        """The base with all edits applied."""
        return applied(self.base, self.hunks)

    def first(self, count: int) -> "ResolvedBatch":
        """Only the first edits of the call."""
        apart = self.apart[:count]
        return ResolvedBatch(self.base, _together(self.base, apart), self.edits[:count], corrected=True, apart=apart)


Resolution: TypeAlias = ResolvedBatch | EditRefusal


def resolve(base: str | tuple[Line, ...], edits: Sequence[LineEdit], earlier: Sequence[Hunk] = ()) -> Resolution:
    """Finds the lines of each edit in the text that the model was shown; one fault refuses the batch.

    `earlier`: what was already made of that text before the model could see it.
    """
    lines = split_lines(base) if isinstance(base, str) else base
    eol = main_eol(lines)
    places = [_place(lines, eol, index, edit) for index, edit in enumerate(edits)]
    good = [place for place in places if isinstance(place, _Place)]
    faults = [*_told(lines, edits, places), *_overlaps(good)]
    if not faults:
        faults = _doubts(lines, good, earlier)
    if faults:
        return EditRefusal(tuple(faults), lines)
    found = tuple(place.edit for place in good)
    apart = tuple(place.hunk for place in good)
    return ResolvedBatch(lines, _together(lines, apart), found, found != tuple(edits), apart)


def _together(base: Sequence[Line], hunks: Sequence[Hunk]) -> tuple[Hunk, ...]:
    """In the order of lines, those at one place in the order of the call."""
    ordered = sorted(hunks, key=lambda hunk: (hunk.start, hunk.end))
    return keeping_the_end(base, ordered)


def applied(base: Sequence[Line], hunks: Sequence[Hunk]) -> str:
    """The base with hunks that are in order and do not overlap."""
    result: list[Line] = []
    done = 0
    for hunk in hunks:
        result += (*base[done : hunk.start], *hunk.lines)
        done = hunk.end
    return join_lines([*result, *base[done:]])


@dataclass(frozen=True, slots=True)
class _Place:
    index: int
    edit: LineEdit
    """With the numbers and texts that are right."""
    stated: Anchors
    """Without a viewer's numbers."""
    hunk: Hunk


def _place(base: tuple[Line, ...], eol: str, index: int, edit: LineEdit) -> "_Place | EditFault | NotFound":
    if edit.anchors.is_insertion(len(base)):
        return _insertion(base, eol, index, edit)
    found = find(base, edit.anchors)
    if isinstance(found, NotFound):
        return found
    new_text = _new_text(base, edit, found)
    if isinstance(new_text, str):
        stated = Anchors(edit.start_line, found.start_text, edit.end_line, found.end_text)
        texts = tuple(
            text if cut(text) else base[at].text
            for at, text in ((found.start, found.start_text), (found.end - 1, found.end_text))
        )
        corrected = LineEdit(found.start + 1, texts[0], found.end, texts[1], new_text)
        return _Place(index, corrected, stated, replaced(base, found.start, found.end, new_text, eol))
    return EditFault(index, new_text[0], new_text[1], found.start + 1)


def _new_text(base: Sequence[Line], edit: LineEdit, found: Found) -> str | tuple[FaultKind, str]:
    """The new text as it fits to the lines found, or why that cannot be told."""
    bare = found.unnumbered(edit.new_text, edit.start_line)
    if bare is None:
        return FaultKind.NOT_FOUND, "some lines of new_text begin with a line number; send the text without numbers"
    start, end = (found.start_text, base[found.start].text), (found.end_text, base[found.end - 1].text)
    old = [line.text for line in base[found.start : found.end]]
    moved = reindented(bare, start, end, old)
    if moved is None:
        return FaultKind.INDENTATION, _indentation(start, end)
    swaps = substitutes(*start) | substitutes(*end)
    kept = "".join(old)
    return moved.translate(str.maketrans({mark: char for mark, char in swaps.items() if mark not in kept}))


def _indentation(*anchors: tuple[str, str]) -> str:
    pairs = dict.fromkeys((_blank(stated), _blank(actual)) for stated, actual in anchors if actual.strip())
    told = ", ".join(f"{stated} stated for {actual}" for stated, actual in pairs if stated != actual)
    return f"only the indentation differs, but not by one amount ({told}); send all lines with the indentation shown"


def _blank(line: str) -> str:
    blank = indent(line)
    spaces, tabs = blank.count(" "), blank.count("\t")
    named = [f"{count} {name}{'s' if count > 1 else ''}" for count, name in ((tabs, "tab"), (spaces, "space")) if count]
    return " and ".join(named) or "none"


def _insertion(base: tuple[Line, ...], eol: str, index: int, edit: LineEdit) -> "_Place | EditFault":
    """At the stated end, as an exact fit. Refused where the line beside it is empty: the anchors may mean that one."""
    at = 0 if edit.start_line == 0 else len(base)
    beside = 0 if at == 0 else at - 1
    empty = beside + 1 if base and not base[beside].text.strip() else None
    if not edit.new_text:
        return EditFault(index, FaultKind.NOT_FOUND, f"no line {edit.start_line} to delete", max(1, at))
    if empty is None:
        return _Place(index, edit, edit.anchors, inserted(at, edit.new_text, eol))
    message = f"line {empty} is empty too; to add lines, replace the line before them by itself and the new lines"
    return EditFault(index, FaultKind.AMBIGUOUS, message, empty)


def _told(
    base: Sequence[Line], edits: Sequence[LineEdit], places: "Sequence[_Place | EditFault | NotFound]"
) -> list[EditFault]:
    """The faults in the order of the call; only the first few are worth the search for candidates."""
    faults: list[EditFault] = []
    for index, place in enumerate(places):
        if isinstance(place, EditFault):
            faults.append(place)
        elif isinstance(place, NotFound):
            kind = FaultKind.AMBIGUOUS if place.places else FaultKind.NOT_FOUND
            message = explained(base, edits[index].anchors, place) if len(faults) < EXPLAINED else ""
            faults.append(EditFault(index, kind, message, place.around))
    return faults


def _overlaps(placed: Sequence[_Place]) -> list[EditFault]:
    faults: list[EditFault] = []
    reached: _Place | None = None
    for place in sorted(placed, key=lambda place: (place.hunk.start, place.hunk.end, place.index)):
        if reached is not None and place.hunk.start < reached.hunk.end:
            message = f"{_span(place)} overlap {_span(reached)} of edit {reached.index + 1}; put both into one edit"
            faults.append(EditFault(place.index, FaultKind.OVERLAP, message, place.edit.start_line))
        if reached is None or place.hunk.end > reached.hunk.end:
            reached = place
    return faults


def _span(place: _Place) -> str:
    return f"lines {place.edit.start_line}-{place.edit.end_line}"


def _doubts(base: Sequence[Line], placed: Sequence[_Place], earlier: Sequence[Hunk]) -> list[EditFault]:
    message = (
        "it fits at line {before}, and at line {after} if its number counts the lines that the edits before it add or "
        "remove; numbers mean the text before this turn. Send edits from the last line to the first, or one a turn"
    )
    return [
        EditFault(
            doubt.index, FaultKind.AMBIGUOUS, message.format(before=doubt.before, after=doubt.after), doubt.before
        )
        for doubt in doubts(base, [Placed(place.stated, place.hunk) for place in placed], earlier)
    ]
