"""Carries out one run: the next ready task, again and again. Refuses to start a task beside one in flight."""

import asyncio
from collections.abc import Sequence

from specloom.domain import commands as c
from specloom.domain.ids import AgentId, TaskId
from specloom.domain.left_plans import broken_off
from specloom.domain.runs import RunOutcome, RunState, Scope
from specloom.domain.scope import ready_in, tasks_in
from specloom.domain.states import SATISFIED, TaskState
from specloom.engine.abandoning import abandon, finish_cancelled
from specloom.engine.attempt import Attempt, Stopped, verify_commands
from specloom.engine.changes import tick_rest
from specloom.engine.context import EngineContext
from specloom.engine.gate import BudgetAsker, EndpointWaiter, RunGate
from specloom.engine.rechecks import commands_again, recheck
from specloom.engine.staleness import mark_stale
from specloom.engine.trust import Trust


class RunWorker:
    """One agent that works through the active run."""

    def __init__(
        self, engine: EngineContext, trust: Trust, asker: BudgetAsker, endpoints: EndpointWaiter, agent: AgentId
    ) -> None:
        self._engine = engine
        self._trust = trust
        self._asker = asker
        self._endpoints = endpoints
        self._agent = agent
        self._attempt: Attempt | None = None
        self._worked = False
        """Whether the run had tasks to do; else it is about what was done."""
        self._run = None if engine.state.run is None else engine.state.run.id

    async def work(self) -> None:
        """Returns when the run is finished. A cancellation settles the run first when the user cancelled it."""
        engine = self._engine
        gate = RunGate(
            engine.mailbox,
            engine.clock,
            engine.accounts,
            self._asker,
            endpoints=self._endpoints,
            head=engine.head,
            run=self._run,
        )
        with self._engine.ledger.listen(gate.heard):
            try:
                await self._work(gate)
            except asyncio.CancelledError:
                await self._cancelled()
                raise

    async def _work(self, gate: RunGate) -> None:
        await self._engine.library.refresh()
        await self._release_removed()
        await tick_rest(self._engine)
        await self._trust.ask_for(self._proposals(), at_start=True, keys=self._engine.options.proposals)
        await self._lift_denials()
        while True:
            # A budget that is used up keeps nothing from its end.
            halt = await (gate.unpaused() if self._next() is None else gate.passed())
            stopped = Stopped(halt.kind, halt.reason) if halt is not None else None
            if stopped is None:
                task = self._next()
                if task is None:
                    break
                stopped = await self._carry_out(task, gate)
            if stopped is not None:
                await self._finish(OUTCOMES[stopped.kind], stopped.reason)
                return
        halt = await recheck(self._engine, self._trust, gate, frozenset(self._chosen()), asks=not self._worked)
        if halt is not None:
            await self._finish(OUTCOMES[halt.kind], halt.reason)
            return
        await self._finish(*self._verdict())

    async def _release_removed(self) -> None:
        """An attempt whose task a person removed while nothing ran, or that this run is not about, leads nowhere."""
        state, chosen = self._engine.state, frozenset(self._chosen())
        for task, record in tuple(state.tasks.items()):
            if record.attempt is not None and task not in chosen:
                gone = task not in state.graph.tasks
                reason = "the task was removed from its spec" if gone else "another run was started"
                await abandon(self._engine, task, record.attempt, reason)

    async def _lift_denials(self) -> None:
        """What was blocked for lack of a grant goes on when it is granted now."""
        state = self._engine.state
        for task in self._chosen():
            record = state.record(task)
            if record.ungranted and not self._trust.missing(verify_commands(self._engine, state.graph.tasks[task])):
                await self._engine.mailbox.submit(c.UnblockTask(task))

    def _chosen(self) -> Sequence[TaskId]:
        return tasks_in(self._engine.state.graph, self._scope)

    async def _carry_out(self, task: TaskId, gate: RunGate) -> Stopped | None:
        gate.task = task
        self._worked = True
        self._attempt = Attempt(self._engine, gate, self._trust, self._agent, task)
        stopped = await self._attempt.carry_out()
        gate.task = None
        changed = frozenset(self._attempt.journal.before)
        self._attempt = None
        if changed:
            await mark_stale(self._engine, changed)
        return stopped

    async def _cancelled(self) -> None:
        run = self._engine.state.run
        if run is None or run.state is not RunState.CANCELLING:
            return
        if self._attempt is not None:
            await self._attempt.abandon("the run was cancelled")
        await self._finish(RunOutcome.CANCELLED, "cancelled by the user")

    @property
    def _scope(self) -> Scope:
        run = self._engine.state.run
        assert run is not None
        return run.scope

    def _next(self) -> TaskId | None:
        """An attempt that is in flight goes on; else the first ready task in scope."""
        state = self._engine.state
        inflight = (task for task, record in state.tasks.items() if record.attempt is not None)
        known = next((task for task in inflight if task in state.graph.tasks), None)
        return known if known is not None else next(ready_in(state, self._scope), None)

    def _proposals(self) -> list[str]:
        state = self._engine.state
        open_tasks = (task for task in self._chosen() if _may_run(state.record(task).state))
        wanted = [item for task in open_tasks for item in verify_commands(self._engine, state.graph.tasks[task])]
        fixed = [item for record in state.tasks.values() if record.attempt is not None for item in record.verify]
        outdated = (task for task in self._chosen() if state.record(task).outdated)
        again = [item for task in outdated for item in commands_again(self._engine, task)]
        return [*fixed, *wanted, *again]

    def _verdict(self) -> tuple[RunOutcome, str]:
        state = self._engine.state
        chosen = self._chosen()
        left = [task for task in chosen if state.record(task).state not in SATISFIED]
        if not left:
            half = broken_off(state) if self._scope == Scope() else ()
            if half:
                return RunOutcome.INCOMPLETE, f"the plan broke off: {', '.join(half)} without tasks yet; plan again"
            return RunOutcome.COMPLETED, ""
        names = ", ".join(f"{task} {state.state_of(task)}{self._waits(task, chosen)}" for task in left[:5])
        more = f" and {len(left) - 5} more" if len(left) > 5 else ""
        return RunOutcome.INCOMPLETE, f"{len(left)} of {len(chosen)} tasks are not done: {names}{more}"

    def _waits(self, task: TaskId, chosen: Sequence[TaskId]) -> str:
        """What keeps a task from its turn that this run is not about."""
        state = self._engine.state
        before = (other for other in state.graph.depends.get(task, ()) if other not in chosen)
        missing = next((other for other in before if state.record(other).state not in SATISFIED), None)
        return f" (waits for {missing})" if missing is not None else ""

    async def _finish(self, outcome: RunOutcome, reason: str) -> None:
        if outcome is RunOutcome.CANCELLED:
            await finish_cancelled(self._engine, reason, self._run)
        else:
            await self._engine.mailbox.submit(c.FinishRun(outcome, reason, self._run))


OUTCOMES = {
    "budget": RunOutcome.BUDGET,
    "cancelled": RunOutcome.CANCELLED,
    "fault": RunOutcome.FAULT,
}


def _may_run(state: TaskState) -> bool:
    return state in (TaskState.PENDING, TaskState.IN_PROGRESS, TaskState.FAILED, TaskState.BLOCKED)
