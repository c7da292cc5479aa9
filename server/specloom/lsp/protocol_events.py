"""Events as clients hear them: their own closed union, which may only grow. Refuses the log's own shapes.

`wire_events` maps from the domain. Long texts are cut to `MOST_TEXT` characters; what stands in a document, a diff or a
transcript is fetched where it stands.
"""

from typing import Annotated, Literal, TypeAlias

from specloom.lsp.protocol import Budget, Evidence, PauseCause, Problem, Scope, Wire, tagged
from specloom.lsp.protocol_event_base import EventBase
from specloom.lsp.protocol_session_events import (
    ApprovalAnsweredEvent,
    ApprovalAskedEvent,
    ContextCollapsedEvent,
    GrantRevokedEvent,
    MessageAddedEvent,
    NoProgressSeenEvent,
    OpenFilesWarnedEvent,
    PromptDeliveredEvent,
    PromptQueuedEvent,
    PromptWithdrawnEvent,
    SessionEndedEvent,
    SessionStartedEvent,
    ToolRequestedEvent,
    ToolSettledEvent,
    TurnFailedEvent,
    TurnFinishedEvent,
    TurnRequestedEvent,
)

MOST_TEXT = 16_000


class ProjectOpenedEvent(EventBase):
    """First event of every log; where the folder was copied, the copy is this other project from here on."""

    type: Literal["projectOpened"] = "projectOpened"
    name: str


class RequirementsReadEvent(EventBase):
    """A requirements document was read."""

    type: Literal["requirementsRead"] = "requirementsRead"
    path: str
    requirement_ids: list[str]


class RequirementsRemovedEvent(EventBase):
    """A requirements document is gone."""

    type: Literal["requirementsRemoved"] = "requirementsRemoved"
    path: str


class SpecReadEvent(EventBase):
    """A spec was read; its tasks are in the projection."""

    type: Literal["specRead"] = "specRead"
    spec_id: str
    path: str
    title: str
    status: Literal["ready", "generating"]
    task_ids: list[str]
    renamed: list[tuple[str, str]]
    """Tasks recognised under a new id, old and new."""
    boxes_only: bool = False
    """Whether nothing but boxes reads otherwise: the projection stays as it is, and events of tasks say the rest."""


class SettingsChangedEvent(EventBase):
    """Other settings count from the next turn, command or reading on."""

    type: Literal["settingsChanged"] = "settingsChanged"
    keys: list[str]
    """Dotted names, without values."""


class LogRebuiltEvent(EventBase):
    """The log was damaged; what follows was not written behind what stands before."""

    type: Literal["logRebuilt"] = "logRebuilt"
    kept: int
    """Events before the damage."""
    lost: int | None
    """Events behind it; null: how many there were cannot be read."""
    aside: str
    """The folder with the damaged log, in the state folder."""
    reason: str


class HeadChangedEvent(EventBase):
    """Git has something else checked out, or wrote files of the work tree in another way."""

    type: Literal["headChanged"] = "headChanged"
    before: str
    """The commit that was checked out; empty: none, or none that was known."""
    after: str
    branch: str
    """Checked out now; empty: none."""
    before_branch: str
    how: str
    """What git says it did, for people."""
    files: bool
    """Whether git wrote files: then a run pauses; false for a commit."""


class SpecRemovedEvent(EventBase):
    """A spec is gone."""

    type: Literal["specRemoved"] = "specRemoved"
    spec_id: str
    renamed: list[tuple[str, str]]
    """Tasks whose history went elsewhere, old and new id."""


class TaskEventBase(EventBase):
    """What every event about a task says."""

    task_id: str


class TaskStartedEvent(TaskEventBase):
    """An agent took the task."""

    type: Literal["taskStarted"] = "taskStarted"
    attempt_id: str
    run_id: str
    number: int
    verify: list[str]


class TaskDoneEvent(TaskEventBase):
    """Done, on this evidence."""

    type: Literal["taskDone"] = "taskDone"
    attempt_id: str | None
    proven: bool
    evidence: list[Evidence]


class TaskFailedEvent(TaskEventBase):
    """Attempts are used up, or a proof no longer holds."""

    type: Literal["taskFailed"] = "taskFailed"
    reason: str
    regressed_by: str | None
    feedback: str
    """Of the last verification."""


