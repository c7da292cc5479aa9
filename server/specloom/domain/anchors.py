"""Finds the two lines that an edit names by number and text. Refuses a place that is not the only one that fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from specloom.domain.edit_folds import cut, look_alike, strictness
from specloom.domain.edit_viewers import Viewed, unnumbered, viewed
from specloom.domain.lines import Line

REACH = 3
"""Lines that a stated number may be off by."""
SIGHT = 6
"""Lines in which a second place that fits makes the first one doubtful."""

Place: TypeAlias = tuple[int, int]
"""First and last line, 0-based, both inclusive."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """Two lines (1-based numbers) and their texts as a model states them."""

    start_line: int
    start_text: str
    end_line: int
    end_text: str

    def is_insertion(self, count: int) -> bool:
        """They name the gap before the first or after the last of `count` lines; an empty text is one gap."""
        if self.start_text or self.end_text:
            return False
        if count == 0:
            return {self.start_line, self.end_line} <= {0, 1}
        return self.start_line == self.end_line and self.start_line in {0, count + 1}

    @property
    def stated(self) -> Place:
        """Where they say that they are."""
        return self.start_line - 1, self.end_line - 1


@dataclass(frozen=True, slots=True)
class Found:
    """The lines `start` to `end`, 0-based, end exclusive."""

    start: int
    end: int
    start_text: str
    """The anchor without what a viewer had put before it."""
    end_text: str
    numbered: Viewed | None = None
    """The first anchor as it was sent, if both carried a viewer's numbers."""
    tight: bool | None = None
    """The viewer put no blank between its mark and the text; `None` if that cannot be told."""

    def unnumbered(self, text: str, stated: int) -> str | None:
        """A new text without a viewer's numbers, if the anchors carried them; `None` if only some of its lines do."""
        if self.numbered is None:
            return text
        return unnumbered(text, self.numbered, (self.numbered.number, stated, self.start + 1), tight=self.tight)


@dataclass(frozen=True, slots=True)
class NotFound:
    """No place, or more than one."""

    around: int
    """1-based line near which the model meant to be."""
    places: tuple[Place, ...] = ()
    """More than one that fits."""
    many_lines: bool = False
    """An anchor is not one line."""


@dataclass(frozen=True, slots=True)
class _Anchor:
    """One of the two lines as it is looked for."""

    text: str
    at: tuple[int, ...]
    """0-based lines in sight that the loosest comparison takes."""
    view: Viewed | None
    """The viewer's number that had to be taken off."""


def find(lines: Sequence[Line], anchors: Anchors) -> Found | NotFound:
    """The stated place, or another within `REACH` lines that is the only one in sight.

    White space and look-alike characters are ignored, unless that would decide between two places.
    """
    texts = anchors.start_text.rstrip("\r\n"), anchors.end_text.rstrip("\r\n")
    near = max(1, min(anchors.start_line, len(lines)))
    if any(mark in text for mark in "\r\n" for text in texts):
        return NotFound(near, many_lines=True)
    start, end = (_anchor(lines, at, text) for at, text in zip(anchors.stated, texts, strict=True))
    pairs = _pairs(anchors, start, end)
    stated = _stated(lines, anchors, start, end)
    if stated in pairs:
        # Text that fits better elsewhere casts doubt on the number, a number that fits casts doubt on the text.
        fit = _strictness(lines, stated, start, end)
        pairs = [stated, *(pair for pair in pairs if _strictness(lines, pair, start, end) < fit)]
        pairs += _elsewhere(lines, stated, start, end)
    if len(pairs) > 1:
        return NotFound(_middle(pairs), tuple(pairs))
    if not pairs or max(abs(at - told) for at, told in zip(pairs[0], stated, strict=True)) > REACH:
        return NotFound(near)
    if anchors.end_line < anchors.start_line and any(last < first for first, last in product(start.at, end.at)):
        return NotFound(near)
    return _found(lines, pairs[0], start, end)


