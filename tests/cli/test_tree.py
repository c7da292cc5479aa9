"""The task tree: what it says, and that it fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.cli.views.rows import overall, spec_rows
from specloom.cli.views.tree import Pen, draw, fit
from specloom.domain.events import tasks
from specloom.domain.ids import TaskId
from specloom.domain.runs import Scope
from specloom.domain.states import TaskState
from tests.cli.stories import Story, spec


def drawn(story: Story, width: int = 100, scope: Scope | None = None) -> list[str]:
    return [line.plain for line in draw(spec_rows(story.state, scope), Pen(width))]


def test_states_are_told_without_colour() -> None:
    story = Story(spec(1, "Storage", 3), spec(2, "Commands", 2)).prove(["01/1.1"])
    attempt = story.start("01/1.2")
    story.tell(tasks.AttemptFailed(TaskId("01/1.2"), attempt, "it did not pass"))
    story.start("01/1.2", 2)
    assert drawn(story) == [
        "▶ 01 Storage  1/3",
        "    1 Build it",
        "    ✓ 1.1 Step 1 of Storage  proven",
        "    ▶ 1.2 Step 2 of Storage  attempt 2",
        "    · 1.3 Step 3 of Storage",
        "○ 02 Commands  0/2",
        "    1 Build it",
        "    ○ 1.1 Step 1 of Commands",
        "    · 1.2 Step 2 of Commands",
    ]


def test_a_terminal_without_unicode_gets_ascii() -> None:
    story = Story(spec(1, "Storage", 2)).prove(["01/1.1"])
    lines = [line.plain for line in draw(spec_rows(story.state), Pen(80, plain=True))]
    assert lines[2] == "    x 1.1 Step 1 of Storage  proven"
    assert "".join(lines).isascii()


def test_reasons_stand_beside_what_failed() -> None:
    story = Story(spec(1, "Storage", 2))
    story.start("01/1.1")
    story.tell(tasks.TaskFailed(TaskId("01/1.1"), "nothing works"))
    story.tell(tasks.TaskBlocked(TaskId("01/1.2"), "01/1.1 failed", TaskId("01/1.1")))
    assert "    ✗ 1.1 Step 1 of Storage  failed: nothing works" in drawn(story)
    assert "    ■ 1.2 Step 2 of Storage  blocked: 01/1.1 failed" in drawn(story)


def test_a_scope_shows_its_tasks_and_their_headings_alone() -> None:
    story = Story(spec(1, "Storage", 2), spec(2, "Commands", 2))
    assert drawn(story, scope=Scope("task", "02/1.2")) == [
        "· 02 Commands  0/1",
        "    1 Build it",
        "    · 1.2 Step 2 of Commands",
    ]


def test_optional_tasks_are_listed_and_not_counted() -> None:
    lines = drawn(Story(spec(1, "Storage", 2, optional=1)))
    assert lines[0] == "○ 01 Storage  0/1"
    assert lines[-1].endswith("Step 2 of Storage  optional")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], TaskState.PENDING),
        ([TaskState.DONE, TaskState.SKIPPED], TaskState.DONE),
        ([TaskState.DONE, TaskState.FAILED, TaskState.IN_PROGRESS], TaskState.IN_PROGRESS),
        ([TaskState.DONE, TaskState.FAILED, TaskState.READY], TaskState.FAILED),
    ],
)
def test_a_spec_shows_its_most_urgent_state(states: list[TaskState], expected: TaskState) -> None:
    assert overall(states) is expected


@given(
    sizes=st.lists(st.integers(1, 8), min_size=1, max_size=6),
    done=st.integers(0, 40),
    width=st.integers(12, 140),
    height=st.integers(1, 40),
)
def test_the_picture_fits_and_keeps_what_is_going_on(sizes: list[int], done: int, width: int, height: int) -> None:
    story = Story(*(spec(place, f"Part {place}", size) for place, size in enumerate(sizes, start=1)))
    leaves = [task for task in story.state.graph.order if story.state.graph.tasks[task].is_leaf]
    story.prove(leaves[:done])
    if done < len(leaves):
        story.start(leaves[done])
    lines = fit(spec_rows(story.state), Pen(width), height)
    assert 0 < len(lines) <= height
    assert all(line.cell_len <= width for line in lines)
    if done < len(leaves):
        number = leaves[done].rpartition("/")[2]
        assert any(f"▶ {number}" in line.plain for line in lines)
