"""What people answered to a call that a restart cut off, so that nobody is asked twice and no answer is lost.

Refuses to guess: a call that was allowed may have run, and its outcome stays unknown.
"""

from collections.abc import Iterable

from specloom.agent.replay import Replayed
from specloom.domain.events import Event, agents
from specloom.domain.ids import AgentId, ApprovalId
from specloom.engine.approvals import PERSON, Answer
from specloom.tools.ask_user import AskUser


def answered(events: Iterable[Event], replayed: Replayed, agent: AgentId) -> dict[str, Answer]:
    """Answers of people by what was asked, for calls that are made again: they did nothing but ask.

    `replayed` forgets of these calls that they were started.
    """
    asked: dict[ApprovalId, str] = {}
    answers: dict[str, Answer] = {}
    unknown = {call.id: call for call in replayed.unknown}
    cut, allowed = "", False
    for event in events:
        match event:
            case agents.ToolRequested() if event.call in unknown:
                cut, allowed = event.call, False
                asked.clear()
                answers.clear()
            case agents.ApprovalAsked(agent=by) if by == agent and cut:
                asked[event.approval] = event.subject
            case agents.ApprovalAnswered() if event.approval in asked:
                allowed = event.allowed
                if event.rule == PERSON:
                    answers[asked[event.approval]] = Answer(event.reason, PERSON)
            case _:
                pass
    if not cut or not (unknown[cut].name == AskUser.name or (asked and not allowed)):
        return {}
    replayed.requested.discard(cut)
    return answers
