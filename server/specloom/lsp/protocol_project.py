"""The projection as clients see it. Refuses texts of conversations and documents: fetch those where they stand."""

from typing import Literal, TypeAlias

from specloom.lsp.protocol import Approval, Budget, Count, Params, PauseCause, Prompt, Scope, Spent, Usage, Wire

TaskState: TypeAlias = Literal["pending", "ready", "in_progress", "done", "failed", "blocked", "skipped"]
RunState: TypeAlias = Literal["running", "pausing", "paused", "cancelling", "finished"]


class Requirement(Wire):
    """One requirement."""

    id: str
    text: str
    title: str
    path: str
    uri: str
    line: int
    spec_ids: list[str]
    """Specs that serve it."""


class Counts(Wire):
    """Leaf tasks by state; `total` is the sum of the others."""

    total: Count
    done: Count
    failed: Count
    blocked: Count
    skipped: Count
    pending: Count
    """Pending, ready or in progress."""


class Spec(Wire):
    """One spec document."""

    id: str
    title: str
    path: str
    uri: str
    status: Literal["ready", "generating"]
    depends_on: list[str]
    requirements: list[str]
    counts: Counts


class Task(Wire):
    """One task with its state. A parent's state follows from its leaves."""

    id: str
    spec_id: str
    number: str
    title: str
    state: TaskState
    reason: str
    """Why it is failed, blocked or skipped."""
    cause: str | None
    """The task whose failure blocks it."""
    proven: bool
    was_proven: bool
    """Whether commands proved it, stale or not."""
    stale: list[str]
    """Files behind the proof that have changed since."""
    outdated: list[str]
    """Requirements that it was done for and that read otherwise now."""
    verifiable: bool
    """Whether commands stand in its evidence, which a run can repeat."""
    attempts: int
    agent_id: str | None
    parent: str | None
    is_leaf: bool
    optional: bool
    requirements: list[str]
    depends_on: list[str]
    """Tasks that must be done before; where many are, `dependsOnGroups` says the rest."""
    depends_on_groups: list[str]
    """Ids in `dependencyGroups`: all tasks of these must be done before, too."""
    verify: list[str]
    line: int
    turns: int
    usage: Usage
    started_at: str | None
    ended_at: str | None
    worked: float
    """Seconds of work in it; to be added to what `work` says while it is in progress."""


class Session(Wire):
    """One context window of conversation."""

    id: str
    agent_id: str
    role: str
    model: str
    task_id: str | None
    started_at: str
    turns: int
    usage: Usage
    outcome: str
    """Empty while it is open; `rotated` where another session goes on with its work."""
    previous_id: str | None
    """The session that this one continues."""
    number: int
    """Which session of its attempt it is, in its role."""
    parent_id: str | None
    """The session that sent it, where it is a sub-agent's."""
    parent_call_id: str | None
    """The call by which it did."""
    worked_before: float
    """Seconds of `work` when it began."""


class Agent(Wire):
    """A worker, as its open sessions show it."""

    id: str
    role: str
    task_id: str | None
    session_id: str
    turns: int


class Run(Wire):
    """The newest run."""

    id: str
    scope: Scope
    budget: Budget
    """With what was granted on top."""
    unattended: bool
    state: RunState
    reason: str
    """Beyond what the state says: empty where a person gave none."""
    cause: PauseCause
    """Why it is paused, if it is."""
    pause_after: Literal["turn", "task"] | None
    """What ends first, while it is pausing."""
    outcome: Literal["completed", "incomplete", "cancelled", "fault", "budget"] | None
    turns: int
    usage: Usage
    spent: Spent
    started_at: str
    ended_at: str | None
    worked: float
    """Seconds of work of it; to be added to what `work` says while it is not finished."""


class Work(Wire):
    """How long runs of this project have been at work: no pauses, and an hour at most between two events that count."""

    seconds: float
    since: str | None
    """Since when there are more; `null` while no run is at work."""


class Today(Wire):
    """What this day may use here, by local date, and what it has used: all runs and plans of the project."""

    budget: Budget
    """With what was granted on top."""
    spent: Spent


class WritingSpec(Wire):
    """A spec whose text is streaming in."""

    spec_id: str
    path: str


class Planning(Wire):
    """The newest plan."""

    id: str
    path: str
    stage: Literal["specs", "tasks"]
    state: Literal["running", "finished", "failed"]
    writing: list[WritingSpec]
    reason: str
    turns: Count
    """Of its planner, those of the plans that it goes on with included."""
    usage: Usage


class ProblemCounts(Wire):
    """How many problems stand in the documents."""

    error: Count
    warning: Count
    information: Count


class DependencyGroup(Wire):
    """Tasks that many others wait for as one; the id is opaque and holds for one answer."""

    id: str
    task_ids: list[str]
    groups: list[str]
    """Groups whose tasks belong to it, too."""


class TaskOrder(Wire):
    """What may be ordered of a task in one of these states, for menus; the server decides all the same.

    Nothing of it holds for the tasks of a spec that is generating.
    """

    title: str
    method: str
    """With the task as `taskId`, or as the scope of a run."""
    leaf_states: list[TaskState]
    group_states: list[TaskState]
    idle: bool
    """Only while neither a run nor a plan is going on."""
    doubtful: bool
    """Only for what is stale or outdated, and verifiable."""


class ProjectGetParams(Params):
    """The whole projection."""


class ProjectGetResult(Wire):
    """What is true at `seq`; subscribe with `since: seq` to hear what follows."""

    id: str
    name: str
    root_uri: str
    seq: int
    read_only: bool
    """Another process hosts this root; orders are refused."""
    requirements: list[Requirement]
    specs: list[Spec]
    tasks: list[Task]
    task_orders: list[TaskOrder]
    dependency_groups: list[DependencyGroup]
    agents: list[Agent]
    sessions: list[Session]
    approvals: list[Approval]
    prompts: list[Prompt]
    """What people said to agents that have not heard it yet, oldest first."""
    run: Run | None
    work: Work
    planning: Planning | None
    budget: Budget
    today: Today | None
    """`null` where another process hosts the root."""
    usage: Usage
    counts: Counts
    problems: ProblemCounts
