"""Finds the two lines that an edit names by number and text. Refuses a place that is not the only one that fits."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from specloom.domain.lines import split_lines

REACH = 3
"""Lines that a stated number may be off by."""
SIGHT = 6
"""Lines in which a second place that fits makes the first one doubtful."""
NUMBERED = re.compile(r"[ \t]*\d+ \| ?")
"""What `read_file` puts before each line."""
LOOK_ALIKES = str.maketrans({
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "“": '"', "”": '"', "„": '"', "″": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-",
})  # fmt: skip
BLANKS = re.compile(r"\s+")

Fold: TypeAlias = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Anchors:
    """Two lines (1-based numbers) and their texts as a model states them."""

    start_line: int
    start_text: str
    end_line: int
    end_text: str

    def is_insertion(self, count: int) -> bool:
        """They name the gap before the first or after the last of `count` lines."""
        same = self.start_line == self.end_line and not self.start_text and not self.end_text
        return same and (self.start_line in {0, count + 1} or (count == 0 and self.start_line == 1))


@dataclass(frozen=True, slots=True)
class Found:
    """The lines `start` to `end`, 0-based, end exclusive."""

    start: int
    end: int
    start_text: str
    """The anchor without what the viewer had put before it."""
    end_text: str
    numbered: bool = False
    """The anchors carried the viewer's numbers."""

    def unnumbered(self, text: str) -> str:
        """A new text without the viewer's numbers, if the anchors carried them and all its lines do."""
        lines = [line.whole for line in split_lines(text)]
        if not self.numbered or not all(NUMBERED.match(line) for line in lines):
            return text
        return "".join(NUMBERED.sub("", line, count=1) for line in lines)


@dataclass(frozen=True, slots=True)
class NotFound:
    """No place, or more than one."""

    message: str
    around: int
    """1-based line near which the model meant to be."""
    ambiguous: bool = False


def _same(text: str) -> str:
    return text


def _no_trailing(text: str) -> str:
    return text.rstrip()


def _no_blanks(text: str) -> str:
    return BLANKS.sub("", text)


def _look_alike(text: str) -> str:
    return BLANKS.sub("", unicodedata.normalize("NFKC", text).translate(LOOK_ALIKES))


FOLDS: tuple[Fold, ...] = (_same, _no_trailing, _no_blanks, _look_alike)
"""From strict to loose."""


def find(lines: Sequence[str], anchors: Anchors) -> Found | NotFound:
    """The stated place, or another within `REACH` lines that is the only one in sight.

    White space and look-alike characters are ignored, unless that would decide between two places.
    """
    start_text, end_text = anchors.start_text.rstrip("\r\n"), anchors.end_text.rstrip("\r\n")
    if any(mark in text for mark in "\r\n" for text in (start_text, end_text)):
        message = "start_text and end_text must be one line each: the first and the last line to replace"
        return NotFound(message, _near(lines, anchors))
    plain = _find(lines, anchors, (start_text, end_text), numbered=False)
    bare = NUMBERED.sub("", start_text, count=1), NUMBERED.sub("", end_text, count=1)
    if isinstance(plain, Found) or not (NUMBERED.match(start_text) and NUMBERED.match(end_text)):
        return plain
    return _find(lines, anchors, bare, numbered=True)


def _find(lines: Sequence[str], anchors: Anchors, texts: tuple[str, str], *, numbered: bool) -> Found | NotFound:
    stated = (anchors.start_line - 1, anchors.end_line - 1)
    pairs = _pairs(lines, anchors, texts)
    if not pairs:
        return _absent(lines, anchors, texts)
    if stated in pairs:
        # Text that fits better elsewhere casts doubt on the number, a number that fits casts doubt on the text.
        strictness = _strictness(lines, stated, texts)
        pairs = [stated, *(pair for pair in pairs if _strictness(lines, pair, texts) < strictness)]
    if len(pairs) > 1:
        return _ambiguous(lines, anchors, pairs)
    (found,) = pairs
    if max(abs(at - near) for at, near in zip(found, stated, strict=True)) > REACH:
        return _absent(lines, anchors, texts)
    return Found(found[0], found[1] + 1, *texts, numbered)


def _pairs(lines: Sequence[str], anchors: Anchors, texts: tuple[str, str]) -> list[tuple[int, int]]:
    """All places in sight that the loosest comparison takes."""
    starts = _candidates(lines, anchors.start_line - 1, texts[0])
    if (anchors.start_line, texts[0]) == (anchors.end_line, texts[1]):
        return [(at, at) for at in starts]
    ends = _candidates(lines, anchors.end_line - 1, texts[1])
    return [(start, end) for start, end in product(starts, ends) if start <= end]


def in_sight(lines: Sequence[object], at: int) -> range:
    """The lines around a place (0-based) where a second fit counts."""
    return range(max(0, at - SIGHT), min(len(lines), at + SIGHT + 1))


def _candidates(lines: Sequence[str], stated: int, text: str) -> list[int]:
    wanted = _look_alike(text)
    return [at for at in in_sight(lines, stated) if _look_alike(lines[at]) == wanted]


def _strictness(lines: Sequence[str], place: tuple[int, int], texts: tuple[str, str]) -> int:
    """How far the comparison must be loosened for a place; 0 is exact."""
    return max(
        next(level for level, fold in enumerate(FOLDS) if fold(lines[at]) == fold(text))
        for at, text in zip(place, texts, strict=True)
    )


def _near(lines: Sequence[str], anchors: Anchors) -> int:
    return max(1, min(anchors.start_line, len(lines)))


def _ambiguous(lines: Sequence[str], anchors: Anchors, pairs: Sequence[tuple[int, int]]) -> NotFound:
    places = ", ".join(str(start + 1) if start == end else f"{start + 1}-{end + 1}" for start, end in pairs)
    message = f"the stated lines do not fit, and these would: {places}; state the right numbers"
    return NotFound(message, _near(lines, anchors), ambiguous=True)


def _absent(lines: Sequence[str], anchors: Anchors, texts: tuple[str, str]) -> NotFound:
    told = [_mismatch(lines, anchors.start_line, texts[0], "start")]
    if (anchors.end_line, texts[1]) != (anchors.start_line, texts[0]):
        told.append(_mismatch(lines, anchors.end_line, texts[1], "end"))
    if not any(told) and anchors.end_line < anchors.start_line:
        told = ["end_line is before start_line"]
    message = "; ".join(filter(None, told)) or "the two lines do not fit together"
    return NotFound(message, _near(lines, anchors))


def _mismatch(lines: Sequence[str], number: int, text: str, side: str) -> str:
    """Expected, actual, and where else the line stands; empty if the line is where it is stated."""
    if 1 <= number <= len(lines) and _look_alike(lines[number - 1]) == _look_alike(text):
        return ""
    actual = repr(lines[number - 1][:200]) if 1 <= number <= len(lines) else f"no such line, the file has {len(lines)}"
    elsewhere = [at for at, line in enumerate(lines, 1) if text.strip() and _no_blanks(line) == _no_blanks(text)]
    hint = f" (it stands at {', '.join(map(str, elsewhere[:3]))})" if elsewhere else ""
    return f"{side}_line {number}: expected {text[:200]!r}{hint}, found {actual}"
