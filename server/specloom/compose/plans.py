"""Carries out plans: the engine's port over the `planning` floor. Refuses to decide what a good plan is."""

from dataclasses import dataclass

from specloom.agent.ports import Gate
from specloom.agent.roles import RoleName
from specloom.agent.session import SessionSetup
from specloom.domain.events.planning import PlanFinished, PlanningEvent, PlanStarted
from specloom.domain.ids import AgentId
from specloom.domain.states import TaskState
from specloom.engine.briefings import instructions
from specloom.engine.context import EngineContext
from specloom.engine.hands import NO_CALL, DeskAsker, SessionHands
from specloom.engine.journal import AttemptJournal
from specloom.engine.ports import PlanRequest
from specloom.planning.planner import Planner
from specloom.planning.ports import PLANNER, Known, PlanningOptions, PlanningPorts, PlanOrder, SpecOrder
from specloom.tools.ports import ReadMemory, ToolContext
from specloom.tools.registry import ToolBox
from specloom.workspace.workspace import Workspace

KEPT = (TaskState.DONE, TaskState.SKIPPED, TaskState.IN_PROGRESS)


class PlanningWorker:
    """An `engine.ports.PlanWorker`."""

    async def work(self, request: PlanRequest, engine: EngineContext, gate: Gate) -> None:
        """Returns when the plan has finished or failed, which is recorded."""
        planner = _planner(engine, gate)
        known = await _known(engine)
        outline = engine.state.planning.outline if engine.state.planning is not None else ""
        if request.stage == "project":
            shelf = engine.library.shelf
            document, text = shelf.requirements[request.path], shelf.texts[request.path]
            await planner.plan(PlanOrder(request.plan, document, text, known, request.feedback, outline))
            return
        assert request.spec is not None
        order = SpecOrder(request.plan, request.spec, known, request.feedback, outline)
        await (planner.extract_tasks(order) if request.stage == "tasks" else planner.continue_spec(order))


@dataclass(frozen=True, slots=True)
class _Journal:
    """A `planning.ports.Journal`; the start of a plan was recorded with the order."""

    engine: EngineContext

    async def __call__(self, *events: PlanningEvent) -> None:
        news = [event for event in events if not isinstance(event, PlanStarted)]
        if any(isinstance(event, PlanFinished) for event in news):
            # Whoever hears that the plan is finished finds its tasks in the projection.
            await self.engine.library.refresh()
        if news:
            await self.engine.mailbox.record(*news)


def _planner(engine: EngineContext, gate: Gate) -> Planner:
    role, agent = engine.options.roles[RoleName.PLANNER], AgentId(PLANNER)
    files = engine.workspace.recorded(AttemptJournal(engine.ledger, engine.ids, agent=agent))
    ports = PlanningPorts(
        asking=engine.asking(RoleName.PLANNER, agent),
        gate=gate,
        files=files,
        journal=_Journal(engine),
        ids=engine.ids,
        toolbox=engine.box(RoleName.PLANNER),
        hands=lambda setup, box: _hands(engine, files, setup, box),
        spec_stream=engine.output.spec,
    )
    limits = engine.options.limits
    options = PlanningOptions(
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
        asker=DeskAsker(engine.desk, frozenset(), setup.agent, None),
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