class TaskBlockedEvent(TaskEventBase):
    """Cannot go on."""

    type: Literal["taskBlocked"] = "taskBlocked"
    reason: str
    cause: str | None


class TaskUnblockedEvent(TaskEventBase):
    """Pending again."""

    type: Literal["taskUnblocked"] = "taskUnblocked"
    by_cause: bool


class TaskSkippedEvent(TaskEventBase):
    """A person goes without it."""

    type: Literal["taskSkipped"] = "taskSkipped"
    reason: str


class TaskResetEvent(TaskEventBase):
    """Pending again, nothing counted; the code stays."""

    type: Literal["taskReset"] = "taskReset"


class TaskRetriedEvent(TaskEventBase):
    """A person wants another round of attempts."""

    type: Literal["taskRetried"] = "taskRetried"


class TaskReleasedEvent(TaskEventBase):
    """The attempt ended without a verdict."""

    type: Literal["taskReleased"] = "taskReleased"
    attempt_id: str
    reason: str


class AttemptFailedEvent(TaskEventBase):
    """One attempt did not prove the task; another follows."""

    type: Literal["attemptFailed"] = "attemptFailed"
    attempt_id: str
    reason: str
    feedback: str


class ProofStaleEvent(TaskEventBase):
    """What the proof stands on changed; nothing named: it is again as it was."""

    type: Literal["proofStale"] = "proofStale"
    paths: list[str]
    requirements: list[str]
    """Those that the task serves and that read otherwise: it is outdated."""


class ProofRenewedEvent(TaskEventBase):
    """The proof was stale, was verified once more, and held."""

    type: Literal["proofRenewed"] = "proofRenewed"
    proven: bool
    evidence: list[Evidence]
    files_only: bool
    """Whether nothing but its files was looked at: a task that was outdated still is."""


class RunEventBase(EventBase):
    """What every event about a run says."""

    run_id: str


class RunStartedEvent(RunEventBase):
    """A run began."""

    type: Literal["runStarted"] = "runStarted"
    scope: Scope
    budget: Budget
    unattended: bool


class RunPausingEvent(RunEventBase):
    """No new turn or task starts."""

    type: Literal["runPausing"] = "runPausing"
    reason: str
    after: Literal["turn", "task"]
    """What ends first."""


class RunPausedEvent(RunEventBase):
    """Nothing is in flight; `reason` says what it waits for, and is empty where a person gave none."""

    type: Literal["runPaused"] = "runPaused"
    reason: str
    cause: PauseCause
    """`budget`, `provider`: a question waits; `interrupted`: Specloom was stopped; `offline`: it goes on by itself;
    `key`: also, once there is a key."""


class RunResumedEvent(RunEventBase):
    """Goes on where it was."""

    type: Literal["runResumed"] = "runResumed"


class BudgetExtendedEvent(EventBase):
    """A limit that was reached was raised."""

    type: Literal["budgetExtended"] = "budgetExtended"
    part: Literal["run", "task", "day", "attempt"]
    more: Budget
    """By how much."""
    run_id: str | None
    """`null`: for a plan."""
    task_id: str | None
    rule: str
    """Who said so: `user`, or the rule."""


class RunCancellingEvent(RunEventBase):
    """What is in flight is being stopped."""

    type: Literal["runCancelling"] = "runCancelling"


class RunFinishedEvent(RunEventBase):
    """The run is over."""

    type: Literal["runFinished"] = "runFinished"
    outcome: Literal["completed", "incomplete", "cancelled", "fault", "budget"]
    reason: str


class CheckRequestedEvent(TaskEventBase):
    """A verify command is about to run."""

    type: Literal["checkRequested"] = "checkRequested"
    check_id: str
    attempt_id: str | None
    phase: Literal["before", "after", "recheck"]
    command: str
    rule: str
    """The grant by which it may run."""


class CheckSettledEvent(TaskEventBase):
    """A verify command ended; `exitCode` is `null` when it was killed or its outcome is unknown."""

    type: Literal["checkSettled"] = "checkSettled"
    check_id: str
    exit_code: int | None
    output: str
    duration_s: float
    timed_out: bool
    note: str


class EditRequestedEvent(EventBase):
    """A file is about to be changed."""

    type: Literal["editRequested"] = "editRequested"
    task_id: str | None
    edit_id: str
    attempt_id: str | None
    path: str
    creates: bool
    label: str


