"""The turns that are left of an attempt are told from its own sessions, however many others there were."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

from specloom.agent.session import SessionSetup
from specloom.domain.ids import AgentId, AttemptId, SessionId, TaskId
from specloom.domain.project import SessionRecord
from specloom.engine.context import EngineContext
from specloom.engine.rotating import within


class Sessions(dict[SessionId, SessionRecord]):
    """Which may be looked up, and not looked through."""

    def __iter__(self) -> Iterator[SessionId]:
        raise AssertionError("a run has thousands of them")

    values = items = keys = __iter__  # pyright: ignore[reportAssignmentType] # none of them is to be called


def session(name: str, turns: int, previous: str | None = None) -> SessionRecord:
    agent, attempt, task = AgentId("agent-1"), AttemptId("attempt-1"), TaskId("01/1")
    before = None if previous is None else SessionId(previous)
    return SessionRecord(SessionId(name), agent, "executor", "m", attempt, task, "", turns, previous=before)


def test_turns_count_over_the_sessions_that_one_continues_and_no_others_are_looked_at() -> None:
    known = [session("one", 3), session("two", 4, "one"), session("three", 5, "two"), session("other", 9)]
    state = SimpleNamespace(sessions=Sessions({item.id: item for item in known}))
    engine = cast("EngineContext", SimpleNamespace(state=state, limited=lambda setup: setup))  # pyright: ignore[reportUnknownLambdaType] # as it is
    fresh = SessionSetup(SessionId("new"), AgentId("agent-1"), "executor", "m", "", ())
    first, last = (
        within(engine, fresh),
        SessionSetup(fresh.id, fresh.agent, "executor", "m", "", (), previous=known[2].id),
    )
    assert (first.turns_before, within(engine, last).turns_before) == (0, 12)
