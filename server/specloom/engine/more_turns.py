"""More turns for an attempt that used up its own: a person says so, or its progress does where nobody is to be asked.

Refuses to count what led nowhere.
"""

from collections.abc import Iterable

from specloom.agent.ports import Halt
from specloom.domain.budgets import BudgetPart, enough
from specloom.domain.events import Event, proof, runs
from specloom.domain.ids import AttemptId, TaskId
from specloom.engine.context import EngineContext
from specloom.engine.gate import RunGate
from specloom.engine.history import AttemptHistory


async def more_turns(engine: EngineContext, gate: RunGate, task: TaskId, used: int) -> int | Halt:
    """As `agent.loop.MoreTurns`, for the attempt that is in flight at `task`."""
    record, limits = engine.state.record(task), engine.options.limits
    attempt, limit = record.attempt, limits.turns + record.more_turns
    if attempt is None:
        return 0
    if used < limit:
        # The settings allow more than when it was last looked.
        return limit - used
    history = await AttemptHistory.read(engine.ledger, attempt)
    progress = progressed(attempt, history.events)
    return await gate.more_turns(task, used, enough(limits.continue_turns, limit, used), progressed=progress)


def progressed(attempt: AttemptId, events: Iterable[Event]) -> bool:
    """Whether a file changed since the attempt began, or was given its last turns."""
    edits: set[str] = set()
    changed = False
    for event in events:
        match event:
            case runs.BudgetExtended(part=BudgetPart.ATTEMPT):
                changed = False
            case proof.EditRequested(attempt=known) if known == attempt:
                edits.add(event.edit)
            case proof.EditSettled(applied=True) if event.edit in edits:
                changed = True
            case _:
                pass
    return changed
