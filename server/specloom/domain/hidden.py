"""Files with keys as a model sees them, and the way back: its edits keep the keys that it never saw.

Refuses to guess which key a `[redacted]` in a new text means, and to cut one in two.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from specloom.domain.lines import Line, join_lines, split_lines
from specloom.domain.merge import Hunk
from specloom.domain.redact import REDACTED, Redactor

_LABEL = re.compile(r"(\w+)\W*\Z")
_ITSELF = "\0"
"""Stands for the mark where the file itself has it."""
_UNCLEAR = (
    f"it is not clear which hidden value a {REDACTED} in the new text stands for: keep lines that hold one as they "
    "are, change one such line an edit, or leave them out of it"
)
_TORN = "the edit would cut a hidden value in two that goes over several lines: replace all its lines, or none"


@dataclass(frozen=True, slots=True)
class Hidden:
    """One value in a text."""

    start: int
    end: int
    value: str
    label: str
    """The last word before it in its line."""


@dataclass(frozen=True)
class Masked:
    """A text, and the same lines as a model may see them."""

    text: str
    raw: tuple[Line, ...]
    lines: tuple[Line, ...]
    hidden: tuple[Hidden, ...]

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Where each line begins in the text; one more for its end."""
        places = [0]
        for line in self.raw:
            places.append(places[-1] + len(line.whole))
        return tuple(places)

    @cached_property
    def originals(self) -> Mapping[str, str]:
        """Lines with a value in them, by how they look; those that look like another are left out."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for shown, raw in zip(self.lines, self.raw, strict=True):
            if REDACTED in shown.text:
                found[shown.text.strip()].add(raw.text.strip())
        return {shown: next(iter(raws)) for shown, raws in found.items() if len(raws) == 1 and shown != REDACTED}


def masked(text: str, redact: Redactor) -> Masked:
    """The text with each key hidden in its place: line numbers stay."""
    raw, spans = split_lines(text), redact.spans(text)
    if not spans:
        return Masked(text, raw, raw, ())
    # Who wrote the mark itself into a file that hides keys means the mark.
    taken = [
        *spans,
        *(at.span() for at in re.finditer(re.escape(REDACTED), text) if not any(a <= at.start() < b for a, b in spans)),
    ]
    hidden = tuple(Hidden(start, end, text[start:end], _label(text, start)) for start, end in sorted(taken))
    whole, lines = Masked(text, raw, raw, hidden), list(raw)
    for item in hidden:
        for at in range(bisect_right(whole.starts, item.start) - 1, bisect_left(whole.starts, item.end)):
            lines[at] = _shown(whole, at)
    return Masked(text, raw, tuple(lines), hidden)


def restored(base: Masked, hunks: Sequence[Hunk]) -> tuple[Hunk, ...] | str:
    """Hunks of the lines that a model saw, for the text itself; or why that cannot be told."""
    if not base.hidden:
        return tuple(hunks)
    result: list[Hunk] = []
    for hunk in hunks:
        lines = _restored(base, hunk)
        if isinstance(lines, str):
            return lines
        result.append(Hunk(hunk.start, hunk.end, lines))
    return tuple(result)


def _restored(base: Masked, hunk: Hunk) -> tuple[Line, ...] | str:
    low, high = base.starts[hunk.start], base.starts[hunk.end]
    inside = [item for item in base.hidden if item.start < high and item.end > low]
    new = join_lines(hunk.lines)
    if any(item.start < low for item in inside) and not new.startswith(REDACTED):
        return _TORN
    if any(item.end > high for item in inside) and not new.rstrip().endswith(REDACTED):
        return _TORN
    if REDACTED not in new:
        return hunk.lines
    pieces = [_piece(item, low, high) for item in inside]
    filled = [_same_line(base, line, pieces) for line in hunk.lines]
    return _filled(base, "".join(filled), pieces)


def _same_line(base: Masked, line: Line, pieces: list[Hidden]) -> str:
    """A line that looks as one of the file did is that one; its values are no longer to be given away."""
    known = base.originals.get(line.text.strip()) if REDACTED in line.text else None
    if known is None:
        return line.whole
    for piece in tuple(pieces):
        if piece.value in known:
            pieces.remove(piece)
    return line.whole.replace(line.text.strip(), known.replace(REDACTED, _ITSELF))


def _filled(base: Masked, text: str, pieces: list[Hidden]) -> tuple[Line, ...] | str:
    """Puts a value in the place of each mark that is left."""
    parts = text.split(REDACTED)
    result = parts[0]
    for part in parts[1:]:
        value = _meant(base, _label(result, len(result)), pieces)
        if value is None:
            return _UNCLEAR
        result += value + part
    return split_lines(result.replace(_ITSELF, REDACTED))


def _meant(base: Masked, label: str, pieces: Sequence[Hidden]) -> str | None:
    """The one value that a mark behind `label` can stand for: of the lines replaced, else of the whole file."""
    if len({item.value for item in pieces}) == 1:
        return pieces[0].value
    for among in (pieces, base.hidden):
        named = {item.value for item in among if item.label == label}
        if named:
            return next(iter(named)) if len(named) == 1 else None
    return None


def _piece(item: Hidden, low: int, high: int) -> Hidden:
    """The part of a value that stands in the lines between two places."""
    start, end = max(item.start, low), min(item.end, high)
    value = item.value[start - item.start : end - item.start]
    return Hidden(start, end, value.rstrip("\r\n"), item.label)


def _shown(base: Masked, at: int) -> Line:
    line, begin = base.raw[at], base.starts[at]
    end, text, done = begin + len(line.text), "", begin
    for item in base.hidden:
        if item.start < end and item.end > begin:
            text += base.text[done : max(done, item.start)] + REDACTED
            done = min(item.end, end)
    return Line(text + base.text[done:end], line.eol)


def _label(text: str, end: int) -> str:
    """The last word before a place, on its line."""
    found = _LABEL.search(text[text.rfind("\n", 0, end) + 1 : end])
    return found[1] if found else ""
