"""What people answered before a restart reaches the model, and only calls that did nothing are made again."""

import json

import pytest

from specloom.agent.replay import Replayed, replay
from specloom.domain.events import Event, agents
from specloom.domain.ids import AgentId, ApprovalId, CallId, SessionId
from specloom.domain.usage import UsageTotal
from specloom.engine.answered import answered
from specloom.engine.approvals import PERSON, Answer

SESSION, AGENT, CALL = SessionId("s1"), AgentId("agent-1"), CallId("c1")


def cut(tool: str, *after: Event) -> tuple[dict[str, Answer], Replayed]:
    """A session whose only call was started when Specloom was stopped."""
    block: dict[str, object] = {"type": "tool_use", "id": CALL, "name": tool, "input": {}}
    events: list[Event] = [
        agents.MessageAdded(SESSION, json.dumps([{"type": "text", "text": "go"}])),
        *asked("before", "Deny", allowed=False),
        agents.TurnFinished(SESSION, 1, json.dumps([block]), "tool_use", UsageTotal(), "m"),
        agents.ToolRequested(SESSION, CALL, tool, "{}"),
        *after,
    ]
    replayed = replay(events)
    return answered(events, replayed, AGENT), replayed


def asked(
    subject: str, answer: str, *, allowed: bool, rule: str = PERSON, agent: AgentId = AGENT
) -> tuple[Event, Event]:
    """A question and its answer."""
    name = ApprovalId(f"a-{subject}")
    return (
        agents.ApprovalAsked(name, "command", subject, "", agent, None),
        agents.ApprovalAnswered(name, allowed, rule, answer),
    )


def test_an_answer_to_a_question_is_kept_for_the_call_that_is_made_again() -> None:
    answers, replayed = cut("ask_user", *asked("Which unit?", "Metres", allowed=True))
    assert answers == {"Which unit?": Answer("Metres", PERSON)}
    assert not replayed.unknown


def test_a_refusal_is_kept_and_the_command_is_known_not_to_have_run() -> None:
    answers, replayed = cut("run_command", *asked("rm x", "Deny", allowed=False))
    assert answers == {"rm x": Answer("Deny", PERSON)}
    assert not replayed.unknown


@pytest.mark.parametrize("tool", ["ask_user", "run_command"])
def test_what_nobody_answered_is_asked_again(tool: str) -> None:
    interrupted = asked("x", "Specloom was stopped", allowed=False, rule="interrupted")
    answers, replayed = cut(tool, *interrupted)
    assert answers == {}
    assert [call.id for call in replayed.unstarted] == [CALL]
    assert not replayed.unknown


def test_the_outcome_of_a_command_that_was_allowed_or_needed_no_answer_stays_unknown() -> None:
    other = asked("x", "Deny", allowed=False, agent=AgentId("planner"))
    for after in ((), asked("x", "Allow once", allowed=True), other):
        answers, replayed = cut("run_command", *after)
        assert answers == {}
        assert [call.id for call in replayed.unknown] == [CALL]
