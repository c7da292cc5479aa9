"""What goes over from the log: commands, and whether anything came of a session; of the executor's sessions alone."""

import json
from dataclasses import replace

from specloom.domain.events import Event, agents, proof
from specloom.domain.ids import AgentId, ApprovalId, AttemptId, CallId, Digest, EditId, SessionId
from specloom.engine.asker import INSTEAD
from specloom.engine.past_sessions import INTERRUPTED, PastSessions

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


def asked(
    name: str, kind: str, subject: str, answer: str, *, allowed: bool, rule: str = "user", agent: AgentId = AGENT
) -> tuple[Event, Event]:
    """A question and its answer."""
    approval = ApprovalId(name)
    return (
        agents.ApprovalAsked(approval, "question" if kind == "question" else "command", subject, "", agent, None),
        agents.ApprovalAnswered(approval, allowed, rule, answer),
    )


def past(*events: Event) -> PastSessions:
    """As the log has it."""
    return PastSessions.of(ATTEMPT, events)


def test_a_session_in_which_a_person_answered_its_agent_brought_something() -> None:
    assert past(started(1), *asked("a1", "question", "Which unit?", "Metres", allowed=True), rotated(1)).fruitless == 0
    assert past(started(1), *asked("a1", "command", "make", "Deny", allowed=False), rotated(1)).fruitless == 0
    assert past(started(1), *asked("a1", "command", "make", "", allowed=False, rule="no client"), rotated(1)).fruitless
    planner = asked("a1", "question", "Which?", "This", allowed=True, agent=AgentId("planner"))
    assert past(started(1), *planner, rotated(1)).fruitless == 1


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


def test_a_job_that_was_started_has_printed_nothing_yet() -> None:
    made, serves = ran(1, "make", "exit code 2\nno rule"), ran(1, "serve", "job 2 was started\nIt prints to x")
    known = past(started(1), *made, *serves)
    assert [(item.told, item.output) for item in known.ran] == [("exit code 2", "no rule"), ("job 2 was started", "")]


def test_calls_without_leave_are_told_with_the_reason_and_without_the_advice() -> None:
    denied = "not run: denied: the rule `write(a.py)` of [permissions] in the settings"

    def answered(name: str, told: str) -> tuple[Event, Event]:
        request, answer = ran(1, name, told)
        assert isinstance(request, agents.ToolRequested)
        assert isinstance(answer, agents.ToolSettled)
        given = json.dumps({"path": "a.py"})
        return replace(request, name=name, input=given), replace(answer, name=name, is_error=True)

    known = past(
        started(1),
        *answered("edit_file", f"{denied}; {INSTEAD}"),
        *answered("delete_file", "not run: the edit_file before it was refused; mend that first, then call it again"),
        *ran(1, "git push", f"{denied}; {INSTEAD}"),
    )
    assert known.refused == (f"edit_file a.py: {denied}",)
    assert [(item.command, item.told) for item in known.ran] == [("git push", denied)]


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


def test_commands_of_others_beside_the_executor_are_not_its_own() -> None:
    beside = agents.SessionStarted(
        SessionId("s9"), AGENT, "subagent", ATTEMPT, None, "m", "", (), parent=SessionId("s1")
    )
    planner = agents.SessionStarted(SessionId("s8"), AgentId("planner"), "planner", None, None, "m", "", ())
    known = past(started(1), beside, planner, *ran(9, "ls", "exit code 0"), *ran(8, "id", "exit code 0"), rotated(1))
    assert known.ran == ()
    assert known.fruitless == 1


def test_a_command_that_was_interrupted_is_told_with_its_outcome_unknown() -> None:
    requested, _ = ran(2, "make", "")
    known = past(started(1), *ran(1, "make", "exit code 2"), *ran(1, "ls", "exit code 0"), started(2), requested)
    assert [(item.command, item.told) for item in known.ran] == [("ls", "exit code 0"), ("make", INTERRUPTED)]
