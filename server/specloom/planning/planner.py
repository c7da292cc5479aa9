"""The planner: requirements into specs, specs into tasks. Refuses to raise for a plan that fails: that is a result."""

import asyncio
from collections.abc import Awaitable, Callable

from specloom.domain.events.planning import PlanFailed, PlanFinished, PlanStage, PlanStarted
from specloom.domain.ids import PlanId, SpecId
from specloom.domain.problem import Problem
from specloom.domain.spec import Layout, SpecDefinition
from specloom.planning import documents
from specloom.planning.checks import Given, check_body, check_outline, errors_in, slug_of
from specloom.planning.dialogue import Dialogue
from specloom.planning.outline import Outline, PlannedSpec, stored_outline
from specloom.planning.ports import (
    NotPlanned,
    Planned,
    PlanningOptions,
    PlanningPorts,
    PlanOrder,
    PlanResult,
    PlanStopError,
    SpecOrder,
)
from specloom.planning.work import PlanWork
from specloom.workspace.ports import WorkspaceError
from specloom.workspace.shielding import to_the_end


class Planner:
    """Plans one project; one order at a time."""

    def __init__(self, ports: PlanningPorts, options: Callable[[], PlanningOptions]) -> None:
        """`options`: by the settings as they are now."""
        self._ports = ports
        self._options = options

    async def plan(self, order: PlanOrder) -> PlanResult:
        """Outline, then the body of each spec, then the tasks of each; an order with an outline goes on with it."""
        started = PlanStarted(order.plan, order.document.path, PlanStage.SPECS, order.feedback)
        return await self._recorded(started, lambda: self._plan(order))

    async def extract_tasks(self, order: SpecOrder) -> PlanResult:
        """The tasks of one spec that is written, anew; tasks that are done or in progress stay as they are."""
        spec = _spec_in(order)
        started = PlanStarted(order.plan, spec.path, PlanStage.TASKS, order.feedback)
        return await self._recorded(started, lambda: self._extract(order, spec))

    async def continue_spec(self, order: SpecOrder) -> PlanResult:
        """Writes a spec that was left `generating`: its body if that is not whole, then its tasks."""
        spec = _spec_in(order)
        started = PlanStarted(order.plan, spec.path, PlanStage.SPECS, order.feedback)
        return await self._recorded(started, lambda: self._continue(order, spec))

    async def _recorded(self, started: PlanStarted, work: Callable[[], Awaitable[Planned]]) -> PlanResult:
        journal = self._ports.journal
        await journal(started)
        try:
            planned = await work()
        except PlanStopError as stop:
            return await self._failed(started.plan, stop.result)
        except WorkspaceError as error:
            return await self._failed(started.plan, NotPlanned("refused", str(error)))
        except asyncio.CancelledError:
            await to_the_end(self._failed(started.plan, NotPlanned("cancelled", "the plan was cancelled")))
            raise
        await journal(PlanFinished(started.plan, planned.specs))
        return planned

    async def _failed(self, plan: PlanId, result: NotPlanned) -> NotPlanned:
        await self._ports.journal(PlanFailed(plan, result.reason, result.problems))
        return result

    def _dialogue(self, order: PlanOrder | SpecOrder) -> Dialogue:
        return Dialogue(order.plan, self._ports, self._options, order.interrupted)

    def _work(self, order: SpecOrder) -> PlanWork:
        return PlanWork(self._dialogue(order), order.known, order.document)

    async def _plan(self, order: PlanOrder) -> Planned:
        _refuse_unfit(order)
        work = PlanWork(self._dialogue(order), order.known, order.text)
        outline = await self._outline(order, work)
        await work.accept(outline)
        for page in work.pages.values():
            if not work.body_is_current(page):
                await work.write_body(page, outline, order.feedback)
        for page in work.pages.values():
            if not page.offered and not work.tasks_are_current(page):
                await work.write_tasks(page, order.feedback)
        return _planned(work)

    async def _outline(self, order: PlanOrder, work: PlanWork) -> Outline:
        outline = stored_outline(order.outline) if order.outline and not order.feedback else None
        if outline is None or errors_in(check_outline(outline, Given(order.document, order.known.specs))):
            return await work.outline(order)
        work.written = order.written
        return outline

    async def _extract(self, order: SpecOrder, spec: SpecDefinition) -> Planned:
        work = self._work(order)
        await work.open(_outline_of(order))
        await work.write_tasks(work.pages[spec.id], order.feedback)
        return _planned(work, spec.id)

    async def _continue(self, order: SpecOrder, spec: SpecDefinition) -> Planned:
        work = self._work(order)
        outline = _outline_of(order)
        await work.open(outline)
        page = work.pages[spec.id]
        whole = not errors_in(check_body(documents.body_in(page.text), page.path, ()))
        if not (whole and documents.tasks_section(page.text)):
            await work.write_body(page, outline, order.feedback)
        if not page.offered:
            await work.write_tasks(page, order.feedback)
        return _planned(work, spec.id)


def _planned(work: PlanWork, *only: SpecId) -> Planned:
    pages = [page for name, page in work.pages.items() if not only or name in only]
    return Planned(tuple(page.planned.id for page in pages), tuple(page.planned.id for page in pages if page.offered))


def _spec_in(order: SpecOrder) -> SpecDefinition:
    found = next((spec for spec in order.known.specs if spec.id == order.spec), None)
    if found is None:
        raise ValueError(f"there is no spec {order.spec!r} in the order")
    return found


def _outline_of(order: SpecOrder) -> Outline:
    """The outline of the plan, or what the specs themselves tell of it."""
    if order.outline:
        stored = stored_outline(order.outline)
        if any(planned.id == order.spec for planned in stored.specs):
            return stored
    return Outline(tuple(_as_planned(spec) for spec in order.known.specs))


def _as_planned(spec: SpecDefinition) -> PlannedSpec:
    refs = tuple(ref.id for ref in spec.requirements)
    return PlannedSpec(spec.id, slug_of(spec.path), spec.title, "", spec.depends_on, refs)


def _refuse_unfit(order: PlanOrder) -> None:
    path = order.document.path
    foreign = next((spec for spec in order.known.specs if spec.layout is not Layout.SPECLOOM), None)
    if foreign is not None:
        reason = f"{foreign.path} is a spec in the layout of another tool; Specloom runs it and does not rewrite it"
        raise PlanStopError(NotPlanned("refused", reason))
    if not order.document.requirements:
        problem = Problem("no-requirements", f"{path} holds no requirement; write list items such as `- R1.1 …`", path)
        raise PlanStopError(NotPlanned("faulty", f"{path} holds nothing to plan from", (problem,)))
