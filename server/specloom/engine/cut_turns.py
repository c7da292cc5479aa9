"""Counts what a request cost whose answer was cut off when Specloom was stopped, at the size that the log knows.

Refuses to guess what of the answer had come.
"""

from specloom.agent.cut_off import estimated
from specloom.agent.replay import replay
from specloom.domain.events import Event, agents
from specloom.domain.ids import SessionId
from specloom.domain.project import SessionRecord
from specloom.domain.usage import UsageTotal
from specloom.engine.context import EngineContext
from specloom.engine.recorder import stream_of
from specloom.llm.messages import Usage

REASON = "Specloom was stopped before the answer had come; it is asked for again, and what its prompt cost is estimated"
PAGE = 1000
"""Events that are read at a time."""


async def count_cut_turns(engine: EngineContext) -> None:
    """Call once after a start, before anything is asked: no request of an earlier process is under way any more."""
    for session in tuple(engine.state.sessions.values()):
        if session.awaiting and not session.outcome:
            await count_cut_turn(engine, session)


async def count_cut_turn(engine: EngineContext, session: SessionRecord) -> None:
    """Records that the request a session waits for gets no answer, with what it cost."""
    events = await _events_of(engine, session.id)
    asked = next((event.attempt_no for event in reversed(events) if isinstance(event, agents.TurnRequested)), 0)
    usage = estimated(replay(events).conversation.book)
    total = engine.options.pricing.total(session.model, usage) if usage != Usage() else UsageTotal()
    failed = agents.TurnFailed(session.id, session.awaiting, agents.INTERRUPTED, REASON, usage=total, asked=asked)
    await engine.mailbox.record(failed, stream=stream_of(session.agent))


async def _events_of(engine: EngineContext, session: SessionId) -> list[Event]:
    """From its start on; looked for from the end of the log."""
    events: list[Event] = []
    upper = engine.state.seq
    while upper > 0:
        lower = max(upper - PAGE, 0)
        page = [item.event for item in await engine.ledger.read(lower, upper - lower)]
        events[:0] = [event for event in page if getattr(event, "session", None) == session]
        if events and isinstance(events[0], agents.SessionStarted):
            break
        upper = lower
    return events
