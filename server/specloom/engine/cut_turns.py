"""Counts what a request cost whose answer was cut off when Specloom was stopped, at the size that the log knows.

Refuses to guess what of the answer had come.
"""

from dataclasses import replace

from specloom.agent.cut_off import cut_turn, estimated
from specloom.agent.replay import replay
from specloom.domain.events import Event, agents
from specloom.domain.ids import SessionId
from specloom.domain.project import SessionRecord
from specloom.engine.context import EngineContext
from specloom.engine.recorder import stream_of

REASON = "Specloom was stopped before the answer had come; it is asked for again, and what its prompt cost is estimated"


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
    failed = cut_turn(session, session.awaiting, asked, usage, engine.options.pricing)
    await engine.mailbox.record(replace(failed, message=REASON), stream=stream_of(session.agent))


async def _events_of(engine: EngineContext, session: SessionId) -> list[Event]:
    """From its start on; looked for from the end of the log."""
    events: list[Event] = []
    async for page in engine.ledger.pages_back():
        events[:0] = [item.event for item in page if getattr(item.event, "session", None) == session]
        if events and isinstance(events[0], agents.SessionStarted):
            break
    return events
