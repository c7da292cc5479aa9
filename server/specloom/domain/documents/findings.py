"""Collects the problems of one document while it is read. Refuses to decide what is a problem."""

from difflib import get_close_matches
from typing import TYPE_CHECKING

from specloom.domain.documents.lines import Document
from specloom.domain.problem import NOWHERE, Problem, Severity, Span
from specloom.domain.spec import SpecDefinition, TaskDefinition

if TYPE_CHECKING:
    from collections.abc import Iterable


MOST_SUGGESTED = 20
LONGEST_SUGGESTED = 100
"""Characters; a longer name is no misspelling."""


class Findings:
    """A growing list of problems of the document at `path`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def error(self, code: str, message: str, span: Span = NOWHERE, suggestions: tuple[str, ...] = ()) -> None:
        """Something that keeps a part of the document from being used."""
        self.problems.append(Problem(code, message, self.path, span, Severity.ERROR, suggestions))

    def warning(self, code: str, message: str, span: Span = NOWHERE, suggestions: tuple[str, ...] = ()) -> None:
        """Something that is probably not meant."""
        self.problems.append(Problem(code, message, self.path, span, Severity.WARNING, suggestions))

    def information(self, code: str, message: str, span: Span = NOWHERE, suggestions: tuple[str, ...] = ()) -> None:
        """Something worth knowing that hinders nothing."""
        self.problems.append(Problem(code, message, self.path, span, Severity.INFORMATION, suggestions))

    def structure(self, document: Document) -> None:
        """Report a fence or comment that swallows the rest of the document."""
        if document.unclosed is not None:
            self.warning(
                "unclosed-block",
                "Nothing closes the code fence or comment that starts here, so all below it is passed over; close it",
                document.unclosed.span(),
            )

    def binary(self, text: str) -> bool:
        """Report a text with NUL characters; true if it is one."""
        if "\0" not in text:
            return False
        self.error(
            "binary-document", f"{self.path} holds NUL characters and is not read as text; save it as UTF-8 text"
        )
        return True


class Names:
    """Known names, to suggest one for a misspelt one; after `MOST_SUGGESTED` it suggests nothing, to stay quick."""

    def __init__(self, known: "Iterable[str]") -> None:
        self._known = list(known)
        self._left = MOST_SUGGESTED

    def near(self, word: str) -> tuple[str, ...]:
        """The at most three names nearest to a misspelt one, best first."""
        self._left -= 1
        if self._left < 0 or len(word) > LONGEST_SUGGESTED:
            return ()
        return tuple(get_close_matches(word, self._known, n=3, cutoff=0.6))


def or_suggestion(suggestions: tuple[str, ...], otherwise: str) -> str:
    """The next step of a message about an unknown name."""
    return f"did you mean {suggestions[0]}?" if suggestions else otherwise


def place_of(holder: SpecDefinition | TaskDefinition, target: str) -> Span:
    """Where a task or a spec's front matter names `target`, else the task's line or the start of the document."""
    mention = next((mention for mention in holder.mentions if mention.target == target), None)
    if mention is not None:
        return mention.span
    return holder.span if isinstance(holder, TaskDefinition) else NOWHERE
