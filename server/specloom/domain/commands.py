"""Orders to a project, imperative. Refuse nothing themselves: `decide` does. Ids are made by the caller."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from specloom.domain.budgets import BudgetPart
from specloom.domain.events.documents import HeadChanged
from specloom.domain.evidence import Evidence
from specloom.domain.ids import AgentId, AttemptId, Digest, PromptId, RequirementId, RunId, SpecId, TaskId
from specloom.domain.requirement import Requirement
from specloom.domain.runs import BY_PERSON, Budget, PauseCause, RunOutcome, Scope
from specloom.domain.spec import SpecDefinition


@dataclass(frozen=True, slots=True)
class ReadRequirements:
    """Take in a requirements document as it now stands."""

    path: str
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class DropRequirements:
    """The document is gone."""

    path: str


@dataclass(frozen=True, slots=True)
class ReadSpec:
    """Take in a spec as it now stands; ticks that came or went are the user's hand."""

    spec: SpecDefinition
    at: str
    by_hand: bool = True
    """False: the file changed on disk while an agent worked, so that a new tick proves nothing and is not taken."""
    checked_out: bool = False
    """Git wrote the file: its ticks are nobody's, and its tasks are known by their text alone."""


@dataclass(frozen=True, slots=True)
class DropSpec:
    """The spec's document is gone."""

    spec: SpecId


@dataclass(frozen=True, slots=True)
class ChangeHead:
    """Take in what git did; where it wrote files, whatever is in flight pauses."""

    seen: HeadChanged


@dataclass(frozen=True, slots=True)
class StartRun:
    """Work through a scope."""

    run: RunId
    scope: Scope
    budget: Budget = Budget()
    unattended: bool = False


@dataclass(frozen=True, slots=True)
class PauseRun:
    """Stop at the next turn boundary, or when the task in flight is over."""

    reason: str = BY_PERSON
    after: Literal["turn", "task"] = "turn"


@dataclass(frozen=True, slots=True)
class SettlePause:
    """Nothing is in flight any more."""

    reason: str = ""
    cause: PauseCause = PauseCause.OTHER


@dataclass(frozen=True, slots=True)
class ExtendBudget:
    """Go on past a limit that is reached, by so much; a run that waits for that goes on."""

    part: BudgetPart
    more: Budget
    task: TaskId | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class ResumeRun:
    """Go on."""

    cause: PauseCause | None = None
    """Only if this is why it is paused; `None`: whatever the cause."""


@dataclass(frozen=True, slots=True)
class CancelRun:
    """Stop now."""


@dataclass(frozen=True, slots=True)
class FinishRun:
    """The engine has nothing left to do."""

    outcome: RunOutcome
    reason: str = ""
    run: RunId | None = None
    """Which; `None`: whichever is active. Another one that has begun meanwhile is left alone."""


@dataclass(frozen=True, slots=True)
class QueuePrompt:
    """Say something to an agent at its next turn boundary."""

    prompt: PromptId
    agent: AgentId
    text: str


@dataclass(frozen=True, slots=True)
class WithdrawPrompt:
    """Take it back before it is delivered."""

    prompt: PromptId


@dataclass(frozen=True, slots=True)
class StartTask:
    """Give a ready task to an agent."""

    task: TaskId
    attempt: AttemptId
    agent: AgentId
    verify: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProveTask:
    """The engine has evidence for the attempt in flight."""

    task: TaskId
    attempt: AttemptId
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class FailAttempt:
    """The attempt did not prove the task; `limit` attempts make it fail."""

    task: TaskId
    attempt: AttemptId
    reason: str
    feedback: str
    limit: int


@dataclass(frozen=True, slots=True)
class BlockTask:
    """The attempt in flight cannot go on, or (`attempt=None`) the task may not start."""

    task: TaskId
    reason: str
    attempt: AttemptId | None = None
    ungranted: tuple[str, ...] = ()
    """Verify commands that nobody granted, if that is the reason."""


@dataclass(frozen=True, slots=True)
class ReleaseTask:
    """The attempt ended without a verdict."""

    task: TaskId
    attempt: AttemptId
    reason: str


@dataclass(frozen=True, slots=True)
class RegressTask:
    """A proof no longer holds."""

    task: TaskId
    reason: str
    by: TaskId | None = None


@dataclass(frozen=True, slots=True)
class RenewProof:
    """A stale proof held when it was verified once more."""

    task: TaskId
    evidence: tuple[Evidence, ...]
    cited: tuple[tuple[RequirementId, Digest], ...]
    """The requirements that the task names, as they read before that."""


@dataclass(frozen=True, slots=True)
class MarkStale:
    """Files behind a proof changed (or are again as they were)."""

    task: TaskId
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SkipTask:
    """Go without it."""

    task: TaskId
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RetryTask:
    """Another round of attempts."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class UnblockTask:
    """Lift a block."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class ResetTask:
    """Pending again, nothing counted; the code stays."""

    task: TaskId


DocumentCommand: TypeAlias = ReadRequirements | DropRequirements | ReadSpec | DropSpec | ChangeHead
RunCommand: TypeAlias = StartRun | PauseRun | SettlePause | ExtendBudget | ResumeRun | CancelRun | FinishRun
AttemptCommand: TypeAlias = (
    StartTask | ProveTask | FailAttempt | BlockTask | ReleaseTask | RegressTask | RenewProof | MarkStale
)
PromptCommand: TypeAlias = QueuePrompt | WithdrawPrompt
UserTaskCommand: TypeAlias = SkipTask | RetryTask | UnblockTask | ResetTask
Command: TypeAlias = DocumentCommand | RunCommand | AttemptCommand | PromptCommand | UserTaskCommand
