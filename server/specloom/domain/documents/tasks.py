"""The task list grammar that our layout and Kiro's share; Spec Kit's differs in labels only.

Refuses to decide what depends on what beyond the words of the list: that is `domain/graph`.

- A task stands below the one whose number starts its own (`2.1` below `2`), else below the one it is indented under.
- A single number indented under another task counts on from it: `1.` under `2.` is `2.1`.
- Tasks without number are `u1`, `u2`, … in order; the second `1.1` becomes `1.1~2`, with a problem.
- With a section Tasks, checkboxes outside it are tasks only if they are numbered.
- cc-sdd's `(P)`: such a leaf depends on the last leaf before it without `(P)`; the next one without on all of them.
- Checkboxes in fences, comments, block quotes and legends are no tasks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from specloom.domain.documents.findings import Findings
from specloom.domain.documents.lines import Document, Kind, Line, Section, find_section, heading_of
from specloom.domain.documents.numbering import Numbering
from specloom.domain.documents.references import Found, read_list, says_nothing
from specloom.domain.documents.task_lines import (
    MOST_WRAPPED,
    Box,
    Label,
    Metadata,
    Passage,
    ReadLabel,
    box_of,
    box_without_space,
    commands_of,
    is_legend,
    metadata_of,
    without_bullet,
)
from specloom.domain.documents.texts import hash_of
from specloom.domain.ids import RequirementId, SpecId, TaskId, task_id
from specloom.domain.spec import Mention, TaskDefinition

_VALIDATES = "Validates:"
_NEST = 2
"""Columns from which an item is nested."""


@dataclass(slots=True)
class TaskDraft:
    """A task while its lines are still being read."""

    id: TaskId
    number: str
    label: Label
    box: Box
    line: Line
    heading: Line | None
    """The heading of level one or two above it."""
    parent: "TaskDraft | None"
    inside: tuple[TaskId | None, ...]
    """The contexts whose leaves a task below it may wait for, the nearest first (`domain/optional`)."""
    is_leaf: bool = True
    depends: tuple[TaskId, ...] | None = None
    after: tuple[int, ...] = ()
    margin: str | None = None
    """White space before its first line of detail."""
    details: list[str] = field(default_factory=list[str])
    requirements: dict[RequirementId, None] = field(default_factory=dict[RequirementId, None])
    verify: list[str] = field(default_factory=list[str])
    mentions: list[Mention] = field(default_factory=list[Mention])

    @property
    def context(self) -> TaskId | None:
        """The nearest task marked optional, itself or above it."""
        return self.inside[0]

    @property
    def seen(self) -> tuple[TaskId | None, ...]:
        """The contexts whose leaves it may wait for, the nearest first."""
        return self.parent.inside if self.parent is not None else (None,)

    def definition(self) -> TaskDefinition:
        """The finished task."""
        return TaskDefinition(
            id=self.id,
            number=self.number,
            title=self.label.title,
            details=tuple(self.details),
            requirements=tuple(self.requirements),
            depends=self.depends,
            after=self.after,
            verify=tuple(self.verify),
            optional=self.context is not None,
            inherits_optional=self.context is not None and not self.box.optional,
            ticked=self.box.ticked,
            parent=self.parent.id if self.parent else None,
            is_leaf=self.is_leaf,
            hash=hash_of(self.label.title, *self.details),
            line=self.line.number,
            span=self.line.span(),
            mentions=tuple(self.mentions),
        )


def read_drafts(document: Document, spec: SpecId, findings: Findings, label: ReadLabel) -> list[TaskDraft]:
    """The tasks of a list whose labels `label` reads."""
    reader = _Reader(spec, findings, label, find_section(document, "Tasks"))
    for line in document.lines:
        reader.read(line, document.lines[line.number + 1 : line.number + 1 + MOST_WRAPPED])
    for draft in reader.drafts:
        if draft.verify and not draft.is_leaf:
            message = (
                f"Task {draft.id} has sub-tasks and is never run, so its _Verify_ line is not used; give it to a leaf"
            )
            findings.warning("verify-on-parent", message, draft.line.span())
    return reader.drafts


class _Reader:
    """Goes through the lines once and keeps what is open."""

    def __init__(self, spec: SpecId, findings: Findings, label: ReadLabel, section: Section | None) -> None:
        self.drafts: list[TaskDraft] = []
        self._spec = spec
        self._findings = findings
        self._label = label
        self._section = section
        self._heading: Line | None = None
        self._in_legend = False
        self._nest: list[TaskDraft] = []
        self._owner: TaskDraft | None = None
        """The task that the lines now belong to."""
        self._in_fence = False
        self._numbers: dict[str, TaskDraft] = {}
        self._numbering = Numbering()
        self._unnumbered = 0
        self._read_to = 0
        """Lines before this one belong to metadata that was read."""

    def read(self, line: Line, below: Sequence[Line]) -> None:
        """Takes the next line; `below` are those that it may be wrapped over."""
        if line.number < self._read_to:
            return
        kind = line.kind
        if kind is Kind.TEXT:
            box = box_of(line)
            if box is None or not self._take_box(line, box):
                self._take_text(line, below)
        elif kind is Kind.HEADING:
            self._take_heading(line)
        elif kind is Kind.FENCE or kind is Kind.QUOTE:
            self._take_detail(line)
        self._in_fence = kind is Kind.FENCE

    def _take_heading(self, line: Line) -> None:
        heading = heading_of(line)
        if heading.level <= _NEST:
            self._heading = line
        words = heading.title.casefold().split()
        self._in_legend = "legend" in words or "notation" in words
        self._owner = None
        self._nest.clear()

    def _take_text(self, line: Line, below: Sequence[Line]) -> None:
        if "[]" in line.body:
            self._check_brackets(line)
        owner = self._owner
        metadata = None
        if owner is not None and line.indent > owner.line.indent:
            inside = tuple(takewhile(lambda other: other.indent > owner.line.indent, below))
            metadata = metadata_of(line, inside)
        if metadata is not None and owner is not None:
            self._take_metadata(owner, metadata)
            self._read_to = line.number + 1 + len(metadata.rest)
        else:
            self._take_detail(line)

    def _check_brackets(self, line: Line) -> None:
        column = box_without_space(line)
        if column is not None:
            message = "[] is no checkbox, so this is not read as a task; write [ ]"
            self._findings.warning("malformed-checkbox", message, line.span(column, column + 2), ("[ ]",))

    def _take_detail(self, line: Line) -> None:
        owner = self._owner
        inside = owner is not None and (line.indent > owner.line.indent or self._in_fence)
        if owner is None or not inside:
            self._owner = None
            while self._nest and self._nest[-1].line.indent >= line.indent:
                self._nest.pop()
            return
        if owner.margin is None:
            owner.margin = line.text[: line.start]
        text = line.text.removeprefix(owner.margin) if line.text.startswith(owner.margin) else line.body
        owner.details.append(text if line.kind is Kind.FENCE else without_bullet(text))
        if _VALIDATES in line.body and line.kind is Kind.TEXT:
            column = line.text.index(_VALIDATES) + len(_VALIDATES)
            text = line.text[column:].replace("*", " ").replace("_", " ")
            self._take_requirements(owner, Passage(text, ((0, line, column),)))

    def _take_box(self, line: Line, box: Box) -> bool:
        """Start a task; false if this checkbox is none."""
        label = self._label(box.rest)
        if not label.number and (self._in_legend or self._is_outside(line) or is_legend(label.title)):
            return False
        while self._nest and self._nest[-1].line.indent + _NEST > line.indent:
            self._nest.pop()
        parent = self._parent_of(label.number)
        written = self._number(label.number, parent)
        number = self._unique(written, line, box, label)
        name = task_id(self._spec, number)
        outside = parent.inside if parent is not None else (None,)
        inside = (name, *outside) if box.optional else outside
        draft = TaskDraft(name, number, label, box, line, self._heading, parent, inside)
        if parent is not None:
            parent.is_leaf = False
        if not label.title.strip():
            self._findings.warning("empty-title", f"Task {draft.id} has no title; say what is to be done", line.span())
        self._numbers[written] = draft
        self._nest.append(draft)
        self._owner = draft
        self.drafts.append(draft)
        return True

    def _is_outside(self, line: Line) -> bool:
        return self._section is not None and not self._section.start < line.number < self._section.end

    def _parent_of(self, number: str) -> TaskDraft | None:
        head = number.rpartition(".")[0]
        while head:
            if head in self._numbers:
                return self._numbers[head]
            head = head.rpartition(".")[0]
        return self._nest[-1] if self._nest else None

    def _number(self, number: str, parent: TaskDraft | None) -> str:
        if not number:
            self._unnumbered += 1
            return f"u{self._unnumbered}"
        return f"{parent.number}.{number}" if parent is not None and number.isdecimal() else number

    def _unique(self, number: str, line: Line, box: Box, label: Label) -> str:
        unique = self._numbering.take(number, line.number)
        if unique != number:
            start = box.rest_column + label.column
            self._findings.error(
                "duplicate-number",
                f"Task number {number} is already used on line {self._numbering.first_line(number) + 1}, so this one "
                f"is read as {unique}; give it a number of its own",
                line.span(start, start + len(label.number)),
                self._numbering.next_free(number),
            )
        return unique

    def _take_metadata(self, owner: TaskDraft, metadata: Metadata) -> None:
        if metadata.key == "requirements":
            self._take_requirements(owner, metadata.value)
        elif metadata.key == "depends":
            self._take_depends(owner, metadata.value)
        elif not says_nothing(metadata.value.text):
            self._take_verify(owner, metadata.value)

    def _take_requirements(self, owner: TaskDraft, value: Passage) -> None:
        for found in read_list(value.text):
            for name in found.names:
                owner.requirements.setdefault(RequirementId(name))
            self._mention(owner, value, found, found.names)

    def _take_depends(self, owner: TaskDraft, value: Passage) -> None:
        if not value.text or says_nothing(value.text):
            owner.depends = () if value.text else None
            return
        names: dict[TaskId, None] = dict.fromkeys(owner.depends or ())
        for found in read_list(value.text):
            targets = [TaskId(name) if "/" in name else task_id(self._spec, name) for name in found.names]
            names.update(dict.fromkeys(targets))
            self._mention(owner, value, found, targets)
        owner.depends = tuple(names) or None

    def _mention(self, owner: TaskDraft, value: Passage, found: Found, targets: Sequence[str]) -> None:
        line, start, end = value.place(found.start, len(found.text))
        for target in targets:
            owner.mentions.append(Mention(target, line.text[start:end], line.number, start))
        if not targets:
            message = f"{found.text!r} is not read as an id; write ids such as 1.2, separated by commas"
            self._findings.information("unread-reference", message, line.span(start, end))

    def _take_verify(self, owner: TaskDraft, value: Passage) -> None:
        commands, beside = commands_of(value.text)
        owner.verify.extend(commands)
        if beside:
            message = f"Only what stands in backticks is run; {beside!r} is not"
            self._findings.information("unread-verify", message, value.pieces[0][1].span())
