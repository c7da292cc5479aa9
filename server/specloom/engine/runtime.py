"""One hosted project: what clients ask of it (`api.Runtime`), and the two workers that it owns.

Refuses to do the work itself: a run and a plan are tasks of their own, which it starts, pauses, cancels and awaits.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Literal

from specloom.domain import commands as c
from specloom.domain.budgets import stated
from specloom.domain.decide import check_scope
from specloom.domain.events import planning
from specloom.domain.events.documents import SettingsChanged
from specloom.domain.ids import PlanId, RunId, SpecId
from specloom.domain.origin import Origin
from specloom.domain.permissions.rules import Profile
from specloom.domain.problem import Problem
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunState, Scope
from specloom.engine.abandoning import finish_cancelled, free_idle
from specloom.engine.api import Accepted, Published
from specloom.engine.budget_question import BudgetQuestion, waiting_for
from specloom.engine.changes import tick, ticking
from specloom.engine.context import EngineContext
from specloom.engine.diary import Diary
from specloom.engine.discarding import discard
from specloom.engine.endpoint_wait import EndpointWait
from specloom.engine.endpoints import close_endpoints
from specloom.engine.fault import settled, stopped_by_fault
from specloom.engine.inbox import EXECUTOR
from specloom.engine.mailbox import ENGINE
from specloom.engine.options import EngineOptions
from specloom.engine.plan_gate import PlanGate
from specloom.engine.ports import PlanRequest, PlanWorker
from specloom.engine.project_desk import ProjectDesk
from specloom.engine.root_watch import RootWatch
from specloom.engine.trust import Trust
from specloom.engine.worker import RunWorker
from specloom.logs.about import about
from specloom.store.errors import StoreError
from specloom.store.log import EventStore
from specloom.workspace.documents import OpenDocuments
from specloom.workspace.shielding import to_the_end

log = logging.getLogger(__name__)

CLOSE_DEADLINE = 10.0
"""Seconds that a turn in flight gets to end before it is cut off; what it would have said is asked again later."""


class ProjectRuntime(ProjectDesk):
    """Implements `api.Runtime`. Belongs to one event loop."""

    def __init__(self, engine: EngineContext, store: EventStore, planner: PlanWorker) -> None:
        super().__init__(engine)
        self._store = store
        self._planner = planner
        self._trust = Trust(engine.desk, engine.permits)
        self._trust.on_keys = self._reload
        self._question = BudgetQuestion(engine.mailbox, engine.desk, self._planned_out, self._work, engine.calendar)
        self.endpoint = EndpointWait(engine, self._to_go_on, self._work)
        self._run: asyncio.Task[None] | None = None
        self._plan: asyncio.Task[None] | None = None
        self._unsettled: dict[str, asyncio.Task[None]] = {}
        """Of a run and a plan whose end the log did not take."""
        self._files = RootWatch(engine, self._reload)
        self._watching = self._files.followers
        self._retired: list[EngineOptions] = []
        """Earlier settings, whose endpoints a session in flight may still use."""
        self._letting_go: asyncio.Task[None] | None = None
        self.on_settings: Callable[[], Awaitable[None]] = _nothing
        """Called when `specloom.toml` or `.env` changed on disk."""
        self.on_editor: Callable[[Mapping[str, object]], Awaitable[None]] = _ignored
        """Called with the editor's settings when they changed."""
        self.on_order: Callable[[Origin, bool], Awaitable[None]] = _unsent
        """Called with who orders work, before it is judged; then again, with true, once it is in the log."""
        self.default_budget = Budget()
        """Of a run whose order names no limit."""
        self.root: Path = engine.workspace.root
        self._diary = Diary(self.root)
        self.documents: OpenDocuments = engine.workspace.documents

    async def open(self) -> None:
        """Settles what an earlier process left, and reads the documents. Nothing is run."""
        await self._files.start()
        if (reached := waiting_for(self._engine)) is not None:
            self._question.ask(reached)
        await self.endpoint.look_for_key()
        self.endpoint.begin()
        self._diary.begin(self._engine.ledger.listen(self._diary.heard))

    async def _reload(self) -> None:
        await self.on_settings()

    async def tell_settings(self, keys: tuple[str, ...]) -> None:
        """Says in the log which settings are about to be others."""
        if keys:
            await self._engine.mailbox.record(SettingsChanged(keys))

    def use(self, options: EngineOptions, budget: Budget, problems: tuple[Problem, ...]) -> None:
        """Other settings count from the next turn, command or reading on; what is in flight ends as it began."""
        self._retired.append(self._engine.options)
        self._engine.options = options
        self._engine.permits.policies = options.permissions
        self._engine.desk.deadline = options.limits.ask_timeout_s
        self._engine.library.use(options)
        self.default_budget = budget
        self.add_problems(problems)
        self.endpoint.keyed()
        if self._letting_go is None or self._letting_go.done():
            self._letting_go = asyncio.create_task(self._let_go())

    async def _let_go(self) -> None:
        """Closes the endpoints of earlier settings once nothing is in flight; a later change of settings, otherwise."""
        while self._retired and all(task is None or task.done() for task in (self._run, self._plan)):
            await close_endpoints(self._retired.pop(0), self._engine.options)

    def add_problems(self, problems: tuple[Problem, ...]) -> None:
        """Problems of files that the engine does not read, such as `specloom.toml`."""
        self._board.add(problems)

    async def refresh(self, paths: tuple[str, ...] = ()) -> None:
        """Takes in what the documents say now, and which proofs no longer stand."""
        await self._files.refresh(paths)

    async def look(self) -> None:
        """A client heard of changed files: whatever differs from what one last saw is taken in, once."""
        await self._files.look()

    async def plan(
        self, path: str | None, feedback: str, by: Origin, command_id: str | None = None, *, unattended: bool = False
    ) -> Accepted | Rejected:
        """Starts to turn requirements into specs and tasks."""
        known = await self._engine.mailbox.repeated(command_id)
        if known is not None:
            return known
        await self._engine.library.refresh()
        document = self._engine.library.to_plan_from(path)
        if isinstance(document, Rejected):
            return document
        plan = PlanId(self._engine.ids.new("plan"))
        self._order(unattended)
        return await self._start_plan(PlanRequest(plan, "project", document.path, None, feedback), by, command_id)

    async def extract_tasks(
        self, spec: SpecId, feedback: str, by: Origin, command_id: str | None = None
    ) -> Accepted | Rejected:
        """Starts to derive the tasks of one spec."""
        repeated = await self._engine.mailbox.repeated(command_id)
        if repeated is not None:
            return repeated
        await self._engine.library.refresh()
        known = self._engine.library.spec(spec)
        if known is None:
            return Rejected("unknown-spec", f"There is no spec {spec!r}; `specloom tasks` lists them")
        plan = PlanId(self._engine.ids.new("plan"))
        return await self._start_plan(PlanRequest(plan, "tasks", known.path, spec, feedback), by, command_id)

    async def settle_spec(
        self, spec: SpecId, choice: Literal["continue", "discard"], by: Origin, command_id: str | None = None
    ) -> Accepted | Rejected:
        """Goes on with, or removes, a spec that a crash left unfinished."""
        repeated = await self._engine.mailbox.repeated(command_id)
        if repeated is not None:
            return repeated
        await self._engine.library.refresh()
        known = self._engine.library.spec(spec)
        if known is None:
            return Rejected("unknown-spec", f"There is no spec {spec!r}; `specloom tasks` lists them")
        if choice == "continue":
            plan = PlanId(self._engine.ids.new("plan"))
            return await self._start_plan(PlanRequest(plan, "spec", known.path, spec), by, command_id)
        reason = await discard(self._engine, known, by, command_id)
        await self._engine.library.refresh()
        return Rejected("spec-edited", reason) if reason else Accepted(self.state.seq, spec)

    async def cancel_plan(self, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Stops the plan that is running."""
        known = await self._engine.mailbox.repeated(command_id)
        if known is not None:
            return known
        if self._plan is None or self._plan.done():
            return Rejected("no-active-plan", "No plan is going on")
        return await to_the_end(self._give_up_plan(self._plan, by, command_id))

    async def _give_up_plan(self, working: asyncio.Task[None], by: Origin, command_id: str | None) -> Accepted:
        working.cancel()
        await asyncio.wait([working], timeout=CLOSE_DEADLINE)
        plan = self.state.running_plan
        if plan is not None:
            await self._engine.mailbox.record(planning.PlanFailed(plan.id, "cancelled by the user"), by=by)
        await self._engine.mailbox.keep(by, command_id)
        await self._engine.library.refresh()
        return Accepted(self.state.seq)

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
        """Starts a run."""
        busy = await self._engine.mailbox.repeated(command_id) or await self._busy(by)
        if busy is not None:
            return busy
        await self._engine.library.refresh()
        run = RunId(self._engine.ids.new("run"))
        limits = stated(budget, self.default_budget)
        if (refusal := self._engine.accounts.unpriced(limits)) is not None:
            return refusal
        if check_scope(self.state, scope) is None:
            await self._question.replaced()
        order = c.StartRun(run, scope, limits, unattended)
        return await to_the_end(self._work_on(order, by, command_id, unattended, profile))

    async def _work_on(
        self,
        order: c.StartRun | c.ResumeRun,
        by: Origin,
        command_id: str | None,
        unattended: bool,
        profile: Profile | None,
    ) -> Accepted | Rejected:
        """To the end, because a run in the log that nobody works on would wait for ever."""
        await self._withdraw()
        answer = await self._engine.mailbox.submit(order, by, command_id)
        run = self.state.run
        if isinstance(answer, Rejected) or answer.repeated or run is None:
            return answer
        await self.endpoint.order(run.id)
        await self.on_order(by, True)
        self._order(unattended, profile, resumed=isinstance(order, c.ResumeRun))
        earlier = self._run
        if earlier is not None and (isinstance(order, c.StartRun) or earlier.cancelling()):
            # It has nothing to do any more but to end.
            await asyncio.wait([earlier], timeout=CLOSE_DEADLINE)
        self._work()
        return Accepted(answer.seq, run.id)

    async def _withdraw(self) -> None:
        """Nobody is asked any more, and nothing waited for: an order decides."""
        await self._question.withdraw()
        await self.endpoint.withdraw()

    def _work(self) -> None:
        if self._run is None or self._run.done():
            worker = RunWorker(self._engine, self._trust, self._question, self.endpoint, EXECUTOR)
            self._run = asyncio.create_task(self._guard(worker.work(), "run"))

    async def _to_go_on(self) -> None:
        """A key that is looked for again may be there by now."""
        await self.on_order(ENGINE, False)
        await self._planned_out()

    async def _planned_out(self) -> None:
        """A plan that was started while the run was paused writes the specs that the run would work from."""
        if self._plan is not None:
            await asyncio.wait([self._plan])

    async def pause(
        self, by: Origin, command_id: str | None = None, *, at_once: bool = False, after_task: bool = False
    ) -> Accepted | Rejected:
        """Pauses at the next turn boundary; `at_once`: cuts off what is in flight, which is asked again on resume."""
        order = c.PauseRun(after="task" if after_task and not at_once else "turn")
        answer = await self._engine.mailbox.submit(order, by, command_id)
        if isinstance(answer, Accepted) and answer.repeated:
            return answer
        if at_once or self._run is None or self._run.done():
            await to_the_end(self._cut_off(by))
        return answer

    async def _cut_off(self, by: Origin) -> None:
        run = self.state.run
        if run is not None and run.state is RunState.PAUSING:
            await self._end_work()
            await self._engine.mailbox.submit(c.SettlePause(), by)

    async def _end_work(self) -> None:
        """Once: a second cancellation would cut short what the first one has to settle."""
        if self._run is None or self._run.done():
            return
        if not self._run.cancelling():
            self._run.cancel()
        await asyncio.wait([self._run], timeout=CLOSE_DEADLINE)

    async def resume(
        self,
        by: Origin,
        command_id: str | None = None,
        *,
        unattended: bool = False,
        profile: Profile | None = None,
    ) -> Accepted | Rejected:
        """Goes on with a paused run, also one that an earlier process left."""
        busy = await self._engine.mailbox.repeated(command_id) or await self._busy(by, waits=not unattended)
        if busy is not None:
            return busy
        # What git did before this order is no reason to pause after it.
        await self._engine.head.look()
        unattended = unattended or self._engine.desk.unattended
        profile = profile or self._engine.permits.profile
        return await to_the_end(self._work_on(c.ResumeRun(), by, command_id, unattended, profile))

    async def cancel(self, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Cancels the run now: the request or command in flight is stopped, the task waits again."""
        return await to_the_end(self._give_up(by, command_id))

    async def _give_up(self, by: Origin, command_id: str | None) -> Accepted | Rejected:
        await self._withdraw()
        answer = await self._engine.mailbox.submit(c.CancelRun(), by, command_id)
        if isinstance(answer, Rejected) or answer.repeated:
            return answer
        await self._end_work()
        run = self.state.run
        idle = self._run is None or self._run.done()
        if idle and run is not None and run.state is RunState.CANCELLING:
            await finish_cancelled(self._engine)
        return Accepted(self.state.seq)

    async def change_task(
        self, command: c.UserTaskCommand, by: Origin, command_id: str | None = None
    ) -> Accepted | Rejected:
        """Skip, retry, unblock or reset; the box in the file follows."""
        with self._engine.ledger.orders.order():
            return await self._change_task(command, by, command_id)

    async def _change_task(self, command: c.UserTaskCommand, by: Origin, command_id: str | None) -> Accepted | Rejected:
        if (known := await self._engine.mailbox.repeated(command_id)) is not None:
            return known
        freed = await free_idle(self._engine, command.task)
        if freed and isinstance(command, c.ResetTask):
            return Accepted(self.state.seq)
        with ticking(self._engine, command.task):
            answer = await self._engine.mailbox.submit(command, by, command_id)
            if isinstance(answer, Accepted) and not answer.repeated:
                await tick(self._engine, command.task)
        return answer

    async def configure(self, editor: Mapping[str, object]) -> None:
        """Other settings of the editor count from the next turn on."""
        await self.on_editor(editor)

    async def is_lost(self) -> bool:
        """Whether the log was removed under us."""
        return await self._store.is_lost()

    async def wait_idle(self) -> None:
        """Returns when nothing is going on; a paused run counts as idle."""
        working = [task for task in (self._run, self._plan) if task is not None and not task.done()]
        if not working:
            return
        paused = asyncio.Event()

        def heard(published: Published, state: ProjectState) -> None:
            del published
            if state.run is not None and state.run.state is RunState.PAUSED:
                paused.set()

        with self.listen(heard):
            if self.state.run is not None and self.state.run.state is RunState.PAUSED:
                return
            pausing = asyncio.create_task(paused.wait())
            try:
                gathered = asyncio.gather(*working, return_exceptions=True)
                await asyncio.wait([gathered, pausing], return_when=asyncio.FIRST_COMPLETED)
            finally:
                pausing.cancel()

    async def close(self) -> None:
        """Pauses what runs, settles it, and gives up the lock."""
        self.on_close()
        await self._withdraw()
        await self._files.stop()
        if self._run is not None and not self._run.done():
            if self.state.run is not None and self.state.run.state is RunState.RUNNING:
                await self._closing(c.PauseRun("Specloom was closed"))
            idle = asyncio.create_task(self.wait_idle())
            await asyncio.wait([idle], timeout=CLOSE_DEADLINE)
            idle.cancel()
        for task in (self._run, self._plan, self._letting_go, *self._unsettled.values()):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self._withdraw()  # The run may have been paused meanwhile, and a wait begun.
        run = self.state.run
        if run is not None and run.state in (RunState.RUNNING, RunState.PAUSING):
            await self._closing(c.SettlePause("Specloom was closed"))
        await self._engine.orphans.end_all()
        await self._engine.orphans.close()
        await self._engine.ledger.drain()
        await self._engine.transcripts.close()
        await self._diary.end()
        await self._store.close()
        for used in (*self._retired, self._engine.options):
            await close_endpoints(used)

    async def _closing(self, order: c.PauseRun | c.SettlePause) -> None:
        """Where the log takes nothing, the next start finds the run cut off, and the lock is given up all the same."""
        try:
            await self._engine.mailbox.submit(order)
        except StoreError as error:
            log.warning("closed without a word in the log: %s", error)

    def _order(self, unattended: bool, profile: Profile | None = None, *, resumed: bool = False) -> None:
        self._engine.desk.unattended = unattended
        self._engine.permits.profile = profile
        self._trust.new_order(resumed=resumed)

    async def _busy(self, by: Origin, *, waits: bool = False) -> Rejected | None:
        await self.on_order(by, False)
        refusal = self._engine.options.refusal
        if refusal is not None and not (waits and refusal.code == "no-key"):
            return refusal
        plan = self.state.planning
        if self._plan is not None and plan is not None and plan.state != "running":
            await asyncio.wait([self._plan], timeout=CLOSE_DEADLINE)  # Its end was heard of a moment before it is over.
        if self._plan is not None and not self._plan.done():
            return Rejected("plan-active", "A plan is going on; wait for it or cancel it first")
        return None

    async def _start_plan(self, request: PlanRequest, by: Origin, command_id: str | None) -> Accepted | Rejected:
        busy = await self._busy(by)
        if busy is not None:
            return busy
        run = self.state.run
        if run is not None and run.works:
            return Rejected("run-active", f"Run {run.id} is {run.state}; pause or cancel it before planning")
        stage = planning.PlanStage.TASKS if request.stage == "tasks" else planning.PlanStage.SPECS
        started = planning.PlanStarted(request.plan, request.path, stage, request.feedback)
        return await to_the_end(self._work_out(request, started, by, command_id))

    async def _work_out(
        self, request: PlanRequest, started: planning.PlanStarted, by: Origin, command_id: str | None
    ) -> Accepted:
        """To the end, as `_work_on`."""
        known = await self._engine.mailbox.start(started, by, command_id)
        if known is not None:
            return known
        await self.on_order(by, True)
        head = self._engine.head
        gate = PlanGate(self._engine.mailbox, self._engine.accounts, self._question, self.endpoint, head, head.changes)
        work = self._planner.work(request, self._engine, gate)
        self._plan = asyncio.create_task(self._guard(self._planned(work), "plan"))
        return Accepted(self.state.seq, request.plan)

    async def _planned(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await self._trust.ask_for((), at_start=True, keys=self._engine.options.proposals)
        except BaseException:
            work.close()
            raise
        await work
        await self._engine.library.refresh()

    async def _guard(self, work: Coroutine[Any, Any, None], what: Literal["run", "plan"]) -> None:
        """The run guard: a bug of ours ends the run with its reason, and not the process."""
        try:
            with about(workspace=str(self.root)):
                await work
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - one of the three guards
            if not await stopped_by_fault(self._engine, what, error):
                mine = asyncio.current_task()
                later = settled(self._engine, what, lambda: mine not in (self._run, self._plan))
                if what in self._unsettled:
                    # That of an earlier one, which was taken up since.
                    self._unsettled[what].cancel()
                self._unsettled[what] = asyncio.create_task(later)


async def _nothing() -> None:
    """Nobody reloads settings."""


async def _unsent(_: Origin, __: bool) -> None:
    """All orders have the same environment."""


async def _ignored(_: Mapping[str, object]) -> None:
    """Nobody takes an editor's settings."""
