"""What clients (editors, the command line) can ask of a project's runtime. Refuses protocol types and rendering.

Everything here answers at once: long work is started, and heard of through events.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from specloom.domain.budgets import Account
from specloom.domain.commands import UserTaskCommand
from specloom.domain.estimates import Estimate
from specloom.domain.events import Event
from specloom.domain.evidence import Evidence
from specloom.domain.ids import AgentId, ApprovalId, PromptId, SessionId, SpecId, TaskId
from specloom.domain.origin import Origin
from specloom.domain.permissions.grants import Grant
from specloom.domain.permissions.rules import Profile
from specloom.domain.problem import Problem
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.requirement import RequirementsDocument
from specloom.domain.runs import Budget, RunState, Scope
from specloom.domain.spec import SpecDefinition
from specloom.workspace.documents import OpenDocuments
from specloom.workspace.ports import BufferOwner


@dataclass(frozen=True, slots=True)
class Published:
    """A committed event as subscribers hear it."""

    seq: int
    at: str
    by: Origin
    event: Event
    command_id: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The order was taken; `seq` is the last event that it caused so far, `id` what it started (a run, a plan)."""

    seq: int
    id: str = ""
    repeated: bool = False
    """The same command id was carried out before; nothing happened twice."""


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """A key for one endpoint. Its `repr` does not show it."""

    endpoint: str | None
    """Its address; `None`: the only one that the settings name."""
    key: str | None = field(repr=False)
    """Empty: forget it. `None`: only tell."""
    keep: bool = False
    """Also in the keyring of the system."""


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """Where the key of an endpoint is now, for people too; never the key."""

    endpoint: str
    kept: Literal["keyring", "memory", "nowhere"]
    source: str
    """Where the key that is sent there comes from; empty: there is none."""
    message: str
    seq: int = 0
    repeated: bool = False


OutputKind: TypeAlias = Literal["text", "thinking", "tool_input", "command", "spec"]


@dataclass(frozen=True, slots=True)
class OutputChunk:
    """A piece of the lossy side channel. `block` counts within the session (`command`: the call, `spec`: the spec)."""

    session: SessionId
    block: str
    kind: OutputKind
    text: str
    name: str = ""
    """Of the tool, or the path of the spec."""
    dropped: int = 0
    """Characters before it that did not get here."""
    from_start: bool = False
    """It is all that its block said so far, after those: it takes the place of whatever is known of the block."""


class EventListener(Protocol):
    """Hears committed events in order; must return at once."""

    def __call__(self, published: Published, state: ProjectState) -> None:
        """`state` is the projection right after the event."""
        ...


class OutputListener(Protocol):
    """Hears output; must return at once."""

    def __call__(self, chunk: OutputChunk) -> None:
        """A piece, in the order of its block."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked. `subject` is the exact command, proposal or file list; `choices[0]` is the yes."""

    approval: ApprovalId
    kind: Literal["command", "proposal", "question", "budget"]
    subject: str
    purpose: str
    choices: tuple[str, ...] = ("Allow once", "Deny")


class Prompter(Protocol):
    """A client that can put a question to a person."""

    async def ask(self, question: Question) -> str | None:
        """The chosen text; `None` when the person dismissed it or the client cannot ask. Cancelled at the deadline."""
        ...

    async def tell(self, level: Literal["info", "warning", "error"], message: str) -> None:
        """Shows a message; never waits for the person."""
        ...


class Client(BufferOwner, Prompter, Protocol):
    """One attached editor or terminal."""

    id: str
    final: bool
    """True: a `None` from `ask` means that nobody can answer here later either (a pipe); false: the queue keeps it."""


HealthStatus: TypeAlias = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Health:
    """How a project does, at one look."""

    status: HealthStatus
    message: str
    """What is wrong and what to do, for people; empty: nothing."""
    quiescent: bool
    """Nothing goes on, and nothing waits for anybody."""
    queues: Mapping[str, int]
    prompts: int
    approvals: int
    run: RunState | None
    """The state of the newest run."""


