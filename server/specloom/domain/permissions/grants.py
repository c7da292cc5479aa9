"""What a person has allowed for longer than once. Refuses to hold what nobody said: a grant is one exact text."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from specloom.domain.ids import NO_DIGEST, Digest, TaskId, digest_of
from specloom.domain.permissions.rules import Rule, Verdict, parse_rule


class GrantKind(StrEnum):
    """What the text of a grant is."""

    RULE = "rule"
    """A rule that allows."""
    PROPOSAL = "proposal"
    """What the repository says and would run code or widen rights: a verify command, a key with its value."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A person's consent to one exact text, for a task or for the project."""

    kind: GrantKind
    text: str
    at: str
    task: TaskId | None = None
    """`None`: for the project."""
    about: Digest = NO_DIGEST
    """Of the task's title: another task that takes over the id has not been granted anything."""

    @property
    def id(self) -> str:
        """The same text for the same scope has the same id."""
        scope = "project" if self.task is None else f"{self.task}\0{self.about}"
        return digest_of(f"{self.kind}\0{scope}\0{self.text}")[:12]

    @property
    def scope(self) -> str:
        """For people."""
        return "project" if self.task is None else f"task {self.task}"

    def rule(self) -> Rule | None:
        """The rule, if that is what it is."""
        if self.kind is not GrantKind.RULE:
            return None
        found = parse_rule(self.text, Verdict.ALLOW, f"granted for {self.scope}")
        return found if isinstance(found, Rule) else None


def granted_rules(grants: Iterable[Grant], task: TaskId | None, title: str) -> tuple[Rule, ...]:
    """The rules that count for a task."""
    about = digest_of(title)
    mine = (item for item in grants if item.task is None or (item.task == task and item.about == about))
    return tuple(rule for item in mine if (rule := item.rule()) is not None)


def granted_hashes(grants: Iterable[Grant]) -> frozenset[Digest]:
    """The hashes of the proposals that count."""
    return frozenset(digest_of(item.text) for item in grants if item.kind is GrantKind.PROPOSAL)
