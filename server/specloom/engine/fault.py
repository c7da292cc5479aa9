"""What happens when a bug of ours or a full disk stops a run or a plan. Refuses to hide it, and to stop the process."""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

from specloom.domain import commands as c
from specloom.domain.decide import decide
from specloom.domain.events import planning
from specloom.domain.project import PlanRecord, RunRecord
from specloom.domain.rejection import Rejected
from specloom.domain.runs import PauseCause, RunOutcome, RunState
from specloom.engine.abandoning import abandon_all, finish_cancelled
from specloom.engine.context import EngineContext
from specloom.engine.state_guard import StateLostError, folder_gone, is_gone
from specloom.store.errors import StoreError, StoreLostError

log = logging.getLogger(__name__)

_UNWRITTEN = "interrupted: the log could not be written for a while"
SOONEST, LATEST = 1.0, 30.0
"""Seconds until what the log did not take is tried again: the first time, and at most."""


async def stopped_by_fault(engine: EngineContext, what: Literal["run", "plan"], error: Exception) -> bool:
    """Records it and tells every client; false: the log does not take it now, so that it has to be `settled`."""
    log.error("%s failed", what, exc_info=error)
    reason, kept = await _reason(engine, what, error), True
    try:
        if isinstance(error, StateLostError | StoreLostError):
            _tell_unkept(engine, what, reason)
        else:
            await _record(engine, what, reason)
    except StoreError as unwritten:
        kept = isinstance(unwritten, StoreLostError)
    await engine.desk.tell("error", reason)
    return kept


async def settled(engine: EngineContext, what: Literal["run", "plan"], taken_up: Callable[[], bool]) -> None:
    """Pauses the run, or ends the plan, as soon as the log takes that: in it, it is at work, and nobody works on it.

    `taken_up`: whether somebody works on it again.
    """
    run, plan, wait = engine.state.run, engine.state.running_plan, SOONEST
    while True:
        await asyncio.sleep(wait)
        if taken_up():
            return
        try:
            if what == "run":
                await _settle_run(engine, run)
            else:
                await _settle_plan(engine, plan)
        except StoreLostError:
            return
        except StoreError as error:
            log.warning("the %s is not settled yet: %s", what, error)
            wait = min(2 * wait, LATEST)
        else:
            return


async def _settle_run(engine: EngineContext, run: RunRecord | None) -> None:
    """Paused, it goes on in the same conversation, as after a crash; one that was cancelled meanwhile ends."""
    now = engine.state.run
    if run is None or now is None or now.id != run.id:
        return
    if now.state is RunState.CANCELLING:
        await finish_cancelled(engine, run=run.id)
    else:
        await engine.mailbox.submit(c.SettlePause(f"{_UNWRITTEN}; resume to go on", PauseCause.INTERRUPTED))


async def _settle_plan(engine: EngineContext, plan: PlanRecord | None) -> None:
    now = engine.state.running_plan
    if plan is not None and now is not None and now.id == plan.id:
        await engine.mailbox.record(planning.PlanFailed(plan.id, f"{_UNWRITTEN}; plan again to go on"))


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
    state, plan = engine.state, engine.state.running_plan
    decided = decide(state, c.FinishRun(RunOutcome.FAULT, reason)) if what == "run" else ()
    if not isinstance(decided, Rejected):
        engine.ledger.tell_unkept(decided, engine.clock.now())
    if what == "plan" and plan is not None:
        engine.ledger.tell_unkept([planning.PlanFailed(plan.id, reason)], engine.clock.now())


async def _record(engine: EngineContext, what: Literal["run", "plan"], reason: str) -> None:
    plan = engine.state.running_plan
    if what == "run":
        await abandon_all(engine, reason)
        await engine.mailbox.submit(c.FinishRun(RunOutcome.FAULT, reason))
    elif plan is not None:
        await engine.mailbox.record(planning.PlanFailed(plan.id, reason))
