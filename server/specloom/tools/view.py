"""How a text looks to a model: numbered lines. Refuses to show more than fits, and to hide that it did."""

from collections.abc import Sequence
from dataclasses import dataclass

from specloom.domain.lines import Line

MAX_LINES = 2000
MAX_CHARACTERS = 60_000
MAX_LINE = 2000
"""Characters of one line that are shown."""


@dataclass(frozen=True, slots=True)
class View:
    """Some lines of a text as shown, and the last line (1-based) that is in it."""

    text: str
    last: int


def numbered(lines: Sequence[Line], first: int, last: int, shift: int = 0) -> View:
    """The lines `first` to `last` (1-based, inclusive), as many of them as fit; `shift` is added to their numbers."""
    shown: list[str] = []
    size = 0
    for number in range(first, min(last, first + MAX_LINES - 1) + 1):
        line = f"{number + shift} | {shortened(lines[number - 1].text)}"
        size += len(line) + 1
        if shown and size > MAX_CHARACTERS:
            break
        shown.append(line)
    return View("\n".join(shown), first + shift + len(shown) - 1)


def shortened(text: str, most: int = MAX_LINE) -> str:
    """One line, cut when it is longer than `most` characters, in the form that anchors of edits may have."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters in this line)"


def counted(number: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
