"""Reads and writes the front matter of a markdown text: a small, strict part of YAML that needs no library.

Known: `key: scalar` (plain, 'single' or "double" quoted), inline and block lists, and mappings of scalars, which are
read as a list of `key@value`. Refuses nested collections and block scalars, with a problem.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from specloom.domain.documents.findings import Findings
from specloom.domain.documents.lines import Document, Kind, Line
from specloom.domain.problem import Span

LINE_WIDTH = 100
"""Columns up to which a list is written on one line."""

_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)[ \t]*:(?:[ \t]+|$)")
_SCALAR = r'"(?:[^"\\]|\\.)*+"|\'(?:[^\']|\'\')*+\'|[^\s,"\'\[\]{}#&*!|>%@`][^,]*+'
_ITEM = re.compile(rf"[ \t]*+({_SCALAR}|)[ \t]*(?:,|$)")
_PAIR = re.compile(r'[ \t]*("(?:[^"\\]|\\.)*+"|\'(?:[^\']|\'\')*+\'|[^\s,:"\'{}]++)[ \t]*:[ \t]*([^,]*+)(?:,|$)')
_QUOTED = re.compile(r'("(?:[^"\\]|\\.)*+"|\'(?:[^\']|\'\')*+\')[ \t]*(?:#.*)?$')
_PLAIN = re.compile(r"[^\W\d_](?:[\w./@()-]| (?![ #]|$))*+")
_PLAIN_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


class Scalar(NamedTuple):
    """One value and where it stands."""

    text: str
    line: int
    column: int
    length: int

    @property
    def span(self) -> Span:
        """The place of the value, quotes included."""
        return Span(self.line, self.column, self.line, self.column + self.length)


class Entry(NamedTuple):
    """One key of the front matter."""

    key: str
    values: tuple[Scalar, ...]
    is_list: bool
    start: int
    """Line of the key."""
    end: int
    """Line after its last value."""

    @property
    def text(self) -> str:
        """The value of a scalar, empty for none."""
        return self.values[0].text if self.values else ""


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands between the two `---`."""

    entries: Mapping[str, Entry]
    end: int = 0
    """Line after the closing `---`, 0 without front matter."""


def read_front_matter(document: Document, findings: Findings) -> FrontMatter:
    """The entries by key; lines that are not understood become problems and are passed over."""
    lines = [line for line in document.lines if line.kind is Kind.FRONT_MATTER]
    if not lines:
        return FrontMatter({})
    entries: dict[str, Entry] = {}
    for block in _blocks(lines[1:-1]):
        entry = _read_entry(block, findings)
        if entry is not None and entry.key in entries:
            findings.warning("front-matter", f"{entry.key} is given twice; the first counts", block[0].span())
        elif entry is not None:
            entries[entry.key] = entry
    return FrontMatter(entries, len(lines))


def write_scalar(text: str, *, quoted: bool = False) -> str:
    """The text as a scalar that reads back the same, quoted where YAML would take it for something else."""
    plain = not quoted and _PLAIN.fullmatch(text) and text.lower() not in _PLAIN_WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


def write_entry(key: str, value: str | Sequence[str], end_of_line: str, *, quoted: bool = False) -> str:
    """The lines of one key, the last line end included; a long list gets a line for each item."""
    if isinstance(value, str):
        return f"{key}: {write_scalar(value, quoted=quoted)}{end_of_line}"
    items = [write_scalar(item, quoted=quoted) for item in value]
    line = f"{key}: [{', '.join(items)}]"
    if len(line) <= LINE_WIDTH:
        return line + end_of_line
    return "".join(f"{part}{end_of_line}" for part in (f"{key}:", *(f"  - {item}" for item in items)))


def _blocks(lines: list[Line]) -> Iterator[list[Line]]:
    """Each key with the indented or bulleted lines below it; comments and blank lines belong to none."""
    block: list[Line] = []
    for line in lines:
        if not line.body.strip() or line.body.startswith("#"):
            continue
        if block and (line.indent or line.body.startswith("- ")):
            block.append(line)
            continue
        if block:
            yield block
        block = [line]
    if block:
        yield block