class EditSettledEvent(EventBase):
    """What came of an edit."""

    type: Literal["editSettled"] = "editSettled"
    edit_id: str
    path: str
    applied: bool
    in_buffer: bool
    reason: str
    diff: str
    """Hunks of a unified diff without context, what is left out after a backslash; empty for new and removed files."""


class ChangeSetRecordedEvent(TaskEventBase):
    """All edits of one attempt are in its change set."""

    type: Literal["changeSetRecorded"] = "changeSetRecorded"
    attempt_id: str
    paths: list[str]


class PlanEventBase(EventBase):
    """What every event about a plan says."""

    plan_id: str


class PlanStartedEvent(PlanEventBase):
    """A planner took a requirements document, or one spec for its tasks."""

    type: Literal["planStarted"] = "planStarted"
    path: str
    stage: Literal["specs", "tasks"]


class OutlineAcceptedEvent(PlanEventBase):
    """The list of specs passed its checks."""

    type: Literal["outlineAccepted"] = "outlineAccepted"
    outline: str
    """JSON of the outline."""
    out_of_scope: list[tuple[str, str]]
    """Requirement ids with the reason given."""
    steps: int = 0
    """Answers that the rest of the plan will take; 0: not known."""


class SpecGeneratingEvent(PlanEventBase):
    """Text of a spec streams in."""

    type: Literal["specGenerating"] = "specGenerating"
    spec_id: str
    path: str
    stage: Literal["specs", "tasks"]


class SpecWrittenEvent(PlanEventBase):
    """The text stands, or is offered since a person edited the file meanwhile."""

    type: Literal["specWritten"] = "specWritten"
    spec_id: str
    path: str
    stage: Literal["specs", "tasks"]
    offered: bool


class PlanRefusedEvent(PlanEventBase):
    """What came back has faults; they go to the model again."""

    type: Literal["planRefused"] = "planRefused"
    repair: int
    problems: list[Problem]


class PlanFinishedEvent(PlanEventBase):
    """The plan is whole."""

    type: Literal["planFinished"] = "planFinished"
    spec_ids: list[str]


class PlanFailedEvent(PlanEventBase):
    """The plan ended without result."""

    type: Literal["planFailed"] = "planFailed"
    reason: str
    problems: list[Problem]


WireEvent: TypeAlias = Annotated[
    ProjectOpenedEvent
    | LogRebuiltEvent
    | RequirementsReadEvent
    | RequirementsRemovedEvent
    | SpecReadEvent
    | SpecRemovedEvent
    | SettingsChangedEvent
    | HeadChangedEvent
    | TaskStartedEvent
    | TaskDoneEvent
    | TaskFailedEvent
    | TaskBlockedEvent
    | TaskUnblockedEvent
    | TaskSkippedEvent
    | TaskResetEvent
    | TaskRetriedEvent
    | TaskReleasedEvent
    | AttemptFailedEvent
    | ProofStaleEvent
    | ProofRenewedEvent
    | RunStartedEvent
    | RunPausingEvent
    | RunPausedEvent
    | RunResumedEvent
    | BudgetExtendedEvent
    | RunCancellingEvent
    | RunFinishedEvent
    | CheckRequestedEvent
    | CheckSettledEvent
    | EditRequestedEvent
    | EditSettledEvent
    | ChangeSetRecordedEvent
    | SessionStartedEvent
    | MessageAddedEvent
    | ContextCollapsedEvent
    | OpenFilesWarnedEvent
    | TurnRequestedEvent
    | TurnFinishedEvent
    | TurnFailedEvent
    | ToolRequestedEvent
    | ToolSettledEvent
    | SessionEndedEvent
    | ApprovalAskedEvent
    | ApprovalAnsweredEvent
    | GrantRevokedEvent
    | NoProgressSeenEvent
    | PromptQueuedEvent
    | PromptWithdrawnEvent
    | PromptDeliveredEvent
    | PlanStartedEvent
    | OutlineAcceptedEvent
    | SpecGeneratingEvent
    | SpecWrittenEvent
    | PlanRefusedEvent
    | PlanFinishedEvent
    | PlanFailedEvent,
    tagged("type"),
]


class EventsListResult(Wire):
    """At most `limit` events in order; ask again from the last one's `seq` while `more`."""

    events: list[WireEvent]
    more: bool
    seq: int
    """The last committed event."""
