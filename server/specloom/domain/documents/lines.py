"""Reads a markdown text as lines with their kinds: fences, comments, quotes, headings, front matter.

Refuses to know what a task or a requirement is. Lines end at LF, CRLF or CR alone, as LSP has it. A byte order mark
counts as leading white space, so that columns stay those of the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from specloom.domain.problem import Span

_EOL = re.compile(r"\r\n|\n|\r")
_FENCE = re.compile(r"(?:[-*+][ \t]+)?(`{3,}+|~{3,}+)")
_HEADING = re.compile(r"(#{1,6})(?:[ \t]+(.*))?$")
_FENCE_STARTS = {"`", "~", "-", "*", "+"}
TAB_WIDTH = 4


class Kind(Enum):
    """What a line is for a parser; only `TEXT` can hold tasks and requirements."""

    TEXT = "text"
    BLANK = "blank"
    HEADING = "heading"
    FENCE = "fence"
    COMMENT = "comment"
    QUOTE = "quote"
    FRONT_MATTER = "front matter"


class Line(NamedTuple):
    """One line without its end."""

    number: int
    """0-based."""
    text: str
    body: str
    """The text without leading white space."""
    indent: int
    """Columns of leading white space, tabs to the next multiple of four."""
    kind: Kind

    @property
    def start(self) -> int:
        """The column where the body starts, in code points."""
        return len(self.text) - len(self.body)

    def span(self, start: int | None = None, end: int | None = None) -> Span:
        """The columns `start` to `end` of this line, by default its body."""
        first = self.start if start is None else start
        return Span(self.number, first, self.number, len(self.text) if end is None else end)


class Heading(NamedTuple):
    """An ATX heading."""

    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Document:
    """A text read as lines."""

    lines: tuple[Line, ...]
    unclosed: Line | None = None
    """The fence or comment that runs to the end of the text because nothing closes it."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the lines up to the next heading of its level or above."""

    heading: Heading
    start: int
    """Line of the heading."""
    end: int
    """Line after the last one."""


def split_rows(text: str) -> list[str]:
    """The lines of a text without their ends; always one at least."""
    return _EOL.split(text) if "\r" in text else text.split("\n")


def row_starts(text: str) -> list[int]:
    """The offset at which each line starts."""
    return [0, *(match.end() for match in _EOL.finditer(text))]


def end_of_line(text: str) -> str:
    """The line end that a text uses first, LF if it has none."""
    match = _EOL.search(text)
    return match[0] if match else "\n"


def front_matter_end(rows: list[str]) -> int:
    """The line after the closing `---` of the front matter, 0 without one."""
    if rows[0].lstrip("\ufeff").rstrip() != "---":
        return 0
    for number in range(1, len(rows)):
        if rows[number].rstrip() in {"---", "..."}:
            return number + 1
    return 0


def heading_of(line: Line) -> Heading:
    """The heading that a line of kind `HEADING` is."""
    match = _HEADING.match(line.body)
    if match is None:
        raise ValueError(f"line {line.number} is no heading")
    title = (match[2] or "").strip()
    return Heading(len(match[1]), title.rstrip("#").rstrip() if title.endswith("#") else title)


def scan(text: str) -> Document:
    """Every line of the text with its kind, in one pass."""
    rows = split_rows(text)
    scanner = _Scanner()
    after_front_matter = front_matter_end(rows)
    lines: list[Line] = []
    for number, row in enumerate(rows):
        body = row.lstrip(" \t") if number else row.lstrip(" \t\ufeff")
        indent = len(row) - len(body)
        if indent and (number == 0 or "\t" in row[:indent]):
            indent = _columns(row[:indent])
        kind = scanner.kind_of(body) if number >= after_front_matter else Kind.FRONT_MATTER
        lines.append(Line(number, row, body, indent, kind))
        if scanner.opened == -1:
            scanner.opened = number
    unclosed = lines[scanner.opened] if scanner.opened is not None else None
    return Document(tuple(lines), unclosed)


def sections(document: Document) -> Iterator[Section]:
    """All sections in order of their headings; a section contains its subsections."""
    headings = [(line.number, heading_of(line)) for line in document.lines if line.kind is Kind.HEADING]
    ends = [len(document.lines)] * len(headings)
    open_sections: list[int] = []
    for index, (number, heading) in enumerate(headings):
        while open_sections and headings[open_sections[-1]][1].level >= heading.level:
            ends[open_sections.pop()] = number
        open_sections.append(index)
    for (number, heading), end in zip(headings, ends, strict=True):
        yield Section(heading, number, end)


def find_section(document: Document, title: str) -> Section | None:
    """The first section of that title, case ignored."""
    wanted = title.strip().casefold()
    return next((found for found in sections(document) if found.heading.title.casefold() == wanted), None)


class _Scanner:
    """Remembers which fence or comment is open."""

    def __init__(self) -> None:
        self.fence = ""
        self.comment = False
        self.opened: int | None = None
        """Line that opened what is open; -1 = the line just given."""

    def kind_of(self, body: str) -> Kind:
        if self.fence:
            self._close_fence(body)
            return Kind.FENCE
        if self.comment:
            self._close_comment(body)
            return Kind.COMMENT
        return self._kind_outside(body)

    def _kind_outside(self, body: str) -> Kind:
        first = body[:1]
        if first in _FENCE_STARTS and self._opens_fence(body):
            return Kind.FENCE
        if first == "#":
            return Kind.HEADING if _HEADING.match(body) else Kind.TEXT
        if first == ">":
            return Kind.QUOTE
        if first == "<" and body.startswith("<!--"):
            self.comment, self.opened = True, -1
            self._close_comment(body[2:])
            return Kind.COMMENT
        return Kind.TEXT if body.strip() else Kind.BLANK

    def _opens_fence(self, body: str) -> bool:
        match = _FENCE.match(body)
        if match is None or (match[1][0] == "`" and "`" in body[match.end() :]):
            return False
        self.fence, self.opened = match[1], -1
        return True

    def _close_fence(self, body: str) -> None:
        closing = body.rstrip()
        if len(closing) >= len(self.fence) and not closing.strip(self.fence[0]):
            self.fence, self.opened = "", None

    def _close_comment(self, body: str) -> None:
        if "-->" in body:
            self.comment, self.opened = False, None


def _columns(blank: str) -> int:
    column = 0
    for character in blank:
        if character == "\t":
            column += TAB_WIDTH - column % TAB_WIDTH
        elif character == " ":
            column += 1
    return column
