"""Frees tasks whose attempt nobody goes on with. Refuses to forget what the attempt changed and said."""

from specloom.domain import commands as c
from specloom.domain.events import agents
from specloom.domain.ids import AttemptId, RunId, TaskId
from specloom.domain.runs import RunOutcome
from specloom.domain.scope import leaves_below
from specloom.engine.changes import record_change_set
from specloom.engine.context import EngineContext
from specloom.engine.history import AttemptHistory
from specloom.engine.journal import AttemptJournal


async def abandon(engine: EngineContext, task: TaskId, attempt: AttemptId, reason: str) -> None:
    """Ends the attempt's sessions, keeps its change set and makes the task wait again; all from the log."""
    await end_sessions(engine, task, attempt, reason)
    history = await AttemptHistory.read(engine.ledger, attempt)
    journal = AttemptJournal(engine.ledger, engine.ids, attempt=attempt, task=task)
    journal.restore(history.edited)
    await record_change_set(engine, journal, task)
    await engine.mailbox.submit(c.ReleaseTask(task, attempt, reason))


async def abandon_all(engine: EngineContext, reason: str) -> None:
    """Every attempt in flight."""
    for task, record in tuple(engine.state.tasks.items()):
        if record.attempt is not None:
            await abandon(engine, task, record.attempt, reason)


async def finish_cancelled(
    engine: EngineContext, reason: str = "cancelled by the user", run: RunId | None = None
) -> None:
    """Frees every task, also what an earlier process or order left in flight, and ends the run as cancelled."""
    await abandon_all(engine, "the run was cancelled")
    await engine.mailbox.submit(c.FinishRun(RunOutcome.CANCELLED, reason, run))


async def free_idle(engine: EngineContext, task: TaskId) -> bool:
    """Gives up what a budget halted at the task or below it, if no run goes on with it; whether there was anything."""
    run, state = engine.state.run, engine.state
    if (run is not None and run.active) or task not in state.graph.tasks:
        return False
    held = [(leaf, state.record(leaf).attempt) for leaf in leaves_below(state.graph, task)]
    halted = [(leaf, attempt) for leaf, attempt in held if attempt is not None]
    for leaf, attempt in halted:
        await abandon(engine, leaf, attempt, "a person decided about the task")
    return bool(halted)


async def end_sessions(engine: EngineContext, task: TaskId, attempt: AttemptId, reason: str) -> None:
    """Of the agent and of a reviewer of the task, also under the id that it had when they began."""
    for session in tuple(engine.state.sessions.values()):
        if (session.task == task or session.attempt == attempt) and not session.outcome:
            await engine.mailbox.record(agents.SessionEnded(session.id, "cancelled", reason))
