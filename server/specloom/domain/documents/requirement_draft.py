"""A requirement while its lines are still being read. Refuses to know how lines are told apart."""

from dataclasses import dataclass, field

from specloom.domain.documents.lines import Heading, Line
from specloom.domain.documents.requirement_lines import HeadKind, HeadLabel
from specloom.domain.documents.texts import hash_of
from specloom.domain.ids import RequirementId
from specloom.domain.problem import Span
from specloom.domain.requirement import Requirement

NEST = 2
"""Columns from which an item is nested."""


@dataclass(slots=True)
class Count:
    """The numbers of one markdown list."""

    last: int = 0
    _first: int = 0
    _repeats: bool = True
    """Whether all items so far were written with the first number, as in `1. 1. 1.`."""

    def next(self, written: int) -> int:
        """The number of the next item: as written, counted up where a list repeats its first number throughout."""
        if not self.last:
            self.last = self._first = written
            return written
        self._repeats = self._repeats and written == self._first
        self.last = self.last + 1 if self._repeats else written
        return self.last


@dataclass(slots=True)
class RequirementDraft:
    """One item, or a heading with an id."""

    id: str
    title: str
    line: Line
    texts: list[str]
    level: int
    """Depth of its number, one for `1`."""
    head: HeadLabel | None = None
    """The heading that it is."""
    has_items: bool = False
    """Whether requirements stand below this heading."""
    count: Count = field(default_factory=Count)
    _margin: int | None = None
    """Indent of its second line."""
    _end: Line | None = None

    def add(self, line: Line) -> None:
        """Take a further line of text, without the indent that it has as a part of the item."""
        if self._margin is None:
            self._margin = line.indent
        self.texts.append(" " * max(0, line.indent - self._margin) + line.body.rstrip())
        self._end = line

    def counts(self) -> bool:
        """Whether it is a requirement and no mere heading of others; without text it is none."""
        if self.head is not None and self.head.kind is HeadKind.NUMBER:
            return False
        groups = self.head is not None and self.head.kind is not HeadKind.STORY and self.has_items
        return not groups and any(text.strip() for text in self.texts)

    def requirement(self) -> Requirement:
        """The finished requirement."""
        text = "\n".join(self.texts).strip()
        end = self._end or self.line
        span = Span(self.line.number, self.line.start, end.number, len(end.text))
        return Requirement(RequirementId(self.id), text, hash_of(text), self.title, span)


@dataclass(slots=True)
class Level:
    """A heading of the path to the present line."""

    heading: Heading
    draft: RequirementDraft | None = None
    count: Count = field(default_factory=Count)
    """Of the lists that stand under no id."""
    is_qualified: bool = False
    """Whether ids of these lists carry the headings, because another list has taken their numbers."""
