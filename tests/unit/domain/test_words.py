"""What a person says to an agent stays with the task that it worked on, whatever becomes of attempts and numbers."""

from specloom.domain.events import Event, agents, documents, tasks
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import AgentId, ApprovalId, AttemptId, RunId, SessionId, TaskId
from specloom.domain.project import PastAttempt, ProjectState, Word
from specloom.domain.spec import SpecDefinition

TASK, NEW = TaskId("01/1"), TaskId("01/2")
AGENT = AgentId("agent-1")
DONE_AND_RESET = (tasks.TaskDone(TASK, ()), tasks.TaskReset(TASK))


def attempt(number: int) -> tuple[Event, ...]:
    """An attempt begins with its first session."""
    name = AttemptId(f"attempt-{number}")
    return tasks.TaskStarted(TASK, name, AGENT, RunId("run-1"), number, ()), session(number, 1)


def session(of: int, number: int) -> agents.SessionStarted:
    """A session of an attempt."""
    name = SessionId(f"s{of}-{number}")
    return agents.SessionStarted(name, AGENT, "executor", AttemptId(f"attempt-{of}"), TASK, "m", "", (), number=number)


def asked(
    kind: str, subject: str, answer: str, *, allowed: bool, rule: str = "user", agent: AgentId | None = AGENT
) -> tuple[Event, Event]:
    """A question about the task, and its answer."""
    known = ApprovalId(subject)
    return (
        agents.ApprovalAsked(known, "question" if kind == "question" else "command", subject, "", agent, TASK),
        agents.ApprovalAnswered(known, allowed, rule, answer),
    )


def after(*events: Event) -> ProjectState:
    """The state after these events."""
    state = EMPTY
    for seq, event in enumerate(events, 1):
        state = evolve(state, event, "2026-01-01T00:00:00Z", seq)
    return state


def test_words_of_a_person_stay_with_the_task_through_all_its_attempts() -> None:
    state = after(
        *attempt(1),
        *asked("question", "Which unit?", "Metres", allowed=True),
        *asked("command", "rm -r x", "Deny", allowed=False),
        tasks.AttemptFailed(TASK, AttemptId("attempt-1"), "failed", "boom"),
        *attempt(2),
        session(2, 2),
        *asked("question", "Sure?", "No.\nNever", allowed=True),
        tasks.TaskReleased(TASK, AttemptId("attempt-2"), "the run was cancelled"),
        *DONE_AND_RESET,
    )
    assert state.record(TASK).words == (
        Word(1, 1, 'answering "Which unit?"', "Metres"),
        Word(1, 1, 'refusing "rm -r x"', "Deny"),
        Word(2, 2, 'answering "Sure?"', "No.\nNever"),
    )


def test_what_rules_decide_and_what_others_are_told_are_no_words_about_the_task() -> None:
    state = after(
        *attempt(1),
        *asked("command", "make", "Allow once", allowed=True),
        *asked("command", "curl x", "nobody answered", allowed=False, rule="deadline"),
        *asked("question", "Which outline?", "The first", allowed=True, agent=AgentId("planner")),
        *asked("command", "_Verify: x_", "Deny", allowed=False, agent=None),
    )
    assert state.record(TASK).words == ()


def test_words_follow_a_task_that_is_renumbered_while_its_agent_waits() -> None:
    question, answer = asked("question", "Which unit?", "Metres", allowed=True)
    spec = SpecDefinition(id=NEW.partition("/")[0], path="specs/01.md", title="")  # pyright: ignore[reportArgumentType]
    state = after(*attempt(1), question, documents.SpecRead(spec, ((TASK, NEW),)), answer)
    assert [word.words for word in state.record(NEW).words] == ["Metres"]


def test_an_attempt_that_is_over_is_known_with_its_place_in_the_log_until_a_reset() -> None:
    released = tasks.TaskReleased(TASK, AttemptId("attempt-1"), "the run was cancelled")
    known = after(*attempt(1), released).record(TASK).past
    assert known == PastAttempt(AttemptId("attempt-1"), 1, 3, "the run was cancelled")
    again = after(*attempt(1), released, *attempt(2), tasks.AttemptFailed(TASK, AttemptId("attempt-2"), "x", "boom"))
    assert again.record(TASK).past == PastAttempt(AttemptId("attempt-2"), 4, 6)
    blocked = after(*attempt(1), tasks.TaskBlocked(TASK, "no key")).record(TASK).past
    assert blocked == PastAttempt(AttemptId("attempt-1"), 1, 3, "blocked: no key")
    assert after(*attempt(1), released, *DONE_AND_RESET).record(TASK).past is None