def _middle(places: Sequence[Place]) -> int:
    """The line (1-based) amid those that tell the places apart."""
    starts, ends = {start for start, _ in places}, {end for _, end in places}
    at = ends if len(starts) == 1 else starts
    return (min(at) + max(at)) // 2 + 1


def _found(lines: Sequence[Line], place: Place, start: _Anchor, end: _Anchor) -> Found:
    if start.view is None or end.view is None:
        return Found(place[0], place[1] + 1, start.text, end.text)
    texts = start.view.tight, end.view.tight
    told = [(text, lines[at].text) for at, text in zip(place, texts, strict=True) if text.strip()]
    tight = all(text.rstrip() == actual.rstrip() for text, actual in told) if told else None
    if not tight:
        texts = start.text, end.text
    return Found(place[0], place[1] + 1, *texts, start.view, tight)


def in_sight(count: int, at: int) -> range:
    """The lines (0-based, of `count`) around a place where a second fit counts."""
    return range(max(0, at - SIGHT), min(count, at + SIGHT + 1))


def fits(lines: Sequence[Line], at: int, text: str) -> bool:
    """Whether the loosest comparison takes a line (0-based) for an anchor."""
    return 0 <= at < len(lines) and bool(_among(lines, range(at, at + 1), text))


def _anchor(lines: Sequence[Line], at: int, text: str) -> _Anchor:
    """As it was sent, else without a viewer's number."""
    plain = _candidates(lines, at, text)
    view = viewed(text)
    if plain or view is None:
        return _Anchor(text, plain, None)
    bare = _candidates(lines, at, view.text)
    return _Anchor(view.text, bare, view) if bare else _Anchor(text, (), None)


def _candidates(lines: Sequence[Line], stated: int, text: str) -> tuple[int, ...]:
    return _among(lines, in_sight(len(lines), stated), text)


def _among(lines: Sequence[Line], places: range, text: str) -> tuple[int, ...]:
    wanted, beginning = look_alike(text), cut(text)
    if beginning:
        return tuple(at for at in places if lines[at].text.startswith(beginning))
    return tuple(at for at in places if look_alike(lines[at].text) == wanted)


def _pairs(anchors: Anchors, start: _Anchor, end: _Anchor) -> list[Place]:
    """All places in sight that the loosest comparison takes."""
    if (anchors.start_line, start.text) == (anchors.end_line, end.text):
        return [(at, at) for at in start.at]
    return [(first, last) for first, last in product(start.at, end.at) if first <= last]


def _carried(lines: Sequence[Line], start: _Anchor, end: _Anchor) -> Place | None:
    """The place that a viewer's numbers name, if the lines stand there."""
    if start.view is None or end.view is None:
        return None
    place = start.view.number - 1, end.view.number - 1
    fit = fits(lines, place[0], start.text) and fits(lines, place[1], end.text)
    return place if fit and place[0] <= place[1] else None


def _stated(lines: Sequence[Line], anchors: Anchors, start: _Anchor, end: _Anchor) -> Place:
    """The viewer's numbers stand for stated ones that do not fit and are near: they were copied, not counted."""
    stated, carried = anchors.stated, _carried(lines, start, end)
    if carried is None or (stated[0] in start.at and stated[1] in end.at):
        return stated
    near = all(abs(at - told) <= REACH for at, told in zip(carried, stated, strict=True))
    return carried if near else stated


def _elsewhere(lines: Sequence[Line], stated: Place, start: _Anchor, end: _Anchor) -> list[Place]:
    """Another place that the viewer's numbers name."""
    carried = _carried(lines, start, end)
    return [] if carried is None or carried == stated else [carried]


def _strictness(lines: Sequence[Line], place: Place, start: _Anchor, end: _Anchor) -> int:
    return max(strictness(lines[place[0]].text, start.text), strictness(lines[place[1]].text, end.text))
