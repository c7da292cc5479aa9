"""Line numbers that a viewer puts before lines and models copy. Refuses to strip what may be the text itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from specloom.domain.lines import split_lines

_PREFIX = re.compile(r"[ \t]*(\d{1,7})( ?[|│]|→|:|\t)")
"""`12 | `, `12|`, `12→`, `12: `, `12:` and a tab, `    12` and a tab (as `cat -n`)."""
_GAPS = {"|": " ", "│": " ", ":": " \t"}
"""What some viewers put between the mark and the text."""


@dataclass(frozen=True, slots=True)
class Viewed:
    """A line as a viewer shows it."""

    number: int
    mark: str
    """What parts the number from the text, without blanks."""
    tight: str
    """The text, if nothing stands between it and the mark."""
    spaced: bool = False
    """A blank stands before the mark, so that one stands after it too."""

    @property
    def text(self) -> str:
        """The text without the blank that most viewers put before it."""
        return self.tight[1:] if self.tight[:1] and self.tight[0] in _GAPS.get(self.mark, "") else self.tight


def viewed(line: str) -> Viewed | None:
    """The parts of a line that begins with a number and a mark."""
    match = _PREFIX.match(line)
    if match is None:
        return None
    mark = match[2].strip()
    return Viewed(int(match[1]), mark, line[match.end() :], spaced=bool(mark) and match[2] != mark)


def unnumbered(new_text: str, anchor: Viewed, numbers: Sequence[int], *, tight: bool | None) -> str | None:
    """A new text without its numbers, if all its lines carry them as the anchor does, from one of `numbers` upwards.

    `tight`: the viewer puts no blank after its mark; `None` if the anchors, being empty, do not tell.
    A text whose first line carries no number stays as it is. `None`: it begins like one, but goes on otherwise.
    """
    lines = split_lines(new_text)
    views = [viewed(line.text) for line in lines if line.text.strip()]
    marked = [view for view in views if view is not None and view.mark == anchor.mark]
    if not marked or views[0] is not marked[0]:
        return new_text
    counted = [view.number for view in marked]
    if len(marked) < len(views) or counted[0] not in numbers or counted != sorted(counted):
        return None
    if tight is None:
        tight = _tight(anchor, marked)
    if tight is None:
        return None
    bare = iter(view.tight if tight else view.text for view in marked)
    return "".join((next(bare) if line.text.strip() else line.text) + line.eol for line in lines)


def _tight(anchor: Viewed, marked: Sequence[Viewed]) -> bool | None:
    """Whether lines begin right after the mark, as far as the lines tell."""
    if any(view.tight.strip() and view.text == view.tight for view in marked) or anchor.mark not in _GAPS:
        return True
    return False if anchor.spaced or anchor.text != anchor.tight or not any(view.tight for view in marked) else None
