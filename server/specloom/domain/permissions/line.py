"""What a shell line amounts to: the simple commands that it may run, and the files that it redirects to.

Refuses to leave anything out in silence: what could not be understood is a reason in `unclear`.
"""

from dataclasses import dataclass
from enum import StrEnum


class WordKind(StrEnum):
    """What a word is before the shell has expanded it."""

    LITERAL = "literal"
    GLOB = "glob"
    """Holds an unquoted `*`, `?`, `[`: becomes file names."""
    DYNAMIC = "dynamic"
    """Holds an expansion: may become anything, also several words, also none."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command: its text without quotes if it is literal, else as it stands in the line."""

    text: str
    kind: WordKind = WordKind.LITERAL

    @property
    def literal(self) -> bool:
        """Whether the shell takes it as it is."""
        return self.kind is WordKind.LITERAL


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """A program or builtin with its words, wrappers such as `env` taken off; no words: assignments alone."""

    words: tuple[Word, ...]
    assigned: tuple[str, ...] = ()
    """Names of the variables that are set for it."""
    loose: tuple[Word, ...] = ()
    """The same words without what stands between a program and its subcommand, for rules that forbid."""
    caution: str = ""
    """The word that makes it run code which stands in the line, such as `-c`; a rule must name it."""

    @property
    def name(self) -> str:
        """Of the program as it is written; empty for assignments."""
        return self.words[0].text if self.words else ""

    @property
    def shown(self) -> str:
        """For people."""
        return " ".join(word.text for word in self.words) or ", ".join(f"{name}=" for name in self.assigned)


@dataclass(frozen=True, slots=True)
class Redirect:
    """A file that the shell itself opens."""

    target: Word
    writes: bool


@dataclass(frozen=True, slots=True)
class ShellLine:
    """Everything that a line may run and open, in the order of the text."""

    parts: tuple[SimpleCommand | Redirect, ...]
    unclear: tuple[str, ...] = ()
    """Why it is not certain that this is everything."""

    @property
    def commands(self) -> tuple[SimpleCommand, ...]:
        """Without redirections."""
        return tuple(part for part in self.parts if isinstance(part, SimpleCommand))


def named(text: str) -> frozenset[str]:
    """The words of a text as a set: tables of names read better as prose."""
    return frozenset(text.split())
