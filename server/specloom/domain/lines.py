"""Lines of a text, each with the end-of-line it has. Refuses to lose a character: the lines joined are the text."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

END_OF_LINE = re.compile(r"\r\n|\n|\r")
"""As the Language Server Protocol defines it (3.17, text documents): the same numbers as in every editor."""
_PARTED = re.compile(r"(\r\n|\n|\r)")


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `eol` is `""` only for a last line without one."""

    text: str
    eol: str

    @property
    def whole(self) -> str:
        """As it stands in the text."""
        return self.text + self.eol


def split_lines(text: str) -> tuple[Line, ...]:
    """The lines of a text; an end-of-line at the very end starts no further line, an empty text has none."""
    if "\r" in text:
        *parts, last = _PARTED.split(text)
        lines = [*map(Line, parts[::2], parts[1::2])]
    else:
        *texts, last = text.split("\n")
        lines = [*map(Line, texts, repeat("\n"))]
    return (*lines, Line(last, "")) if last else tuple(lines)


def join_lines(lines: Sequence[Line]) -> str:
    """The text of these lines."""
    return "".join([line.text + line.eol for line in lines])


def main_eol(lines: Sequence[Line]) -> str:
    """The end-of-line that most lines have; the first one seen where two are equal; a line feed without any."""
    counted = Counter(line.eol for line in lines if line.eol)
    return max(counted, key=lambda eol: counted[eol], default="\n")


def with_eol(text: str, eol: str) -> str:
    """The text with each end-of-line replaced by `eol`."""
    return END_OF_LINE.sub(lambda _: eol, text)


def adapted(text: str, base: str) -> str:
    """A new whole text for a file that was `base`: in a file of one kind of end-of-line it takes that kind."""
    lines = split_lines(base)
    kinds = {line.eol for line in lines if line.eol}
    return with_eol(text, main_eol(lines)) if len(kinds) == 1 else text
