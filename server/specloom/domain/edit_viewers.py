"""Line numbers that a viewer puts before lines and models copy. Refuses to strip what may be the text itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from specloom.domain.lines import split_lines

_PREFIX = re.compile(r"[ \t]*(\d{1,7})( ?[|│] ?|→|:[ \t]?|\t)")
"""`12 | `, `12|`, `12→`, `12: `, `12:` and a tab, `    12` and a tab (as `cat -n`)."""


@dataclass(frozen=True, slots=True)
class Viewed:
    """A line as a viewer shows it."""

    number: int
    mark: str
    """What parts the number from the text, without blanks."""
    text: str


def viewed(line: str) -> Viewed | None:
    """The parts of a line that begins with a number and a mark."""
    match = _PREFIX.match(line)
    return Viewed(int(match[1]), match[2].strip(), line[match.end() :]) if match else None


def unnumbered(new_text: str, anchor: Viewed, numbers: Sequence[int]) -> str | None:
    """A new text without its numbers, if all its lines carry them as the anchor does, from one of `numbers` upwards.

    A text whose first line carries none stays as it is. `None`: some lines do and others do not, or they do not count.
    """
    lines = split_lines(new_text)
    filled = [(line, viewed(line.text)) for line in lines if line.text.strip()]
    if not filled or not _marked(filled[0][1], anchor):
        return new_text
    shown = [view for _, view in filled if view is not None and _marked(view, anchor)]
    counted = [view.number for view in shown]
    if len(shown) < len(filled) or counted[0] not in numbers or counted != sorted(counted):
        return None
    bare = {id(line): view.text for line, view in filled if view is not None}
    return "".join(bare.get(id(line), line.text) + line.eol for line in lines)


def _marked(view: Viewed | None, anchor: Viewed) -> bool:
    return view is not None and view.mark == anchor.mark
