"""Goes through the lines of a requirements document once. Refuses to look back: what is open is kept."""

from itertools import pairwise

from specloom.domain.documents.ears import ears_fault, is_ears, starts_sentence
from specloom.domain.documents.findings import Findings
from specloom.domain.documents.lines import Heading, Kind, Line, heading_of
from specloom.domain.documents.numbering import Numbering
from specloom.domain.documents.requirement_draft import NEST, Level, RequirementDraft
from specloom.domain.documents.requirement_lines import (
    CLARIFICATION,
    HeadKind,
    HeadLabel,
    Item,
    Mark,
    head_of,
    item_of,
    table_item,
)
from specloom.domain.documents.texts import hash_of, slug
from specloom.domain.requirement import Requirement

_CONTEXT = {
    "introduction", "overview", "background", "context", "glossary", "definitions", "terms", "terminology",
    "references", "assumptions", "notes", "open questions", "purpose", "summary", "key entities", "edge cases",
    "change log", "changelog", "revision history", "table of contents", "contents", "stakeholders", "personas",
}  # fmt: skip
_OUT_OF_SCOPE = {"out of scope", "non-goals", "non goals", "nongoals", "not in scope"}
_DEEPEST = 4


class RequirementReader:
    """Feed it each line, then `finish`."""

    def __init__(self, findings: Findings, *, only_marked: bool) -> None:
        self._findings = findings
        self._only_marked = only_marked
        self._drafts: list[RequirementDraft] = []
        self._path: list[Level] = [Level(Heading(0, ""))]
        self._nest: list[tuple[int, RequirementDraft | None]] = []
        """Open items by indent, `None` for one that is no requirement."""
        self._paragraph: list[Line] = []
        self._after_blank = True
        self._in_fence = False
        self._in_context = False
        self._out_of_scope = False
        self._numbering = Numbering()

    def read(self, line: Line) -> None:
        """Take the next line."""
        kind = line.kind
        if kind in {Kind.TEXT, Kind.HEADING, Kind.QUOTE} and "[" in line.body:
            self._report_clarifications(line)
        if kind is Kind.TEXT:
            self._take_text(line)
        elif kind is Kind.HEADING:
            self._take_heading(line)
        elif kind is Kind.FENCE or kind is Kind.QUOTE:
            self._end_paragraph()
            self._continue_or_close(line, inside=self._in_fence)
        elif kind is Kind.BLANK:
            self._end_paragraph()
        self._in_fence = kind is Kind.FENCE
        self._after_blank = kind is not Kind.TEXT

    def finish(self) -> tuple[Requirement, ...]:
        """All requirements; reports sentences that only look like EARS."""
        self._end_paragraph()
        found = [draft for draft in self._drafts if draft.counts()]
        requirements = tuple(draft.requirement() for draft in found)
        for requirement in requirements:
            self._lint(requirement)
        return requirements

    def _lint(self, requirement: Requirement) -> None:
        fault = ears_fault(requirement.text) if not requirement.title.casefold().startswith("scenario") else ""
        if fault:
            message = (
                f"Requirement {requirement.id} reads like EARS but {fault}; write WHEN <trigger> THE <system> SHALL …"
            )
            self._findings.information("not-ears", message, requirement.span)

    def _report_clarifications(self, line: Line) -> None:
        for match in CLARIFICATION.finditer(line.text):
            message = f"{match[0]} is still open; answer it here before tasks are made from it"
            self._findings.information("needs-clarification", message, line.span(match.start(), match.end()))

    def _take_heading(self, line: Line) -> None:
        self._end_paragraph()
        self._nest.clear()
        heading = heading_of(line)
        while self._path[-1].heading.level >= heading.level:
            self._path.pop()
        label = head_of(heading.title)
        self._path.append(Level(heading))
        titles = {_words(level.heading.title) for level in self._path}
        self._in_context = not titles.isdisjoint(_CONTEXT)
        self._out_of_scope = not titles.isdisjoint(_OUT_OF_SCOPE)
        if label is not None and not self._out_of_scope:
            self._path[-1].draft = self._add_head(line, heading, label)

    def _add_head(self, line: Line, heading: Heading, label: HeadLabel) -> RequirementDraft:
        above = self._head()
        if above is not None and label.kind is HeadKind.NUMBER and label.id.startswith(f"{above.id}."):
            # `#### 1.2 Title` under `### Requirement 1` is a criterion.
            label = label._replace(kind=HeadKind.EXPLICIT)
        name = label.id
        if label.kind is not HeadKind.NUMBER:
            name = self._unique(name, line, line.text.find(name), len(name) if name in line.text else 0)
            if above is not None:
                above.has_items = True
        texts = [label.text] if label.text else []
        draft = RequirementDraft(name, heading.title, line, texts, _depth(name), label)
        self._drafts.append(draft)
        return draft

    def _take_text(self, line: Line) -> None:
        if line.body.startswith("|"):
            self._end_paragraph()
            row = table_item(line)
            if row is not None:
                self._take_item(line, row)
            self._nest.clear()
            return
        fresh = not self._paragraph and (self._after_blank or not self._nest)
        item = item_of(line, fresh=fresh or self._may_follow(line))
        if item is not None:
            self._end_paragraph()
            self._take_item(line, item)
        elif self._after_blank or not self._continues():
            self._continue_or_close(line)
        else:
            self._continue(line)

    def _may_follow(self, line: Line) -> bool:
        """Whether an item without bullet may start right under another item: only at the indent of one that is open."""
        return not self._paragraph and any(indent == line.indent for indent, _ in self._nest)

    def _continues(self) -> bool:
        return bool(self._nest) and not self._paragraph

    def _continue_or_close(self, line: Line, *, inside: bool = False) -> None:
        """A line after a blank one belongs to the item it is indented under, else it starts a paragraph."""
        while not inside and self._nest and self._nest[-1][0] >= line.indent:
            self._nest.pop()
        if self._nest:
            self._continue(line)
        elif line.kind is Kind.TEXT:
            self._paragraph.append(line)

    def _continue(self, line: Line) -> None:
        draft = self._nest[-1][1]
        if draft is not None:
            draft.add(line)

    def _take_item(self, line: Line, item: Item) -> None:
        while self._nest and self._nest[-1][0] + NEST > line.indent:
            self._nest.pop()
        parent = self._nest[-1][1] if self._nest else None
        if self._out_of_scope:
            self._nest.append((line.indent, None))
            return
        if parent is not None and self._belongs_to(parent, item):
            parent.add(line)
            return
        name, level = self._name(line, item, parent)
        draft = self._add(name, line, item, level) if name else None
        if draft is None and item.mark is Mark.NONE and self._owns_text():
            draft = self._head()
            self._add_to_head(line)
        self._nest.append((line.indent, draft))

    def _belongs_to(self, parent: RequirementDraft, item: Item) -> bool:
        """Whether a nested item is only a part of the text of the one above."""
        return item.mark is Mark.NONE or (item.mark is Mark.ONE and parent.level >= _DEEPEST)

    def _name(self, line: Line, item: Item, parent: RequirementDraft | None) -> tuple[str, int]:
        """Id and depth of an item, an empty id if it is no requirement."""
        if item.mark is Mark.ID or item.mark is Mark.MANY:
            return self._unique(item.name, line, item.column, len(item.name)), _depth(item.name)
        head = self._head()
        if item.mark is Mark.ONE:
            return self._numbered(line, item, parent or head)
        if head is not None and head.head is not None and head.head.kind is HeadKind.REQUIREMENT and is_ears(item.text):
            number = head.count.next(head.count.last + 1)
            return self._unique(f"{head.id}.{number}", line, item.column, 0), head.level + 1
        if self._owns_text() or self._only_marked or self._in_context:
            return "", 0
        return self._slug_id(item.text), 1

    def _numbered(self, line: Line, item: Item, above: RequirementDraft | None) -> tuple[str, int]:
        """Id of `1.`: below the requirement or heading above it, else by itself."""
        count = above.count if above is not None else self._path[-1].count
        before = count.last
        number = count.next(int(item.name))
        if above is not None:
            return self._unique(f"{above.id}.{number}", line, item.column, len(item.name)), above.level + 1
        if self._only_marked or self._in_context:
            return "", 0
        name = str(number)
        level = self._path[-1]
        if level.is_qualified or (self._numbering.is_taken(name) and number != before and self._slugs()):
            level.is_qualified = True
            name = "/".join((*self._slugs(), name))
        return self._unique(name, line, item.column, len(item.name)), 1

    def _add(self, name: str, line: Line, item: Item, level: int) -> RequirementDraft:
        head = self._head()
        if head is not None:
            head.has_items = True
        title = head.title if head is not None else self._path[-1].heading.title
        texts = [item.text] if item.text else []
        draft = RequirementDraft(name, title, line, texts, level)
        self._drafts.append(draft)
        return draft

    def _add_to_head(self, line: Line) -> None:
        head = self._head()
        if head is not None:
            head.add(line)

    def _end_paragraph(self) -> None:
        lines, self._paragraph = self._paragraph, []
        if not lines or self._out_of_scope:
            return
        if self._owns_text():
            for line in lines:
                self._add_to_head(line)
            return
        if not self._in_context:
            for sentence in _sentences(lines):
                self._take_sentence(sentence)

    def _take_sentence(self, lines: list[Line]) -> None:
        text = " ".join(line.body for line in lines)
        if is_ears(text):
            item = Item(Mark.NONE, "", lines[0].start, lines[0].body.rstrip())
            draft = self._add(self._slug_id(text), lines[0], item, 1)
            for line in lines[1:]:
                draft.add(line)

    def _head(self) -> RequirementDraft | None:
        return next((level.draft for level in reversed(self._path) if level.draft is not None), None)

    def _owns_text(self) -> bool:
        """Whether unnumbered text belongs to the heading with an id above it."""
        head = self._head()
        return head is not None and head.head is not None and head.head.kind is not HeadKind.NUMBER

    def _slugs(self) -> tuple[str, ...]:
        """The headings above, without the document's title."""
        named = (slug(level.heading.title) for level in self._path if level.heading.level > 1)
        return tuple(name for name in named if name)

    def _slug_id(self, text: str) -> str:
        digest = hash_of(text)
        name = "/".join((*self._slugs(), slug(text) or digest[:8]))
        if self._numbering.is_taken(name):
            name = f"{name}-{digest[:6]}"
        return self._numbering.take(name, 0)

    def _unique(self, name: str, line: Line, column: int, length: int) -> str:
        unique = self._numbering.take(name, line.number)
        if unique != name:
            start = max(column, 0)
            self._findings.error(
                "duplicate-id",
                f"Requirement {name} is already on line {self._numbering.first_line(name) + 1}, so this one is read as "
                f"{unique}; give it an id of its own",
                line.span(start, start + length),
                self._numbering.next_free(name),
            )
        return unique


def _sentences(lines: list[Line]) -> list[list[Line]]:
    """A paragraph cut where a line starts an EARS sentence after the end of another sentence."""
    sentences = [[lines[0]]]
    for before, line in pairwise(lines):
        if before.body.rstrip().endswith((".", ";", "。")) and starts_sentence(line.body):
            sentences.append([line])
        else:
            sentences[-1].append(line)
    return sentences


def _words(title: str) -> str:
    return title.strip(" *_:").lstrip("0123456789. ").casefold()


def _depth(name: str) -> int:
    return name.count(".") + 1