class Orders(Protocol):
    """One project root, wherever it is hosted: what is told of it, and what a person can order."""

    root: Path

    @property
    def state(self) -> ProjectState:
        """The projection as of now; an immutable value."""
        ...

    @property
    def problems(self) -> Mapping[str, tuple[Problem, ...]]:
        """All problems by path: of parsing, of the graph, of failed verifications, refused edits and stale proofs."""
        ...

    def attach(self, client: Client) -> AbstractContextManager[None]:
        """Registers a client for questions and messages while the context is open."""
        ...

    def listen(self, listener: EventListener) -> AbstractContextManager[int]:
        """Live events after the returned sequence number while the context is open."""
        ...

    def watch_output(self, listener: OutputListener) -> AbstractContextManager[None]:
        """The lossy stream while the context is open."""
        ...

    async def plan(
        self, path: str | None, feedback: str, by: Origin, command_id: str | None = None, *, unattended: bool = False
    ) -> Accepted | Rejected:
        """Starts to turn requirements (`None`: the root's own) into specs and tasks. `Accepted.id` is a `PlanId`."""
        ...

    async def cancel_plan(self, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Stops the plan that is running."""
        ...

    async def start_run(
        self,
        scope: Scope,
        budget: Budget,
        by: Origin,
        command_id: str | None = None,
        *,
        unattended: bool = False,
        profile: Profile | None = None,
    ) -> Accepted | Rejected:
        """Starts a run; `Accepted.id` is a `RunId`. `profile` beats those of the settings until the next order."""
        ...

    async def pause(
        self, by: Origin, command_id: str | None = None, *, at_once: bool = False, after_task: bool = False
    ) -> Accepted | Rejected:
        """Pauses at the next turn boundary, or when the task in flight is over.

        `at_once`: cuts off what is in flight, which is asked again on resume.
        """
        ...

    async def resume(
        self,
        by: Origin,
        command_id: str | None = None,
        *,
        unattended: bool = False,
        profile: Profile | None = None,
    ) -> Accepted | Rejected:
        """Goes on with a paused run, also one that an earlier process left."""
        ...

    async def cancel(self, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Cancels the run now."""
        ...

    def host_of(self, role: str) -> str:
        """Where a role's model is asked, for messages: host and port."""
        ...

    async def wait_idle(self) -> None:
        """Returns when neither a plan nor a run is going on (a paused run counts as idle)."""
        ...


class Runtime(Orders, Protocol):
    """One project root, hosted in this process."""

    documents: OpenDocuments

    def requirements_at(self, path: str) -> RequirementsDocument | None:
        """The requirements document at `path` as last parsed (buffer over disk), with spans."""
        ...

    def spec_at(self, path: str) -> SpecDefinition | None:
        """The spec at `path` as last parsed (buffer over disk), with spans and lines."""
        ...

    @property
    def queues(self) -> Mapping[str, int]:
        """How much waits for its turn: `orders` of people, `work` of the engine, `readings` of the log."""
        ...

    def health(self, lag_s: float) -> Health:
        """How it does; `lag_s`: by how many seconds the event loop is late."""
        ...

    def watch_problems(self, listener: Callable[[], None]) -> AbstractContextManager[None]:
        """Calls it when `problems` may be others though no event tells of it: settings, or what no document says."""
        ...

    def said_so_far(self) -> tuple[OutputChunk, ...]:
        """What the blocks whose events are still to come have said, one piece each, whoever watched. Bounded."""
        ...

    async def events(self, since: int, limit: int) -> tuple[Published, ...]:
        """At most `limit` committed events with a higher sequence number than `since`, in order."""
        ...

    async def refresh(self, paths: tuple[str, ...] = ()) -> None:
        """Parses documents again (no paths: all of them) and takes in what changed. Debounced by callers."""
        ...

    async def look(self) -> None:
        """A client heard of changed files: whatever differs from what one last saw is taken in, once."""
        ...

    async def extract_tasks(
        self, spec: SpecId, feedback: str, by: Origin, command_id: str | None = None
    ) -> Accepted | Rejected:
        """Starts to derive the tasks of one spec."""
        ...

    async def settle_spec(
        self, spec: SpecId, choice: Literal["continue", "discard"], by: Origin, command_id: str | None = None
    ) -> Accepted | Rejected:
        """Goes on with, or removes, a spec that a crash left `generating`."""
        ...

    async def prompt(self, agent: AgentId, text: str, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Says something to an agent, word for word, at its next turn boundary; `Accepted.id` is a `PromptId`."""
        ...

    async def withdraw_prompt(self, prompt: PromptId, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Takes back what the agent has not heard yet."""
        ...

    @property
    def today(self) -> Account:
        """The limits of a day, and what this one has used of them."""
        ...

    async def change_task(
        self, command: UserTaskCommand, by: Origin, command_id: str | None = None
    ) -> Accepted | Rejected:
        """Skip, retry, unblock or reset."""
        ...

    async def answer(
        self, approval: ApprovalId, choice: str, by: Origin, command_id: str | None = None
    ) -> Accepted | Rejected:
        """Answers an open question from any client."""
        ...

    async def grants(self) -> tuple[Grant, ...]:
        """What is granted here for longer than once, oldest first."""
        ...

    async def revoke(self, grant: str, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Takes a grant back by its id."""
        ...

    async def diff(self, task: TaskId) -> str:
        """The unified diffs of a task's attempts, oldest first; empty when it changed nothing."""
        ...

    def evidence(self, task: TaskId) -> tuple[Evidence, ...]:
        """What proves the task."""
        ...

    def estimate(self, scope: Scope) -> Estimate | Rejected:
        """What a run of the scope will probably take; asks no model and starts nothing."""
        ...

    async def is_lost(self) -> bool:
        """Whether the log was removed or replaced: nothing can be kept any more, and a fresh runtime is needed."""
        ...

    async def configure(self, editor: Mapping[str, object]) -> None:
        """Other settings of the editor, with the nested keys of `specloom.toml`, count from the next turn on."""
        ...

    async def set_key(self, order: KeyOrder, by: Origin, command_id: str | None = None) -> KeyAnswer | Rejected:
        """Takes a key for one of the endpoints that the settings name, and goes on where one was missing."""
        ...

    async def close(self) -> None:
        """Pauses what runs, settles it, and gives up the lock. The object is of no use afterwards."""
        ...
