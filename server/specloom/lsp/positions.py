"""Positions between the wire (code units) and the domain (code points). Refuses positions outside a text: clamps them.

Lines end at LF, CRLF or CR alone, as the protocol has it: never at form feeds or Unicode separators, as
`str.splitlines` would.
"""

import re
from bisect import bisect_right
from functools import cached_property

from lsprotocol import types

from specloom.domain.problem import Span

_EOL = re.compile(r"\r\n|\n|\r")


def units_of(text: str, encoding: str) -> int:
    """Length of a text in code units of `utf-8`, `utf-16` or `utf-32`; lone surrogates count as their own unit."""
    if encoding == types.PositionEncodingKind.Utf32 or text.isascii():
        return len(text)
    if encoding == types.PositionEncodingKind.Utf8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def points_of(text: str, units: int, encoding: str) -> int:
    """How many code points of a line its first `units` code units make; one that is cut in two counts as before."""
    if encoding == types.PositionEncodingKind.Utf32 or text.isascii():
        return max(0, min(units, len(text)))
    seen = 0
    for index, character in enumerate(text):
        seen += units_of(character, encoding)
        if seen > units:
            return index
    return len(text)


class TextLines:
    """A text with the places of its lines."""

    def __init__(self, text: str, encoding: str = types.PositionEncodingKind.Utf16) -> None:
        self.text = text
        self.encoding = encoding

    @cached_property
    def starts(self) -> list[int]:
        """The offset at which each line starts; one at least."""
        return [0, *(match.end() for match in _EOL.finditer(self.text))]

    def line(self, number: int) -> str:
        """A line without its end; empty for a number outside the text."""
        if not 0 <= number < len(self.starts):
            return ""
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.text)
        return self.text[self.starts[number] : end].rstrip("\r\n")

    def offset(self, position: types.Position) -> int:
        """Offset in code points of a client's position."""
        if position.line < 0:
            return 0
        if position.line >= len(self.starts):
            return len(self.text)
        line = self.line(position.line)
        return self.starts[position.line] + points_of(line, position.character, self.encoding)

    def position(self, offset: int) -> types.Position:
        """A client's position of an offset in code points."""
        offset = max(0, min(offset, len(self.text)))
        number = bisect_right(self.starts, offset) - 1
        return types.Position(number, units_of(self.text[self.starts[number] : offset], self.encoding))

    def place(self, line: int, column: int) -> types.Position:
        """A client's position of a line and a column in code points; both are clamped to the text."""
        if line >= len(self.starts):
            return self.position(len(self.text))
        number = max(0, line)
        return types.Position(number, units_of(self.line(number)[: max(0, column)], self.encoding))

    def range(self, span: Span) -> types.Range:
        """A client's range of a domain span."""
        return types.Range(self.place(span.start_line, span.start_column), self.place(span.end_line, span.end_column))

    def line_range(self, number: int) -> types.Range:
        """A client's range of a whole line without its end."""
        return types.Range(self.place(number, 0), self.place(number, len(self.line(number))))


def changed(text: str, change: types.TextDocumentContentChangeEvent, encoding: str) -> str:
    """The text after one change as the client sent it."""
    if isinstance(change, types.TextDocumentContentChangeWholeDocument):
        return change.text
    lines = TextLines(text, encoding)
    start, end = lines.offset(change.range.start), lines.offset(change.range.end)
    return text[:start] + change.text + text[max(start, end) :]
