"""What happened to a task; each is one action of the table in `domain/states`. Refuses derived states (`ready`)."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from specloom.domain.evidence import Evidence
from specloom.domain.ids import AgentId, AttemptId, Digest, RequirementId, RunId, TaskId


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """An agent took the task: `number` is 1 for the first attempt since the last reset."""

    V: ClassVar[int] = 1
    task: TaskId
    attempt: AttemptId
    agent: AgentId
    run: RunId
    number: int
    verify: tuple[str, ...]
    """The verify commands, fixed for this attempt."""
    cited: tuple[tuple[RequirementId, Digest], ...] = ()
    """The requirements that it is to serve, as they read."""


@dataclass(frozen=True, slots=True)
class TaskDone:
    """Done, on this evidence."""

    V: ClassVar[int] = 1
    task: TaskId
    evidence: tuple[Evidence, ...]
    attempt: AttemptId | None = None
    cited: tuple[tuple[RequirementId, Digest], ...] = ()
    """The requirements that it was done for, as they read."""


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """Attempts are used up, or a proof no longer holds (`regressed_by`: the task whose change broke it, if known)."""

    V: ClassVar[int] = 1
    task: TaskId
    reason: str
    regressed_by: TaskId | None = None
    feedback: str = ""
    """What the failed verification said, as a next attempt would be told."""


@dataclass(frozen=True, slots=True)
class TaskBlocked:
    """Cannot go on: reported by the agent (`cause=None`), or a dependency failed or is blocked itself."""

    V: ClassVar[int] = 1
    task: TaskId
    reason: str
    cause: TaskId | None = None
    ungranted: tuple[str, ...] = ()
    """Verify commands that nobody granted; once they are, the block is lifted by itself."""


@dataclass(frozen=True, slots=True)
class TaskUnblocked:
    """Pending again; `by_cause`: the engine freed it since its cause is gone, else a person lifted the block."""

    V: ClassVar[int] = 1
    task: TaskId
    by_cause: bool = False


@dataclass(frozen=True, slots=True)
class TaskSkipped:
    """A person decided to go without; satisfies dependants and shows as such."""

    V: ClassVar[int] = 1
    task: TaskId
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TaskReset:
    """Pending again with no attempts counted and no evidence; the code stays."""

    V: ClassVar[int] = 1
    task: TaskId


@dataclass(frozen=True, slots=True)
class TaskRetried:
    """A person wants another round of attempts."""

    V: ClassVar[int] = 1
    task: TaskId


@dataclass(frozen=True, slots=True)
class TaskReleased:
    """The attempt ended without a verdict; the task waits again."""

    V: ClassVar[int] = 1
    task: TaskId
    attempt: AttemptId
    reason: str


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """One attempt did not prove the task and another follows; `feedback` is what the next one is told."""

    V: ClassVar[int] = 1
    task: TaskId
    attempt: AttemptId
    reason: str
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class ProofStale:
    """What a proof stands on changed; two empty tuples: it is again as it was."""

    V: ClassVar[int] = 1
    task: TaskId
    paths: tuple[str, ...]
    """Files behind it."""
    requirements: tuple[RequirementId, ...] = ()
    """Those that the task serves and that read otherwise."""


@dataclass(frozen=True, slots=True)
class ProofRenewed:
    """The proof was stale, was verified once more, and held."""

    V: ClassVar[int] = 1
    task: TaskId
    evidence: tuple[Evidence, ...]
    cited: tuple[tuple[RequirementId, Digest], ...] | None = None
    """The requirements that it was verified for, as they read then; `None`: only its files were looked at."""


TaskEvent: TypeAlias = (
    TaskStarted
    | TaskDone
    | TaskFailed
    | TaskBlocked
    | TaskUnblocked
    | TaskSkipped
    | TaskReset
    | TaskRetried
    | TaskReleased
    | AttemptFailed
    | ProofStale
    | ProofRenewed
)
TYPES = (
    TaskStarted,
    TaskDone,
    TaskFailed,
    TaskBlocked,
    TaskUnblocked,
    TaskSkipped,
    TaskReset,
    TaskRetried,
    TaskReleased,
    AttemptFailed,
    ProofStale,
    ProofRenewed,
)
