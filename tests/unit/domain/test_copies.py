"""A changed copy is the one that `dataclasses.replace` makes, and leaves its original alone."""

from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.copies import with_changes
from specloom.domain.ids import AgentId, PlanId, RunId, SessionId, TaskId
from specloom.domain.project import UNTOUCHED, PlanRecord, ProjectState, RunRecord, SessionRecord, TaskRecord
from specloom.domain.runs import Budget, RunState, Scope

VALUES: list[Any] = [
    ProjectState(name="shop"),
    TaskRecord(reason="no"),
    RunRecord(RunId("r"), Scope(), Budget(), True, RunState.RUNNING, "2026"),
    SessionRecord(SessionId("s"), AgentId("a"), "executor", "m", None, None, "2026"),
    PlanRecord(PlanId("p"), "requirements.md", "specs", "running"),
]


@given(st.sampled_from(VALUES), st.data())
def test_a_copy_is_the_one_of_dataclasses(value: Any, data: st.DataObject) -> None:
    names = data.draw(st.sets(st.sampled_from([field.name for field in fields(value)])))
    changes = {name: f"new {name}" for name in names}
    before = {field.name: getattr(value, field.name) for field in fields(value)}
    copy = with_changes(value, **changes)
    assert (copy, type(copy)) == (replace(value, **changes), type(value))
    assert {field.name: getattr(value, field.name) for field in fields(value)} == before


@pytest.mark.parametrize("value", VALUES)
def test_a_field_that_there_is_not_is_a_bug(value: Any) -> None:
    with pytest.raises(TypeError, match="has no field nonsense"):
        with_changes(value, nonsense=1)


def test_a_copy_is_frozen_too() -> None:
    with pytest.raises(FrozenInstanceError):
        with_changes(TaskRecord(), reason="no").reason = "yes"  # pyright: ignore[reportAttributeAccessIssue] - the point


def test_all_tasks_that_nothing_happened_to_have_one_record() -> None:
    records = {id(ProjectState().record(TaskId(f"1/{number}"))) for number in range(100)}
    assert records == {id(UNTOUCHED)}
    assert TaskRecord() == UNTOUCHED
