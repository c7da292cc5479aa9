"""The projection of a project: what is true now, folded from its events. Refuses change: `evolve` makes a new one.

Maps are persistent (rpds), so a state may be handed to any reader and costs O(log n) a change. What events change has
no slots, for the sake of `domain/copies`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from rpds import HashTrieMap

from specloom.domain.budgets import NOTHING, UNLIMITED, Quarter, Spent
from specloom.domain.evidence import Evidence
from specloom.domain.graph import TaskGraph, build_graph
from specloom.domain.ids import (
    AgentId,
    ApprovalId,
    AttemptId,
    CallId,
    CheckId,
    Digest,
    EditId,
    PlanId,
    ProjectId,
    PromptId,
    RequirementId,
    RunId,
    SessionId,
    SpecId,
    TaskId,
)
from specloom.domain.problem import Problem
from specloom.domain.readiness import Readiness
from specloom.domain.requirement import Requirement
from specloom.domain.runs import Budget, PauseCause, RunOutcome, RunState, Scope
from specloom.domain.spec import SpecDefinition
from specloom.domain.states import SATISFIED, TaskState
from specloom.domain.usage import UsageTotal


@dataclass(frozen=True, slots=True)
class Word:
    """Something that a person said to the agent while it worked on a task."""

    attempt: int
    session: int
    about: str
    """What it answers."""
    words: str
    """Verbatim."""


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """An attempt that is over, and where it stands in the log."""

    id: AttemptId
    began: int
    """Sequence number of its start."""
    ended: int
    """Sequence number of its end."""
    released: str = ""
    """Why it ended without a verification; empty where it got one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a requirement that a task was worked on for stands since its document changed."""

    name: RequirementId
    """As it was cited."""
    digest: Digest
    now: RequirementId
    edited: bool = False
    """Its words are others now, whoever else may read as it did."""


@dataclass(frozen=True)
class TaskRecord:
    """What the log knows of one task."""

    state: TaskState = TaskState.PENDING
    reason: str = ""
    """Why it is failed, blocked or skipped."""
    cause: TaskId | None = None
    """The task whose failure blocks it."""
    ungranted: tuple[str, ...] = ()
    """Verify commands for whose lack of a grant it is blocked."""
    attempts: int = 0
    """Since the last reset or retry; the number of the one in flight, or of the last."""
    failures: int = 0
    """Attempts that ended with a verdict against them; one that was cancelled uses up no try."""
    attempt: AttemptId | None = None
    """In flight."""
    agent: AgentId | None = None
    began: int = 0
    """Sequence number at which the newest attempt started."""
    past: PastAttempt | None = None
    """The newest attempt that is over, since the last reset."""
    words: tuple[Word, ...] = ()
    """All that people said to its agents, in all attempts: nothing takes that back."""
    verify: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    stale: tuple[str, ...] = ()
    """Files behind the proof that have changed since."""
    cited: tuple[tuple[RequirementId, Digest], ...] = ()
    """The requirements that it is, or was, worked on for, as they read."""
    outdated: tuple[RequirementId, ...] = ()
    """Those of them that read otherwise now, though it is done."""
    places: tuple[Place, ...] = ()
    """Those of them that stand under another id, or were edited where they stand."""
    feedback: str = ""
    """The last failed verification, for the next attempt."""
    claim: str = ""
    """What the executor of the last session said when it claimed the task, bounded: its own words, unverified."""
    refused: tuple[str, ...] = ()
    """Edits since the last proof that were not applied, each as `path: reason`."""
    turns: int = 0
    usage: UsageTotal = UsageTotal()
    spent: Spent = NOTHING
    """Of all its attempts, as budgets count."""
    clocked_s: float = 0.0
    """`ProjectState.worked_s` up to which its time is counted."""
    more: Budget = UNLIMITED
    """What was granted on top of the limits of a task."""
    more_turns: int = 0
    """What was granted on top of the turns of the attempt in flight."""
    started_at: str = ""
    ended_at: str = ""


UNTOUCHED = TaskRecord()
"""Of every task that nothing happened to."""


@dataclass(frozen=True)
class RunRecord:
    """The newest run."""

    id: RunId
    scope: Scope
    budget: Budget
    unattended: bool
    state: RunState
    started_at: str
    reason: str = ""
    outcome: RunOutcome | None = None
    turns: int = 0
    usage: UsageTotal = UsageTotal()
    ended_at: str = ""
    cause: PauseCause = PauseCause.OTHER
    """Why it is paused, if it is."""
    pause_after: Literal["turn", "task"] = "turn"
    """What ends first while it is pausing."""
    spent: Spent = NOTHING
    """As budgets count."""
    more: Budget = UNLIMITED
    """What was granted on top of `budget`."""

    @property
    def active(self) -> bool:
        """Whether a second run must wait for it."""
        return self.state is not RunState.FINISHED

    @property
    def works(self) -> bool:
        """Whether time passes in it: it is neither paused nor over."""
        return self.state in (RunState.RUNNING, RunState.PAUSING, RunState.CANCELLING)


@dataclass(frozen=True)
class SessionRecord:
    """One context window of conversation, without its words: those are in the log."""

    id: SessionId
    agent: AgentId
    role: str
    model: str
    attempt: AttemptId | None
    task: TaskId | None
    started_at: str
    turns: int = 0
    awaiting: int = 0
    """The turn that was requested and has no answer yet; 0: none."""
    calls: tuple[CallId, ...] = ()
    """Tool calls that were requested and not settled."""
    usage: UsageTotal = UsageTotal()
    outcome: str = ""
    previous: SessionId | None = None
    """The session that this one continues."""
    number: int = 1
    """Which session of its attempt it is."""
    parent: SessionId | None = None
    """The session that sent this sub-agent."""
    call: CallId | None = None
    """The call by which it did."""
    clocked_s: float = 0.0
    """`ProjectState.worked_s` when it began."""


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """A question that waits for an answer."""

    id: ApprovalId
    kind: str
    subject: str
    purpose: str
    agent: AgentId | None
    task: TaskId | None
    asked_at: str
    choices: tuple[str, ...]
    """What can be answered; none: free text."""


@dataclass(frozen=True, slots=True)
class PromptRecord:
    """What a person said to an agent that has not heard it yet."""

    id: PromptId
    agent: AgentId
    text: str
    queued_at: str


@dataclass(frozen=True)
class PlanRecord:
    """The newest plan."""

    id: PlanId
    path: str
    stage: str
    state: str
    """`running`, `finished` or `failed`."""
    outline: str = ""
    """The accepted outline (JSON), for a plan that goes on; empty once the requirements have changed."""
    writing: tuple[tuple[SpecId, str], ...] = ()
    """Specs whose text is streaming in, with their paths."""
    written: tuple[tuple[SpecId, str], ...] = ()
    """Specs and stages (`specs`, `tasks`) that stand complete in their files; goes with the outline."""
    steps: int = 0
    """Texts that the plan has to write in all: bodies and task lists; 0 while that is not known."""
    steps_done: int = 0
    """Those of them that are written or offered."""
    turns: int = 0
    """Of its planner, those of the plans that it goes on with included."""
    usage: UsageTotal = UsageTotal()
    reason: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenCheck:
    """A verify command that was requested and has not settled."""

    task: TaskId
    attempt: AttemptId | None
    command: str


@dataclass(frozen=True, slots=True)
class OpenEdit:
    """An edit that was requested and has not settled."""

    attempt: AttemptId | None
    task: TaskId | None
    path: str
    before_digest: Digest | None
    after_digest: Digest


@dataclass(frozen=True, slots=True)
class ChangeSetRecord:
    """Where to find the change set of an attempt: the diff is in the event `seq`."""

    attempt: AttemptId
    seq: int
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeadRecord:
    """What git had checked out when one last looked."""

    branch: str
    commit: str


class Plan:
    """The specs and the graph that follows from them; the graph is built when first asked for."""

    def __init__(self, specs: HashTrieMap[SpecId, SpecDefinition]) -> None:
        self.specs = specs

    @cached_property
    def _built(self) -> tuple[TaskGraph, tuple[Problem, ...]]:
        return build_graph(self.specs.values())

    @property
    def graph(self) -> TaskGraph:
        """The task graph over all specs that are not being generated."""
        return self._built[0]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong between the specs; what is wrong inside one is in its `problems`."""
        return self._built[1]


