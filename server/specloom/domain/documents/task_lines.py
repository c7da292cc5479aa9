"""What one line of a task list says: a checkbox, a label, metadata. Refuses lines around it that are no part of it."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from specloom.domain.documents.lines import Kind, Line

_BOX = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])[ \t]+\[([ xX~-])\](?:(\\?\*)(?!\*)[ \t]*|[ \t]+|$)")
_NO_SPACE_BOX = re.compile(r"[-*+][ \t]+(\[\])\*?[ \t]")
_NUMBER = re.compile(r"(\*\*|__)?([0-9]++(?:\.[0-9]++){0,7}+)[.):]?(\*\*|__)?[.:]?(?:[ \t]+|$)")
_SPEC_KIT_NUMBER = re.compile(r"(\*\*|__)?(T[0-9]++[a-z]?)[.:]?(\*\*|__)?[.:]?(?:[ \t]+|$)")
_BRACKETS = re.compile(r"\[([A-Za-z]+[0-9]*)\][ \t]*")
_STORY = re.compile(r"US[0-9]+")
_PARALLEL = re.compile(r"\(P\)(?:[ \t]+|$)")
_METADATA = re.compile(r"(?:[-*+][ \t]+)?([_*]{1,3})(requirements?|depends(?:[ \t]on)?|verify)[ \t]*:", re.IGNORECASE)
_LEGEND_SIGN = re.compile(r"[=:→–—]|->|-[ \t]")
_LEGEND_WORD = re.compile(
    r"(?:not[ \t](?:yet[ \t])?(?:started|done)|pending|to[ \t]?do|in[ -]progress|started|done|completed?|finished|open"
    r"|optional|unchecked|checked|skipped|blocked|cancell?ed)(?:[ \t](?:tasks?|items?))?[ \t]*(?:$|[=:→–—]|->|means\b)",
    re.IGNORECASE,
)
_KEYS = {"r": "requirements", "d": "depends", "v": "verify"}
_BACKTICKS = re.compile(r"`+")
_SEPARATORS = " \t,;.&+"
_LIST_SIGNS = (",", ";", "，", "、", "；")
MOST_WRAPPED = 12
"""Lines over which metadata may run; keeps the look ahead bounded."""
_STARTS = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])[ \t]")
_OPENS = re.compile(r"(?:^|[\s(])[_*]{1,3}(?=[^\W_])")


class Box(NamedTuple):
    """A checkbox and what follows it."""

    ticked: bool
    column: int
    """Of the character between the brackets."""
    optional: bool
    rest: str
    rest_column: int


class Label(NamedTuple):
    """How a task is called."""

    number: str
    """Empty if it has none."""
    title: str
    column: int = 0
    """Of the number, in the text after the checkbox."""
    parallel: bool = False
    stories: tuple[str, ...] = ()


ReadLabel: TypeAlias = Callable[[str], Label]


class Passage(NamedTuple):
    """A text that may run over several lines, which are joined by a space."""

    text: str
    pieces: tuple[tuple[int, Line, int], ...]
    """Where in the text each line's piece starts, the line, and the piece's column in it."""

    def place(self, start: int, length: int) -> tuple[Line, int, int]:
        """Line, first and last column of a part of the text; of one over several lines, what stands on the first."""
        index = max(number for number, piece in enumerate(self.pieces) if piece[0] <= start)
        offset, line, column = self.pieces[index]
        end = start + length
        if index + 1 < len(self.pieces):
            end = min(end, self.pieces[index + 1][0] - 1)
        return line, column + start - offset, column + end - offset


class Metadata(NamedTuple):
    """Lines such as `_Requirements: 1.1, 1.2_`."""

    key: str
    """`requirements`, `depends` or `verify`."""
    value: Passage
    rest: tuple[Line, ...] = ()
    """The lines after the first over which it runs."""


def box_of(line: Line) -> Box | None:
    """The checkbox that starts a line; a link such as `[x](…)` is none."""
    match = _BOX.match(line.body) if "[" in line.body else None
    if match is None:
        return None
    rest = line.body[match.end() :].rstrip()
    return Box(match[1] in "xX", line.start + match.start(1), match[2] is not None, rest, line.start + match.end())


def box_without_space(line: Line) -> int | None:
    """The column of `[]`, which editors and people take for a checkbox and markdown does not."""
    match = _NO_SPACE_BOX.match(line.body)
    return line.start + match.start(1) if match else None


def numbered_label(text: str) -> Label:
    """`2.1 Title`, `2. Title`, `**2.1** Title`, with cc-sdd's `(P)` before or after the title."""
    match = _NUMBER.match(text)
    number, title, column = _split_number(match, text)
    marker = _PARALLEL.match(title)
    if marker is not None:
        return Label(number, title[marker.end() :], column, parallel=True)
    if title.endswith(" (P)"):
        return Label(number, title[:-4].rstrip(), column, parallel=True)
    return Label(number, title, column)


