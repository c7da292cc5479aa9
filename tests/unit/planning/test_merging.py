"""New task lists take in the old list's kept tasks byte for byte."""

from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.documents.specs import parse_spec
from specloom.domain.ids import TaskId
from specloom.planning.merging import kept_with_parents, merge_tasks

OLD = """- [ ] 1 Storage
  - [x] 1.1   Keep notes
      * oddly   indented
    - _Requirements: R1.1_
  - [ ] 1.2 Find notes
- [ ] 2 Pages
"""


def kept(*numbers: str) -> frozenset[TaskId]:
    """Ids of a spec 01."""
    return frozenset(TaskId(f"01/{number}") for number in numbers)


def test_without_kept_tasks_the_new_list_stands() -> None:
    assert merge_tasks(OLD, "- [ ] 1 New\n", frozenset()) == "- [ ] 1 New\n"


def test_a_kept_task_and_its_parent_stand_as_they_were() -> None:
    new = "- [ ] 1 Files\n  - [ ] 1.1 Keep all notes\n    - changed\n  - [ ] 1.3 Sort notes\n"
    expected = "".join(OLD.splitlines(keepends=True)[:4]) + "  - [ ] 1.3 Sort notes\n"
    assert merge_tasks(OLD, new, kept("1.1")) == expected


def test_a_kept_task_that_the_new_list_forgets_comes_back_in_its_place() -> None:
    merged = merge_tasks(OLD, "- [ ] 1 Storage\n  - [ ] 1.2 Sort\n- [ ] 3 Rest", kept("1.1"))
    assert [task.number for task in parse_spec("specs/01-x.md", merged).tasks] == ["1", "1.1", "1.2", "3"]
    assert "      * oddly   indented\n" in merged


def test_a_kept_task_may_come_last() -> None:
    assert merge_tasks(OLD, "- [ ] 1 Storage", kept("2")) == "- [ ] 1 Storage\n- [ ] 2 Pages\n"


def test_parents_of_kept_tasks_are_kept() -> None:
    tasks = parse_spec("specs/01-x.md", OLD).tasks
    assert [task.number for task in kept_with_parents(tasks, kept("1.1"))] == ["1", "1.1"]


NUMBERS = st.lists(st.integers(min_value=1, max_value=9), unique=True)


@given(NUMBERS, NUMBERS, st.sets(st.integers(min_value=1, max_value=9)))
def test_kept_tasks_survive_any_new_list(old: list[int], new: list[int], chosen: set[int]) -> None:
    before = "".join(f"- [x] {number} old {number}\n  - detail\n" for number in sorted(old))
    after = "".join(f"- [ ] {number} new {number}\n" for number in new)
    merged = merge_tasks(before, after, kept(*map(str, chosen)))
    found = {task.number: task.title for task in parse_spec("specs/01-x.md", merged).tasks}
    assert set(found) == {str(number) for number in {*new, *(chosen & set(old))}}
    assert all(found[str(number)] == f"old {number}" for number in chosen & set(old))
    assert all(found[str(number)] == f"new {number}" for number in set(new) - (chosen & set(old)))
