"""Says why an anchor is not where it was stated, and where it may stand. Refuses to go on at length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from heapq import nsmallest

from specloom.domain.anchors import Anchors, NotFound, Place, fits
from specloom.domain.edit_viewers import viewed
from specloom.domain.lines import Line

MOST = 3
"""Places that are named for one anchor."""
WIDTH = 100
"""Characters of a line that are quoted."""
SHORT = 40
"""The same where many are quoted."""
MOST_PLACES = 6
"""Blocks that are named where several fit."""
NEAR = 60
"""Lines before and after the stated one in which a merely similar line is looked for."""
SIMILAR = 0.6
"""Share of equal characters from which a line is worth naming (`difflib`, 0 to 1)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A line that may be meant."""

    number: int
    """1-based."""
    likeness: float
    """1 is the same but for white space and look-alikes."""


def explained(lines: Sequence[Line], anchors: Anchors, missed: NotFound) -> str:
    """What was expected, what stands there, what is near, and the next step."""
    if missed.many_lines:
        return "start_text and end_text must be one line each: the first and the last line to replace"
    if missed.places:
        return _several(lines, anchors, missed.places)
    if not lines:
        return "the file is empty: use line 1 and empty texts for both ends"
    told = [_mismatch(lines, anchors.start_line, anchors.start_text, "start")]
    if (anchors.end_line, anchors.end_text) != (anchors.start_line, anchors.start_text):
        told.append(_mismatch(lines, anchors.end_line, anchors.end_text, "end"))
    if anchors.end_line < anchors.start_line and not all(told):
        told = ["end_line is before start_line"]
    return "; ".join(filter(None, told)) or "the two lines do not fit together"


def nearest(lines: Sequence[Line], number: int, text: str) -> list[Candidate]:
    """The lines that are the same but for white space, else the most similar ones near; none if `number` is that."""
    if not text.strip():
        return []
    words = text.split()
    same = (at for at, line in enumerate(lines, 1) if words[0] in line.text and fits(lines, at - 1, text))
    found = nsmallest(MOST, same, key=lambda at: abs(at - number))
    if found:
        return [Candidate(at, 1) for at in sorted(found)]
    likest = nsmallest(MOST - 1, _similar(lines, number, text), key=lambda candidate: -candidate.likeness)
    return [] if likest and likest[0].number == number else likest


def quoted(text: str, width: int = WIDTH) -> str:
    """One line in quotation marks, cut when it is longer."""
    return repr(text if len(text) <= width else f"{text[:width]}…")


def _several(lines: Sequence[Line], anchors: Anchors, places: Sequence[Place]) -> str:
    """Names what tells the places apart: the ends where only these differ, else the starts, else both."""
    starts, ends = dict.fromkeys(start for start, _ in places), dict.fromkeys(end for _, end in places)
    if places[0][0] == places[0][1] or len(ends) == 1:
        side, number, found = "start_line", anchors.start_line, starts
    elif len(starts) == 1:
        side, number, found = "end_line", anchors.end_line, ends
    else:
        spans = ", ".join(f"{start + 1}-{end + 1}" for start, end in places[:MOST_PLACES])
        return f"the stated lines do not fit for certain, and these would: {spans}; state the right numbers"
    named = ", ".join(f"{at + 1} {quoted(lines[at].text, SHORT)}" for at in found)
    return f"{side} {number} does not fit for certain, and these would: {named}; state the right number"


def _similar(lines: Sequence[Line], number: int, text: str) -> Iterator[Candidate]:
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(text.strip()[: 2 * WIDTH])
    for at in range(max(1, number - NEAR), min(len(lines), number + NEAR) + 1):
        matcher.set_seq1(lines[at - 1].text.strip()[: 2 * WIDTH])
        if matcher.real_quick_ratio() >= SIMILAR and matcher.quick_ratio() >= SIMILAR:
            likeness = matcher.ratio()
            if likeness >= SIMILAR:
                yield Candidate(at, likeness)


def _mismatch(lines: Sequence[Line], number: int, text: str, side: str) -> str:
    """Expected, actual, and where else the line stands; empty if the line is where it is stated."""
    text = text.rstrip("\r\n")
    if fits(lines, number - 1, text):
        return ""
    view = viewed(text)
    found = nearest(lines, number, text) or (nearest(lines, number, view.text) if view is not None else [])
    there = 1 <= number <= len(lines)
    actual = quoted(lines[number - 1].text) if there else f"no such line, the file has {len(lines):,}"
    return f"{side}_line {number}: expected {quoted(text)}{_hint(lines, text, found)}, found {actual}"


def _hint(lines: Sequence[Line], text: str, found: Sequence[Candidate]) -> str:
    if not found:
        return ""
    if found[0].likeness < 1:
        like = ", ".join(
            f"{candidate.number} {quoted(lines[candidate.number - 1].text)} ({candidate.likeness:.0%})"
            for candidate in found
        )
        return f" (most like it: {like})"
    numbers = ", ".join(str(candidate.number) for candidate in found)
    others = [lines[candidate.number - 1].text.rstrip() for candidate in found]
    moved = all(other != text.rstrip() and other.strip() == text.strip() for other in others)
    return f" (it stands at {numbers}{', only the indentation differs' if moved else ''})"