def spec_kit_label(text: str) -> Label:
    """`T012 [P] [US1] Title`."""
    number, title, column = _split_number(_SPEC_KIT_NUMBER.match(text), text)
    parallel, stories, start = False, list[str](), 0
    while (marker := _BRACKETS.match(title, start)) is not None:
        if marker[1] == "P":
            parallel = True
        elif _STORY.fullmatch(marker[1]):
            stories.append(marker[1])
        else:
            break
        start = marker.end()
    return Label(number, title[start:], column, parallel, tuple(stories))


def is_legend(title: str) -> bool:
    """Whether the text after an unnumbered checkbox explains the checkbox, as in `- [x] done means …`."""
    words = title.lstrip("*_`")
    return _LEGEND_SIGN.match(words) is not None or _LEGEND_WORD.match(words) is not None


def without_bullet(text: str) -> str:
    """The text after a bullet, or the whole text."""
    return text[1:].lstrip(" \t") if text[:1] in {"-", "*", "+"} and text[1:2] in {" ", "\t"} else text


def metadata_of(line: Line, below: Sequence[Line] = ()) -> Metadata | None:
    """The metadata that a line starts, bullet or not, wrapped or not.

    It stands between `_` or `*`; the closing one may be missing if it is not wrapped. It goes on in the lines `below`
    up to the closing sign; without any sign to wait for, as long as a line ends in a comma.
    """
    match = _METADATA.match(line.body)
    if match is None:
        return None
    marks, rest = match[1], line.body[match.end() :]
    closed = rest.startswith(marks)
    rest = rest[len(marks) if closed else 0 :].strip()
    more = _comma_lines(rest, below) if closed else _marked_lines(rest, below, marks)
    pieces = [(0, line, line.text.rindex(rest) if rest else len(line.text))]
    text = rest
    for later in more:
        pieces.append((len(text) + 1, later, later.start))
        text = f"{text} {later.body.rstrip()}"
    value = text if closed else text.removesuffix(marks).rstrip()
    return Metadata(_KEYS[match[2][0].lower()], Passage(value, tuple(pieces)), more)


def _comma_lines(text: str, below: Sequence[Line]) -> tuple[Line, ...]:
    """The lines that a list goes on in, each but the last with a comma at its end."""
    found: list[Line] = []
    for line in below:
        if not text.endswith(_LIST_SIGNS) or not _goes_on(line):
            break
        found.append(line)
        text = line.body.rstrip()
    return tuple(found)


def _marked_lines(text: str, below: Sequence[Line], marks: str) -> tuple[Line, ...]:
    """The lines up to the one that ends in `marks`; none if there is no such line, or something else starts before."""
    ticks = text.count("`")
    if text.endswith(marks) and not ticks % 2:
        return ()
    for count, line in enumerate(below[:MOST_WRAPPED], 1):
        if not _goes_on(line) or (not ticks % 2 and _OPENS.search(line.body)):
            return ()
        ticks += line.body.count("`")
        if line.body.rstrip().endswith(marks) and not ticks % 2:
            return tuple(below[:count])
    return ()


def _goes_on(line: Line) -> bool:
    """Whether a line may be part of what the line before began."""
    return line.kind is Kind.TEXT and not _STARTS.match(line.body) and not _METADATA.match(line.body)


def commands_of(value: str) -> tuple[tuple[str, ...], str]:
    """The commands of a `_Verify:_` value and the text beside them that is none.

    Each code span is a command; without one the whole value is. A command with backticks stands in double ones.
    """
    if len(value) > 2 and value[0] == value[-1] == "`" and value.count("`") == 2:
        return (value[1:-1].strip(),), ""
    spans, beside, end = list[str](), list[str](), 0
    for start, stop, command in _code_spans(value):
        beside.append(value[end:start])
        end = stop
        if command:
            spans.append(command)
    if not end:
        return ((value,) if value else (), "")
    beside.append(value[end:])
    words = [
        text for text in (part.strip(_SEPARATORS) for part in beside) if text and text.lower() not in {"and", "then"}
    ]
    return tuple(spans), " … ".join(words)


def _split_number(match: re.Match[str] | None, text: str) -> tuple[str, str, int]:
    if match is None:
        return "", text, 0
    title = text[match.end() :]
    if match[1] and not match[3]:
        # The bold that opened before the number closes somewhere in the title.
        title = title.replace(match[1], "", 1)
    return match[2], title, match.start(2)


def _code_spans(value: str) -> Iterator[tuple[int, int, str]]:
    runs = list(_BACKTICKS.finditer(value))
    index = 0
    while index < len(runs):
        width = len(runs[index][0])
        closing = next((later for later in range(index + 1, len(runs)) if len(runs[later][0]) == width), None)
        if closing is not None:
            yield runs[index].start(), runs[closing].end(), value[runs[index].end() : runs[closing].start()].strip()
            index = closing
        index += 1
