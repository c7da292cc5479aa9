"""Requirements as the parsers of `domain/documents` deliver them. Refuses to know any layout."""

from dataclasses import dataclass, field

from specloom.domain.ids import Digest, RequirementId
from specloom.domain.problem import NOWHERE, Problem, Span


@dataclass(frozen=True, slots=True)
class Requirement:
    """One numbered item or EARS sentence; its identity is id + text hash."""

    id: RequirementId
    text: str
    """Verbatim, without its marker, lines joined by a newline."""
    hash: Digest
    """Of the text with white space folded, so that re-wrapping is no change."""
    title: str = ""
    """Of the heading it stands under."""
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class RequirementsDocument:
    """A whole requirements document."""

    path: str
    requirements: tuple[Requirement, ...]
    problems: tuple[Problem, ...] = field(default=(), compare=False)
