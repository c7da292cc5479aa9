"""Settles what a dead process left open, by looking at the world. Refuses to repeat an effect to find out."""

import asyncio

from specloom.agent.calls import result_of, settled
from specloom.agent.replay import replay
from specloom.domain.events import agents, planning, proof, runs
from specloom.domain.ids import NO_DIGEST
from specloom.domain.project import SessionRecord
from specloom.domain.runs import PauseCause, RunState
from specloom.engine.abandoning import finish_cancelled
from specloom.engine.answered import answered
from specloom.engine.context import EngineContext
from specloom.engine.cut_commands import record_cut_commands
from specloom.engine.cut_output import told_of_cut
from specloom.engine.cut_turns import count_cut_turns
from specloom.engine.history import AttemptHistory
from specloom.engine.recorder import stream_of
from specloom.engine.verification.evidence import digest_at
from specloom.tools.tool import Effect, ToolOutcome
from specloom.workspace.drafts import clear_drafts

INTERRUPTED = "interrupted: Specloom was stopped; resume to go on"
INTERRUPTED_SUBAGENT = "interrupted: Specloom was stopped"
INTERRUPTED_PLAN = "interrupted: Specloom was stopped; plan again to go on"


STILL_RUNNING = "; it was still running when Specloom came back, and was ended then"


async def recover(engine: EngineContext, *, checked_out: bool = False) -> None:
    """Call once after the log was loaded, before anything is started. Leaves an active run paused.

    `checked_out`: git wrote files meanwhile.
    """
    state, mailbox = engine.state, engine.mailbox
    # First: whoever still writes would make what is looked at next untrue.
    alive = await engine.orphans.end_all()
    if state.run is not None and state.run.state in (RunState.RUNNING, RunState.PAUSING):
        # Before what follows, whose times are those of this start.
        await mailbox.record(runs.RunPaused(state.run.id, INTERRUPTED, PauseCause.INTERRUPTED))
    # A process that is known by its number belongs to the command or agent before the dot.
    await _tell_agents(engine, frozenset(name.partition(".")[0] for name in alive))
    await count_cut_turns(engine)
    await _end_subagents(engine)
    for edit, opened in tuple(state.edits.items()):
        await asyncio.to_thread(clear_drafts, engine.workspace.disk.jail, opened.path)
        present = await digest_at(engine.workspace, opened.path)
        applied = (present or NO_DIGEST) == opened.after_digest
        reason = "" if applied else _why(present == opened.before_digest)
        await mailbox.record(proof.EditSettled(edit, opened.path, applied, False, present, reason))
    await record_cut_commands(engine, checked_out=checked_out)
    for check, known in tuple(state.checks.items()):
        note = "interrupted: Specloom was stopped while it ran" + (STILL_RUNNING if check in alive else "")
        await mailbox.record(proof.CheckSettled(check, known.task, None, "", 0.0, note=note))
    for approval in tuple(state.approvals):
        await mailbox.record(agents.ApprovalAnswered(approval, False, "interrupted", "Specloom was stopped"))
    plan = state.running_plan
    if plan is not None:
        await mailbox.record(planning.PlanFailed(plan.id, INTERRUPTED_PLAN))
    run = state.run
    if run is not None and run.state is RunState.CANCELLING:
        await finish_cancelled(engine)


def _why(untouched: bool) -> str:
    return (
        "interrupted before the file changed" if untouched else "interrupted; the file is neither as before nor after"
    )


async def _tell_agents(engine: EngineContext, alive: frozenset[str]) -> None:
    """An agent whose command was cut off hears what is known of it; what the command did stays unknown."""
    for session in tuple(engine.state.sessions.values()):
        if session.calls and session.attempt is not None and not session.outcome:
            history = await AttemptHistory.read(engine.ledger, session.attempt)
            if history.session == session.id:
                await _tell_of_commands(engine, session, history, alive=session.agent in alive)


async def _tell_of_commands(
    engine: EngineContext, session: SessionRecord, history: AttemptHistory, *, alive: bool
) -> None:
    replayed = replay(history.conversation)
    answered(history.events, replayed, session.agent)  # What was only asked about has not run.
    for call in replayed.unknown:
        if engine.toolbox.effect(call.name) is Effect.COMMAND:
            text = await told_of_cut(engine.outputs(session.id), call.id, alive=alive)
            outcome = ToolOutcome(text, is_error=True)
            told = settled(session.id, call, result_of(call, outcome), outcome)
            await engine.mailbox.record(told, stream=stream_of(session.agent))


async def _end_subagents(engine: EngineContext) -> None:
    """Their answers would have gone to a call that is gone; their senders ask again where they go on."""
    for session in tuple(engine.state.sessions.values()):
        if session.parent is not None and not session.outcome:
            ended = agents.SessionEnded(session.id, "cancelled", INTERRUPTED_SUBAGENT)
            await engine.mailbox.record(ended, stream=stream_of(session.agent))
