"""Decides whether an interrupted session can go on. Refuses one that was told what no longer holds."""

from specloom.agent.replay import Replayed, replay
from specloom.agent.session import SessionSetup
from specloom.domain.events import agents
from specloom.domain.ids import SessionId
from specloom.llm.messages import AssistantMessage, Text, UserMessage
from specloom.planning.messages import lasting
from specloom.planning.ports import Interrupted

TAKEN = ("claimed", "ended")
"""Outcomes of a session that may have come to something, although nobody wrote it down."""


def resumable(past: Interrupted, setup: SessionSetup, first: str) -> Replayed | None:
    """The conversation to go on with; `None` if it was with another model, or about something else than `first`."""
    started = _started(past)
    replayed = replay(past.events)
    messages = replayed.conversation.messages
    same = (
        (started.model, started.system, started.tools)
        == (setup.model, setup.system, tuple(tool.name for tool in setup.tools))
        and bool(messages)
        and isinstance(messages[0], UserMessage)
        and lasting(_text(messages[0])) == lasting(first)
    )
    if not same or (replayed.ended is not None and replayed.ended.outcome not in TAKEN):
        return None
    waits = replayed.ended is not None or bool(replayed.calls) or not isinstance(messages[-1], AssistantMessage)
    return replayed if waits else None


def session_of(past: Interrupted) -> SessionId:
    """Whose events they are."""
    return _started(past).session


def _started(past: Interrupted) -> agents.SessionStarted:
    started = past.events[0]
    assert isinstance(started, agents.SessionStarted)
    return started


def _text(message: UserMessage) -> str:
    return "".join(block.text for block in message.blocks if isinstance(block, Text))
