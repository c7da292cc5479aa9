"""What goes over from the log: a person's words of all sessions, commands, and whether anything came of a session."""

import json

from specloom.agent.handover import Word
from specloom.domain.events import Event, agents, proof
from specloom.domain.ids import AgentId, ApprovalId, AttemptId, CallId, Digest, EditId, SessionId
from specloom.engine.past_sessions import PastSessions

ATTEMPT, AGENT = AttemptId("attempt-1"), AgentId("agent-1")


def started(number: int, role: str = "executor", attempt: AttemptId = ATTEMPT) -> agents.SessionStarted:
    """A session begins."""
    before = SessionId(f"s{number - 1}") if number > 1 else None
    return agents.SessionStarted(
        SessionId(f"s{number}"), AGENT, role, attempt, None, "m", "", (), previous=before, number=number
    )


def rotated(number: int) -> agents.SessionEnded:
    """A session hands over."""
    return agents.SessionEnded(SessionId(f"s{number}"), "rotated", "window 91% full")


def ran(number: int, command: str, told: str) -> tuple[Event, Event]:
    """A command of the agent and its answer."""
    session, call = SessionId(f"s{number}"), CallId(f"c-{command}-{number}")
    result = json.dumps({"type": "tool_result", "tool_use_id": call, "content": told})
    return (
        agents.ToolRequested(session, call, "run_command", json.dumps({"command": command})),
        agents.ToolSettled(session, call, "run_command", False, result),
    )


def asked(name: str, kind: str, subject: str, answer: str, *, allowed: bool, rule: str = "user") -> tuple[Event, Event]:
    """A question and its answer."""
    approval = ApprovalId(name)
    return (
        agents.ApprovalAsked(approval, "question" if kind == "question" else "command", subject, "", AGENT, None),
        agents.ApprovalAnswered(approval, allowed, rule, answer),
    )


def past(*events: Event) -> PastSessions:
    """As the log has it."""
    return PastSessions.of(ATTEMPT, events)


def test_words_of_a_person_are_kept_with_their_session_and_those_of_rules_are_not() -> None:
    known = past(
        *asked("a0", "question", "of the attempt before?", "yes", allowed=True),
        started(1),
        *asked("a1", "question", "Which unit?", "Metres", allowed=True),
        *asked("a2", "command", "rm -r x", "Deny", allowed=False),
        *asked("a3", "command", "make", "Allow once", allowed=True),
        rotated(1),
        started(2),
        *asked("a4", "command", "curl x", "nobody answered", allowed=False, rule="deadline"),
        *asked("a5", "question", "Sure?", "No.\nNever", allowed=True),
    )
    assert known.words == [
        Word(1, 'answering "Which unit?"', "Metres"),
        Word(1, 'refusing "rm -r x"', "Deny"),
        Word(2, 'answering "Sure?"', "No.\nNever"),
    ]


def test_commands_stand_in_the_order_of_their_last_run_with_what_they_said_then() -> None:
    known = past(
        started(1),
        *ran(1, "make", "exit code 2\nbroken"),
        *ran(1, "ls", "exit code 0\na"),
        rotated(1),
        started(2),
        *ran(2, "make", "exit code 0, no output"),
    )
    assert [(item.command, item.told, item.output) for item in known.ran] == [
        ("ls", "exit code 0", "a"),
        ("make", "exit code 0, no output", ""),
    ]


def test_sessions_count_as_fruitless_from_the_last_one_that_brought_something() -> None:
    edit = proof.EditRequested(EditId("e"), ATTEMPT, "a.txt", None, None, Digest("d"))
    done = proof.EditSettled(EditId("e"), "a.txt", applied=True, in_buffer=False, digest=Digest("d"))
    same = ran(1, "ls", "exit code 0")
    assert past(started(1), rotated(1), started(2), rotated(2)).fruitless == 2
    assert past(started(1), *same, rotated(1), started(2), *ran(2, "ls", "exit code 0"), rotated(2)).fruitless == 1
    assert past(started(1), rotated(1), started(2), edit, done, rotated(2)).fruitless == 0
    assert past(started(1), edit, done, rotated(1), started(2), rotated(2), started(3), rotated(3)).fruitless == 2


def test_sub_agents_reviewers_and_other_attempts_are_no_sessions_of_the_executor() -> None:
    other = started(1, attempt=AttemptId("attempt-0"))
    assert [item.number for item in past(other, started(1, "reviewer"), started(1)).sessions] == [1]
