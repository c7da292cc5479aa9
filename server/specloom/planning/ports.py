"""What planning needs from above, and what it answers. Refuses to know who implements it: the engine does, tests do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from specloom.agent.ask import AskPorts
from specloom.agent.calls import Hands
from specloom.agent.loop import LoopPorts
from specloom.agent.ports import Gate
from specloom.agent.replay import Replayed
from specloom.agent.session import SessionSetup
from specloom.domain.events import Event
from specloom.domain.events.planning import PlanningEvent, PlanStage
from specloom.domain.ids import AgentId, PlanId, SessionId, SpecId, TaskId, spec_of
from specloom.domain.ports import Ids
from specloom.domain.problem import Problem
from specloom.domain.requirement import Requirement, RequirementsDocument
from specloom.domain.spec import SpecDefinition
from specloom.llm.messages import ThinkingSetting
from specloom.tools.ports import Files
from specloom.tools.registry import ToolBox

PLANNER = AgentId("planner")


class Journal(Protocol):
    """Writes down what planning did."""

    async def __call__(self, *events: PlanningEvent) -> None:
        """The events are in the log, durably and in this order, when this returns."""
        ...


class Keeping(Protocol):
    """Has a session told of what changes in the files that it reads."""

    async def __call__(self, ports: LoopPorts, replayed: Replayed) -> LoopPorts:
        """The ports of a session that begins, or goes on where `replayed` ends, with its context kept."""
        ...


@dataclass(frozen=True, slots=True)
class PlanningOptions:
    """Settings as planning needs them."""

    model: str
    max_tokens: int = 32_768
    thinking: ThinkingSetting = ThinkingSetting()
    continuations: int = 5
    """How often an answer that is cut off at its length limit is continued."""
    repairs: int = 3
    """How often the faults of one answer go back to the model before they come to the user."""
    max_turns: int = 30
    """Of one session."""
    parallel_tools: int = 5
    agent: AgentId = PLANNER
    write_interval_s: float = 0.125
    """Seconds between two writes into a file that streams."""


@dataclass(frozen=True, slots=True)
class PlanningPorts:
    """What planning works through."""

    asking: AskPorts
    gate: Gate
    files: Files
    journal: Journal
    ids: Ids
    toolbox: ToolBox
    """The tools of the role."""
    hands: Callable[[SessionSetup, ToolBox], Hands]
    """The hands of one session, with the tools of its box."""
    keeping: Keeping
    spec_stream: Callable[[SessionId, SpecId, str, str], None]
    """Session, spec, path and the text that was added to it; lossy, returns at once."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is there already: documents, progress, files."""

    requirements: tuple[Requirement, ...] = ()
    """Of all documents."""
    specs: tuple[SpecDefinition, ...] = ()
    """All that exist, those that are still `generating` included."""
    kept: frozenset[TaskId] = frozenset()
    """Leaves that are done, skipped or in progress: no word of theirs changes."""
    instructions: tuple[tuple[str, str], ...] = ()
    """Path and text of the AGENTS.md files that apply."""
    files: tuple[str, ...] = ()
    """Paths in the root, bounded."""
    files_left_out: int = 0

    def kept_of(self, spec: SpecId) -> frozenset[TaskId]:
        """The kept leaves of one spec."""
        return frozenset(task for task in self.kept if spec_of(task) == spec)


@dataclass(frozen=True, slots=True)
class Step:
    """What one session of a plan is held for."""

    spec: SpecId | None = None
    """`None`: the outline."""
    stage: PlanStage = PlanStage.SPECS
    """The spec's text, or its tasks."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A session that the log knows and whose result it does not: the process was stopped, or the plan was cancelled."""

    step: Step
    events: tuple[Event, ...]
    """All of the session, in order, its start first."""
    repairs: int = 0
    """How many faults went back in it."""


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """Turn a requirements document into specs with tasks."""

    plan: PlanId
    document: RequirementsDocument
    text: str
    """Of the document, verbatim."""
    known: Known = Known()
    feedback: str = ""
    """What the user wants otherwise, verbatim."""
    outline: str = ""
    """Of `OutlineAccepted`, to go on with a plan that was interrupted: what is written already is kept.

    Passed over when there is feedback, or when it no longer fits the document.
    """
    written: frozenset[Step] = frozenset()
    """What the plan with this outline has brought to its end."""
    interrupted: Interrupted | None = None
    """Where that plan stopped; passed over when what the session was told no longer holds."""


@dataclass(frozen=True, slots=True)
class SpecOrder:
    """Work on one spec that exists: derive its tasks, or go on writing it."""

    plan: PlanId
    spec: SpecId
    known: Known
    feedback: str = ""
    outline: str = ""
    """Of the plan that the spec belongs to, if it is known."""
    document: str = ""
    """The requirements document, verbatim, where it is at hand."""
    interrupted: Interrupted | None = None
    """As in `PlanOrder`."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan is carried out."""

    specs: tuple[SpecId, ...]
    """Of the plan, in order."""
    offered: tuple[SpecId, ...] = ()
    """Those whose finished text waits for the user, who edited the file meanwhile."""


@dataclass(frozen=True, slots=True)
class NotPlanned:
    """The plan ended without result; what was written before stays."""

    kind: Literal["faulty", "refused", "fault", "budget", "cancelled"]
    """`faulty`: the problems outlived all repairs; `refused`: the model or the files would not; else as in `Halt`."""
    reason: str
    problems: tuple[Problem, ...] = ()


PlanResult: TypeAlias = Planned | NotPlanned


class PlanStopError(Exception):
    """Ends the work on a plan from within; never leaves this floor."""

    def __init__(self, result: NotPlanned) -> None:
        super().__init__(result.reason)
        self.result = result
