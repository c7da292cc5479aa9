"""Where a path of a command leads. Refuses to look at a disk: whoever knows the root answers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Standing(StrEnum):
    """What tools may do at a place."""

    OPEN = "open"
    """Read and write."""
    READ_ONLY = "read-only"
    """A document that the agent works from."""
    CLOSED = "closed"
    """Version control, our own state, secrets."""
    OUTSIDE = "outside"
    """Not below the root."""


@dataclass(frozen=True, slots=True)
class Place:
    """A path relative to the root with forward slashes, empty for the root; outside: as it was written."""

    path: str
    standing: Standing


class Places(Protocol):
    """Knows the root; may block."""

    def find(self, path: str, folder: str) -> Place:
        """Where `path` leads from `folder` (relative to the root), links followed. Never raises."""
        ...

    def may_be_bare(self, folder: str) -> bool:
        """Whether git, started there, may take a folder of the root for a repository, and run what its files say."""
        ...

    def holds(self, path: str, folder: str) -> Standing:
        """The strictest of what goes with a folder: the root or above, version control, our state, documents."""
        ...

    def below(self, path: str, folder: str) -> tuple[Place, ...] | None:
        """What is there now and all below it but in closed folders; a link counts as outside.

        `None`: too much to look at.
        """
        ...

    def expand(self, pattern: str, folder: str) -> tuple[str, ...] | None:
        """The names that the shell would put in place of a pattern. `None`: too many."""
        ...

    def is_folder(self, path: str, folder: str) -> bool:
        """Whether there is a folder now."""
        ...

    def git_runs(self, folder: str, subcommand: str) -> str:
        """Why git, started there, may run a program that the repository itself names; empty: it runs none."""
        ...
