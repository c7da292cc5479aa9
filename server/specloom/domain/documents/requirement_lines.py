"""What one line of a requirements document says: an item, its id, a heading's id.

Refuses to know the lines around it.
"""

import re
from enum import Enum
from typing import NamedTuple

from specloom.domain.documents.lines import Line

_ID = r"[^\W\d_]{1,12}+(?:-[^\W\d_]{1,12}+){0,3}+-?[0-9]{1,6}+(?:\.[0-9]{1,6}+){0,3}+[a-z]?"
_EXPLICIT = re.compile(
    rf"(\*\*|__|`)?([\[(])?({_ID})([\])])?(\*\*|__|`)?[ \t]*([:：.)]|[-–—](?=[ \t]))?(\*\*|__)?(?=[ \t]|$|\*\*|__)"
)
_EXPLICIT_CELL = re.compile(rf"[*_`\[(]*+({_ID})[*_`\])]*+")
_MANY = re.compile(r"(\*\*|__)?([0-9]{1,6}+(?:\.[0-9]{1,6}+){1,3}+)[.):]?(\*\*|__)?(?:[ \t]+|$)")
_ONE = re.compile(r"([0-9]{1,9}+)[.)](?:[ \t]+|$)")
_BULLET = re.compile(r"[-*+•][ \t]+")
_CHECKBOX = re.compile(r"\[[ xX~-]\][ \t]+")
_REQUIREMENT_HEADING = re.compile(
    r"(?:requirement|req\.?|要件|需求|要求|요구사항|anforderung|requisito|exigence|требование)[ \t]*"
    r"([0-9]{1,6}+(?:\.[0-9]{1,6}+){0,3}+)(?!\w)[ \t]*[:：.–—-]*[ \t]*(.*)",
    re.IGNORECASE,
)
_STORY_HEADING = re.compile(r"user story[ \t]*([0-9]+)[ \t]*[:.–—-]*[ \t]*(.*)", re.IGNORECASE)
_NUMBER_HEADING = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6}){0,3})[.):]?[ \t]+(.*)")
_WORDS = {
    "R", "FR", "NFR", "REQ", "RQ", "US", "AC", "SC", "UC", "BR", "TR", "SR", "UR", "CON", "QA", "NF", "F", "FUNC",
    "SEC", "PERF",
}  # fmt: skip
"""Prefixes that make an id without any punctuation after it."""
_NO_IDS = {"UTF", "ISO", "SHA", "RFC", "HTTP", "TLS", "MD"}
CLARIFICATION = re.compile(r"\[NEEDS CLARIFICATION[^\]]*+\]?", re.IGNORECASE)


class Mark(Enum):
    """How an item is marked."""

    ID = "id"
    """`R1.2`, `**FR-001**:`"""
    MANY = "many levels"
    """`1.2.3`"""
    ONE = "one level"
    """`1.` or `1)`: a place in a list, which a prefix makes an id."""
    NONE = "none"
    """A bullet without a number."""


class Item(NamedTuple):
    """The start of a list item."""

    mark: Mark
    name: str
    """The id or number as written, empty without one."""
    column: int
    """Of the name, else of the text."""
    text: str


class HeadKind(Enum):
    """What a heading with an id stands for."""

    REQUIREMENT = "requirement"
    """Kiro's `Requirement N`: its criteria are `N.M`."""
    STORY = "story"
    EXPLICIT = "explicit"
    NUMBER = "number"


class HeadLabel(NamedTuple):
    """The id that a heading gives to what stands under it."""

    kind: HeadKind
    id: str
    text: str


def item_of(line: Line, *, fresh: bool) -> Item | None:
    """The item that a line starts; without bullet only a `fresh` line, one that continues nothing, has an id."""
    text = line.body.rstrip()
    bullet = _BULLET.match(text)
    if bullet is not None:
        text = text[bullet.end() :]
        box = _CHECKBOX.match(text)
        text = text[box.end() :] if box else text
    column = line.start + len(line.body.rstrip()) - len(text)
    if bullet is not None or fresh:
        named = explicit_item(text, column) or _many(text, column)
        if named is not None:
            return named
    match = _ONE.match(text)
    if match is not None and (bullet is not None or fresh or match[1] == "1" or line.indent):
        return Item(Mark.ONE, match[1], column, text[match.end() :])
    return Item(Mark.NONE, "", column, text) if bullet is not None else None


def explicit_item(text: str, column: int) -> Item | None:
    """An item that starts with an id such as `R1.2`, `[R1.2]`, `**FR-001**:` or `REQ-12 -`."""
    match = _EXPLICIT.match(text)
    if match is None or not _is_id(match):
        return None
    rest = text[match.end() :]
    if match[1] and match[1] != "`" and match[5] != match[1] and match[7] != match[1]:
        # The bold that opened before the id closes somewhere in the text.
        rest = rest.replace(match[1], "", 1)
    return Item(Mark.ID, match[3], column + match.start(3), rest.strip())


def table_item(line: Line) -> Item | None:
    """The item that a table row is whose first cell is an id; the other cells are its text."""
    cells = line.body.strip().strip("|").split("|")
    match = _EXPLICIT_CELL.fullmatch(cells[0].strip())
    if match is None or not _is_name(match[1]):
        return None
    text = " | ".join(cell.strip() for cell in cells[1:] if cell.strip())
    return Item(Mark.ID, match[1], line.text.index(match[1]), text) if text else None


def head_of(title: str) -> HeadLabel | None:
    """The id that a heading carries: `Requirement 2: …`, `User Story 1 - …`, `R1 …`, `2.1 …`."""
    plain = title.strip("*_ ")
    match = _REQUIREMENT_HEADING.match(plain)
    if match is not None:
        return HeadLabel(HeadKind.REQUIREMENT, match[1], match[2])
    match = _STORY_HEADING.match(plain)
    if match is not None:
        return HeadLabel(HeadKind.STORY, f"US{match[1]}", match[2])
    item = explicit_item(plain, 0)
    if item is not None:
        return HeadLabel(HeadKind.EXPLICIT, item.name, item.text)
    match = _NUMBER_HEADING.match(plain)
    return HeadLabel(HeadKind.NUMBER, match[1], match[2]) if match else None


def _many(text: str, column: int) -> Item | None:
    match = _MANY.match(text)
    if match is None:
        return None
    rest = text[match.end() :]
    if match[1] and not match[3]:
        rest = rest.replace(match[1], "", 1)
    return Item(Mark.MANY, match[2], column + match.start(2), rest)


def _is_id(match: re.Match[str]) -> bool:
    first = _letters(match[3])
    if first in _WORDS:
        return True
    enclosed = (match[1] and match[5] == match[1]) or (match[2] and match[4])
    return bool(_is_name(match[3]) and (match[6] or enclosed))


def _is_name(name: str) -> bool:
    first = _letters(name)
    return first == first.upper() and first not in _NO_IDS


def _letters(name: str) -> str:
    end = 0
    while end < len(name) and name[end].isalpha():
        end += 1
    return name[:end]
