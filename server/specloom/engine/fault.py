"""What happens when a bug of ours or a full disk stops a run or a plan. Refuses to hide it, and to stop the process."""

import asyncio
import contextlib
import logging
from typing import Literal

from specloom.domain import commands as c
from specloom.domain.decide import decide
from specloom.domain.events import planning
from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunOutcome
from specloom.engine.abandoning import abandon_all
from specloom.engine.context import EngineContext
from specloom.engine.state_guard import StateLostError, folder_gone, is_gone
from specloom.store.errors import StoreError, StoreLostError

log = logging.getLogger(__name__)


async def stopped_by_fault(engine: EngineContext, what: Literal["run", "plan"], error: Exception) -> None:
    """Records it as far as that goes, and tells every client."""
    log.error("%s failed", what, exc_info=error)
    reason = await _reason(engine, what, error)
    with contextlib.suppress(StoreError):
        if isinstance(error, StateLostError | StoreLostError):
            _tell_unkept(engine, what, reason)
        else:
            await _record(engine, what, reason)
    await engine.desk.tell("error", reason)


async def _reason(engine: EngineContext, what: str, error: Exception) -> str:
    root = engine.workspace.root
    if isinstance(error, StateLostError):
        return str(error)
    if await asyncio.to_thread(is_gone, root):
        return folder_gone(root, f"while the {what} went on")
    if isinstance(error, StoreError):
        return f"the {what} stopped: {error}"
    return f"the {what} stopped by a fault of Specloom ({type(error).__name__}: {error}); see the log"


def _tell_unkept(engine: EngineContext, what: Literal["run", "plan"], reason: str) -> None:
    state, plan = engine.state, engine.state.planning
    decided = decide(state, c.FinishRun(RunOutcome.FAULT, reason)) if what == "run" else ()
    if not isinstance(decided, Rejected):
        engine.ledger.tell_unkept(decided, engine.clock.now())
    if what == "plan" and plan is not None and plan.state == "running":
        engine.ledger.tell_unkept([planning.PlanFailed(plan.id, reason)], engine.clock.now())


async def _record(engine: EngineContext, what: Literal["run", "plan"], reason: str) -> None:
    plan = engine.state.planning
    if what == "run":
        await abandon_all(engine, reason)
        await engine.mailbox.submit(c.FinishRun(RunOutcome.FAULT, reason))
    elif plan is not None and plan.state == "running":
        await engine.mailbox.record(planning.PlanFailed(plan.id, reason))
