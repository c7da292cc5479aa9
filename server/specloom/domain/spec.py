"""Specs and their tasks as the parsers of `domain/documents` deliver them. Refuses to know any layout or any state."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from specloom.domain.ids import NO_DIGEST, Digest, RequirementId, SpecId, TaskId
from specloom.domain.problem import NOWHERE, Problem, Span


class Layout(StrEnum):
    """Whose file format a root uses; one layout a root."""

    SPECLOOM = "specloom"
    KIRO = "kiro"
    SPEC_KIT = "spec-kit"


class SpecStatus(StrEnum):
    """Whether a spec belongs to the graph."""

    READY = "ready"
    GENERATING = "generating"
    """Its text is still streaming in (or was when Specloom died): no part of the graph."""


@dataclass(frozen=True, slots=True)
class RequirementRef:
    """A spec's or a task's pointer to a requirement, with the text hash it was written against if it was recorded."""

    id: RequirementId
    hash: Digest | None = None


class Mention(NamedTuple):
    """Where a document names a requirement, a task or a spec: for diagnostics, quick fixes and go-to-definition."""

    target: str
    """The id that is meant; of a range, one mention each."""
    text: str
    """As written."""
    line: int
    column: int

    @property
    def span(self) -> Span:
        """The place of the text."""
        return Span(self.line, self.column, self.line, self.column + len(self.text))


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """What a spec says about one task. Positions do not take part in comparison: moving a task does not change it."""

    id: TaskId
    number: str
    title: str
    details: tuple[str, ...] = ()
    """The lines below it, without markers and metadata lines, verbatim otherwise."""
    requirements: tuple[RequirementId, ...] = ()
    depends: tuple[TaskId, ...] | None = None
    """`None`: nothing stated, so the leaf before it. `()`: stated as none, so free."""
    after: tuple[int, ...] = ()
    """Places in `SpecDefinition.groups`: it waits for all members of those too."""
    verify: tuple[str, ...] = ()
    """Commands as written; they are proposals until granted."""
    optional: bool = False
    """Runs only when it is named, or an optional task that it stands below."""
    inherits_optional: bool = False
    """Whether only a task above it is marked optional."""
    ticked: bool = field(default=False, compare=False)
    parent: TaskId | None = None
    is_leaf: bool = True
    hash: Digest = NO_DIGEST
    """Of title and details with white space folded; finds a task again after renumbering."""
    line: int = field(default=0, compare=False)
    """0-based line of its checkbox."""
    span: Span = field(default=NOWHERE, compare=False)
    mentions: tuple[Mention, ...] = field(default=(), compare=False)
    """The ids of its metadata lines, in order."""


@dataclass(frozen=True, slots=True)
class SpecDefinition:
    """One spec document."""

    id: SpecId
    title: str
    path: str
    """Of the file that holds its tasks, relative to the root."""
    layout: Layout = Layout.SPECLOOM
    status: SpecStatus = SpecStatus.READY
    depends_on: tuple[SpecId, ...] = ()
    requirements: tuple[RequirementRef, ...] = ()
    tasks: tuple[TaskDefinition, ...] = ()
    """Parents before their children, in document order."""
    groups: tuple[tuple[TaskId, ...], ...] = ()
    """Leaves that others wait for together, such as those of a wave or a phase: named once, not by each that waits."""
    hash: Digest = field(default=NO_DIGEST, compare=False)
    """Of the whole text."""
    problems: tuple[Problem, ...] = field(default=(), compare=False)
    mentions: tuple[Mention, ...] = field(default=(), compare=False)
    """The ids of its front matter, in order."""

    def stated_by(self, task: TaskDefinition) -> tuple[TaskId, ...] | None:
        """All that a task of this spec states to wait for, groups written out; `None` if it states nothing."""
        members = (name for place in task.after for name in self.groups[place])
        return task.depends if not task.after else tuple(dict.fromkeys((*(task.depends or ()), *members)))
