"""Something wrong in a user's document: a value with a place, which becomes a diagnostic. Refuses to be raised."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a problem hinders: an error keeps something from running."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class Span:
    """A range of a document: 0-based lines, 0-based columns in code points, end exclusive."""

    start_line: int
    start_column: int
    end_line: int
    end_column: int

    @classmethod
    def of_line(cls, line: int, length: int, start: int = 0) -> "Span":
        """The columns `start` to `length` of one line."""
        return cls(line, start, line, length)


NOWHERE = Span(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do next."""

    code: str
    """Stable kebab-case name, for example `task-cycle`; listed in `docs/problems.md`."""
    message: str
    """What happened and the next step, no final period."""
    path: str
    """Relative to the root, with forward slashes."""
    span: Span = NOWHERE
    severity: Severity = Severity.ERROR
    suggestions: tuple[str, ...] = ()
    """Texts that could stand at `span` instead, best first."""


def in_order(problems: Mapping[str, tuple[Problem, ...]]) -> tuple[Problem, ...]:
    """The problems of documents by path, as a list for people: by path, and within a document as its parser said."""
    return tuple(problem for path in sorted(problems) for problem in problems[path])