class Progress:
    """The readiness of a plan's tasks, computed when first asked for and kept up incrementally from then on."""

    def __init__(self, plan: Plan, tasks: HashTrieMap[TaskId, TaskRecord], known: Readiness | None = None) -> None:
        self._plan = plan
        self._tasks = tasks
        self._known = known

    @property
    def readiness(self) -> Readiness:
        """Which tasks have all dependencies satisfied."""
        if self._known is None:
            self._known = Readiness.of(self._plan.graph, self._is_satisfied)
        return self._known

    def after(self, tasks: HashTrieMap[TaskId, TaskRecord], task: TaskId) -> Progress:
        """The progress once `task` has the record that `tasks` holds."""
        if self._known is None or task not in self._plan.graph.tasks:
            return Progress(self._plan, tasks, self._known)
        now = is_satisfied(tasks, task)
        known = self._known if now == self._is_satisfied(task) else self._known.after(self._plan.graph, task, now)
        return Progress(self._plan, tasks, known)

    def _is_satisfied(self, task: TaskId) -> bool:
        return is_satisfied(self._tasks, task)


def is_satisfied(tasks: HashTrieMap[TaskId, TaskRecord], task: TaskId) -> bool:
    """Whether dependants of `task` need not wait for it."""
    record = tasks.get(task)
    return record is not None and record.state in SATISFIED