def _read_entry(block: list[Line], findings: Findings) -> Entry | None:
    first = block[0]
    match = _KEY.match(first.body) if not first.indent else None
    if match is None:
        _not_understood(first, findings)
        return None
    value = first.body[match.end() :].rstrip()
    column = first.start + match.end()
    end = block[-1].number + 1
    if value and not value.startswith("#"):
        for line in block[1:]:
            _not_understood(line, findings)
        values = _read_inline(value, first, column, findings)
        return Entry(match[1], values, value[0] in "[{", first.number, end) if values is not None else None
    values = tuple(scalar for line in block[1:] for scalar in _read_item(line, findings))
    return Entry(match[1], values, len(block) > 1, first.number, end)


def _read_inline(value: str, line: Line, column: int, findings: Findings) -> tuple[Scalar, ...] | None:
    if value[0] not in "[{":
        scalar = _read_scalar(value, line, column)
        if scalar is None:
            _not_understood(line, findings)
        return None if scalar is None else (scalar,)
    close = "]" if value[0] == "[" else "}"
    inside = value[1 : value.rfind(close)] if close in value else None
    rest = value[value.rfind(close) + 1 :].strip()
    values = None
    if inside is not None and (not rest or rest.startswith("#")):
        read = _read_items if close == "]" else _read_pairs
        values = read(inside, line, column + 1)
    if values is None:
        _not_understood(line, findings)
    return values


def _read_items(inside: str, line: Line, column: int) -> tuple[Scalar, ...] | None:
    values: list[Scalar] = []
    position = 0
    while position < len(inside):
        match = _ITEM.match(inside, position)
        scalar = _read_scalar(match[1].strip(), line, column + match.start(1)) if match and match[1] else None
        if match is None or (match[1] and scalar is None):
            return None
        if scalar is not None:
            values.append(scalar)
        position = match.end()
    return tuple(values)


def _read_pairs(inside: str, line: Line, column: int) -> tuple[Scalar, ...] | None:
    values: list[Scalar] = []
    position = 0
    inside = inside.rstrip()
    while position < len(inside):
        match = _PAIR.match(inside, position)
        pair = _join_pair(match, line, column) if match else None
        if match is None or pair is None:
            return None
        values.append(pair)
        position = match.end()
    return tuple(values)


def _read_item(line: Line, findings: Findings) -> Iterator[Scalar]:
    """One line of a block list or block mapping."""
    found: Scalar | None
    if line.body.startswith("- "):
        text = line.body[2:].lstrip(" \t")
        found = _read_scalar(text.rstrip(), line, len(line.text) - len(text))
    else:
        match = _PAIR.fullmatch(line.body.rstrip())
        found = _join_pair(match, line, line.start) if match else None
    if found is None:
        _not_understood(line, findings)
    else:
        yield found


def _join_pair(match: re.Match[str], line: Line, column: int) -> Scalar | None:
    key = _read_scalar(match[1], line, column + match.start(1))
    value = _read_scalar(match[2].strip(), line, column + match.start(2)) if match[2].strip() else None
    if key is None or (match[2].strip() and value is None):
        return None
    return key._replace(text=f"{key.text}@{value.text}") if value is not None else key


def _read_scalar(text: str, line: Line, column: int) -> Scalar | None:
    quoted = _QUOTED.match(text)
    if quoted is not None:
        inner = _unquote(quoted[1])
        return None if inner is None else Scalar(inner, line.number, column, len(quoted[1]))
    if not text or text[0] in "\"'[]{}&*!|>%@`":
        return None
    plain = text.partition(" #")[0].rstrip()
    return Scalar(plain, line.number, column, len(plain))


def _unquote(quoted: str) -> str | None:
    if quoted[0] == "'":
        return quoted[1:-1].replace("''", "'")
    try:
        return str(json.loads(quoted, strict=False))
    except ValueError:
        return None


def _not_understood(line: Line, findings: Findings) -> None:
    message = "This line of the front matter is not understood and is passed over; write key: value or key: [a, b]"
    findings.warning("front-matter", message, line.span())
