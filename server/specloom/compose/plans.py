"""Carries out plans: the engine's port over the `planning` floor. Refuses to decide what a good plan is."""

from dataclasses import dataclass, replace

from specloom.agent.loop import LoopPorts
from specloom.agent.replay import Replayed
from specloom.agent.roles import RoleName
from specloom.agent.session import SessionSetup
from specloom.compose.written_steps import written_steps
from specloom.domain.events import Event
from specloom.domain.events.planning import (
    OutlineAccepted,
    PlanFinished,
    PlanningEvent,
    PlanStarted,
    SpecGenerating,
    SpecWritten,
)
from specloom.domain.ids import AgentId
from specloom.domain.spec import SpecDefinition
from specloom.domain.states import TaskState
from specloom.engine.asker import DeskAsker
from specloom.engine.briefings import instructions
from specloom.engine.context import EngineContext
from specloom.engine.hands import NO_CALL, SessionHands
from specloom.engine.journal import AttemptJournal
from specloom.engine.keeping import kept_ports
from specloom.engine.open_files import recalled
from specloom.engine.plan_gate import HeldJournal, PlanGate
from specloom.engine.ports import PlanRequest
from specloom.planning.history import interrupted_in, is_whole
from specloom.planning.planner import Planner
from specloom.planning.ports import (
    PLANNER,
    Interrupted,
    Known,
    PlanningOptions,
    PlanningPorts,
    PlanOrder,
    SpecOrder,
)
from specloom.tools.ports import ReadMemory, ToolContext
from specloom.tools.registry import ToolBox
from specloom.workspace.workspace import Workspace

LOOK_BACK = 50_000
"""Events in which an interrupted session is looked for; one that lies further back is asked anew."""
KEPT = (TaskState.DONE, TaskState.SKIPPED, TaskState.IN_PROGRESS)


class PlanningWorker:
    """An `engine.ports.PlanWorker`."""

    async def work(self, request: PlanRequest, engine: EngineContext, gate: PlanGate) -> None:
        """Returns when the plan has finished or failed, which is recorded."""
        planner, known, past = _planner(engine, gate), await _known(engine), await interrupted(engine)
        shelf, record = engine.library.shelf, engine.state.planning
        outline = record.outline if record is not None else ""
        if request.stage == "project":
            document, text = shelf.requirements[request.path], shelf.texts[request.path]
            done = await written_steps(engine, LOOK_BACK)
            await planner.plan(
                PlanOrder(request.plan, document, text, known, request.feedback, outline, done, interrupted=past)
            )
            return
        assert request.spec is not None
        text = _document_of(engine.library.spec(request.spec), engine)
        order = SpecOrder(request.plan, request.spec, known, request.feedback, outline, text, interrupted=past)
        await (planner.extract_tasks(order) if request.stage == "tasks" else planner.continue_spec(order))


@dataclass(frozen=True, slots=True)
class _Journal:
    """A `planning.ports.Journal`; the start of a plan was recorded with the order."""

    engine: EngineContext
    gate: PlanGate

    async def __call__(self, *events: PlanningEvent) -> None:
        if any(_judges(event) for event in events):
            await self.gate.hold()
        news = [event for event in events if not isinstance(event, PlanStarted)]
        if any(isinstance(event, PlanFinished) for event in news):
            # Whoever hears that the plan is finished finds its tasks in the projection.
            await self.engine.library.refresh()
        if news:
            await self.engine.mailbox.record(*news)


def _judges(event: PlanningEvent) -> bool:
    """Whether it says more than what has happened: what is to be written by the documents as they were read."""
    match event:
        case OutlineAccepted() | SpecGenerating():
            return True
        case SpecWritten():
            return event.offered
        case _:
            return False


OTHERS = "the user, or Specloom as it writes specs"


@dataclass(frozen=True, slots=True)
class _Keeping:
    """A `planning.ports.Keeping` over the engine's own."""

    engine: EngineContext

    async def __call__(self, ports: LoopPorts, replayed: Replayed) -> LoopPorts:
        hands, engine = ports.hands, self.engine
        assert isinstance(hands, SessionHands), "as `_hands` made them"
        known = await recalled(engine.workspace, replayed.shown)
        kept = kept_ports(engine, ports, hands, replayed.conversation, known, warned=replayed.warned, others=OTHERS)
        return replace(kept, now=engine.now)


async def interrupted(engine: EngineContext) -> Interrupted | None:
    """The planner session that an earlier plan was stopped in, looked up from the end of the log."""
    if all(session.role != RoleName.PLANNER.value for session in engine.state.sessions.values()):
        return None
    events: list[Event] = []
    async for page in engine.ledger.pages_back():
        events[:0] = (item.event for item in page)
        if len(events) >= LOOK_BACK or is_whole(events):
            break
    return interrupted_in(events)


def _document_of(spec: SpecDefinition | None, engine: EngineContext) -> str:
    """The requirements document that a spec was written for, as far as it can be told."""
    shelf, wanted = engine.library.shelf, {ref.id for ref in spec.requirements} if spec is not None else set[str]()
    serving = (
        path for path, document in shelf.requirements.items() if wanted & {item.id for item in document.requirements}
    )
    path = next(serving, None)
    return "" if path is None else shelf.texts[path]


def _planner(engine: EngineContext, gate: PlanGate) -> Planner:
    agent = AgentId(PLANNER)
    files = engine.workspace.recorded(HeldJournal(AttemptJournal(engine.ledger, engine.ids, agent=agent), gate))
    ports = PlanningPorts(
        asking=engine.asking(RoleName.PLANNER, agent),
        gate=gate,
        files=files,
        journal=_Journal(engine, gate),
        ids=engine.ids,
        toolbox=engine.box(RoleName.PLANNER),
        hands=lambda setup, box: _hands(engine, files, setup, box),
        keeping=_Keeping(engine),
        spec_stream=engine.output.spec,
    )

    def options() -> PlanningOptions:
        role, limits = engine.options.roles[RoleName.PLANNER], engine.options.limits
        return PlanningOptions(
            model=role.model,
            max_tokens=role.max_tokens,
            thinking=role.thinking,
            repairs=limits.plan_repairs,
            max_turns=limits.turns,
            parallel_tools=limits.parallel_tools,
            agent=agent,
        )

    return Planner(ports, options)


def _hands(engine: EngineContext, files: Workspace, setup: SessionSetup, box: ToolBox) -> SessionHands:
    context = ToolContext(
        files=files,
        asker=DeskAsker(engine.desk, engine.permits, RoleName.PLANNER, setup.agent, None),
        output=engine.output.command(setup.id, NO_CALL),
        memory=ReadMemory(),
        agent=setup.agent,
        session=setup.id,
        attempt=None,
        task=None,
        call=NO_CALL,
        environment=engine.options.environment,
    )
    return SessionHands(box, context, engine.output)


async def _known(engine: EngineContext) -> Known:
    shelf, state = engine.library.shelf, engine.state
    files = await engine.workspace.walk()
    shown = engine.options.limits.files_shown
    return Known(
        requirements=tuple(item for document in shelf.requirements.values() for item in document.requirements),
        specs=tuple(shelf.specs.values()),
        kept=frozenset(task for task in state.graph.order if state.record(task).state in KEPT),
        instructions=await instructions(engine),
        files=files[:shown],
        files_left_out=max(len(files) - shown, 0),
    )
