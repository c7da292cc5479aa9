"""Verification, edits and change sets: requested before, settled after. Refuses a verdict: that is `TaskDone`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, TypeAlias

from specloom.domain.ids import AttemptId, CheckId, Digest, EditId, TaskId


class CheckPhase(StrEnum):
    """When a verify command runs."""

    BEFORE = "before"
    """Before the attempt, to learn whether the command tells anything."""
    AFTER = "after"
    RECHECK = "recheck"
    """A stale proof is verified once more."""


@dataclass(frozen=True, slots=True)
class CheckRequested:
    """A verify command is about to run."""

    V: ClassVar[int] = 1
    check: CheckId
    task: TaskId
    attempt: AttemptId | None
    phase: CheckPhase
    command: str
    rule: str = ""
    """The grant by which it may run."""


@dataclass(frozen=True, slots=True)
class CheckSettled:
    """It ended: `exit_code=None` when it was killed (`timed_out`) or its outcome is unknown after a crash."""

    V: ClassVar[int] = 1
    check: CheckId
    task: TaskId
    exit_code: int | None
    output: str
    """Redacted, head and tail."""
    duration_s: float
    timed_out: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class EditRequested:
    """A file is about to be changed; `before` is its text (`None`: it does not exist)."""

    V: ClassVar[int] = 1
    edit: EditId
    attempt: AttemptId | None
    path: str
    before: str | None
    before_digest: Digest | None
    after_digest: Digest
    label: str = ""
    task: TaskId | None = None


@dataclass(frozen=True, slots=True)
class EditSettled:
    """What came of it: `digest` is of the text that stands there now (`None`: no file)."""

    V: ClassVar[int] = 1
    edit: EditId
    path: str
    applied: bool
    in_buffer: bool
    digest: Digest | None
    reason: str = ""
    diff: str = ""
    """What changed, as `shown_edit` tells it; empty for files that are new or gone, and in logs of old."""


@dataclass(frozen=True, slots=True)
class ChangeSetRecorded:
    """All edits of one attempt as one unified diff."""

    V: ClassVar[int] = 1
    attempt: AttemptId
    task: TaskId
    diff: str
    paths: tuple[str, ...]


ProofEvent: TypeAlias = CheckRequested | CheckSettled | EditRequested | EditSettled | ChangeSetRecorded
TYPES = (CheckRequested, CheckSettled, EditRequested, EditSettled, ChangeSetRecorded)