def _nothing() -> HashTrieMap[Any, Any]:
    return HashTrieMap()


def _no_specs() -> Plan:
    return Plan(HashTrieMap())


@dataclass(frozen=True)
class ProjectState:
    """Everything that a client may want to know at one sequence number."""

    id: ProjectId = ProjectId("")
    name: str = ""
    seq: int = 0
    requirements: HashTrieMap[str, tuple[Requirement, ...]] = field(default_factory=_nothing)
    """By path of the document."""
    plan: Plan = field(default_factory=_no_specs)
    progress: Progress = field(default_factory=lambda: Progress(_no_specs(), HashTrieMap()))
    tasks: HashTrieMap[TaskId, TaskRecord] = field(default_factory=_nothing)
    run: RunRecord | None = None
    sessions: HashTrieMap[SessionId, SessionRecord] = field(default_factory=_nothing)
    approvals: HashTrieMap[ApprovalId, ApprovalRecord] = field(default_factory=_nothing)
    prompts: HashTrieMap[PromptId, PromptRecord] = field(default_factory=_nothing)
    planning: PlanRecord | None = None
    out_of_scope: tuple[RequirementId, ...] = ()
    """Requirements that the last accepted outline leaves out, with a reason that stands in its event."""
    checks: HashTrieMap[CheckId, OpenCheck] = field(default_factory=_nothing)
    edits: HashTrieMap[EditId, OpenEdit] = field(default_factory=_nothing)
    change_sets: HashTrieMap[TaskId, tuple[ChangeSetRecord, ...]] = field(default_factory=_nothing)
    usage: UsageTotal = UsageTotal()
    head: HeadRecord | None = None
    rebuilt: str = ""
    """What was lost of a damaged log, until somebody orders work again."""
    unread: tuple[SpecId, ...] = ()
    """Specs that were not read since: nobody knows who ticked what in them."""
    worked_s: float = 0.0
    """Seconds that runs were at work."""
    clocked_at: str = ""
    """The time up to which they are counted."""
    quarters: tuple[Quarter, ...] = ()
    """What was used lately, from which today's sum is made."""

    @property
    def graph(self) -> TaskGraph:
        """The task graph."""
        return self.plan.graph

    @property
    def running_plan(self) -> PlanRecord | None:
        """The newest plan while it is under way."""
        return self.planning if self.planning is not None and self.planning.state == "running" else None

    def record(self, task: TaskId) -> TaskRecord:
        """What is known of a task; `UNTOUCHED` of one that nothing happened to."""
        return self.tasks.get(task, UNTOUCHED)

    @property
    def in_flight(self) -> TaskId | None:
        """The task that an agent works on, or would go on with."""
        return next((task for task, record in self.tasks.items() if record.attempt is not None), None)

    def renumbered(self, task: TaskId) -> TaskId:
        """The id by now of a task in flight that had this one: people renumber tasks while agents work."""
        return task if self.record(task).attempt is not None else self.in_flight or task

    def task_of(self, session: SessionRecord) -> TaskId | None:
        """The id by now of the task that a session is about."""
        task, attempt = session.task, session.attempt
        if task is None or attempt is None or self.record(task).attempt == attempt:
            return task
        return next((known for known, record in self.tasks.items() if record.attempt == attempt), task)

    def state_of(self, task: TaskId) -> TaskState:
        """The state of a leaf as people see it: `READY` instead of `PENDING` where nothing is left to wait for."""
        state = self.record(task).state
        ready = state is TaskState.PENDING and task not in self.graph.faulty and self.progress.readiness.is_ready(task)
        return TaskState.READY if ready else state
