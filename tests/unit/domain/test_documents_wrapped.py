"""Metadata that is wrapped over several lines is read as if it stood on one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.documents.rewrite import set_checkbox
from specloom.domain.documents.specs import parse_spec
from specloom.domain.spec import SpecDefinition, TaskDefinition


def read(lines: str, eol: str = "\n") -> tuple[SpecDefinition, str]:
    text = f"- [ ] 1. First\n- [ ] 2. Second\n{lines}\n- [ ] 3. Third\n".replace("\n", eol)
    return parse_spec("specs/01-x.md", text), text


def second(lines: str) -> TaskDefinition:
    return read(lines)[0].tasks[1]


@pytest.mark.parametrize("bullet", ["- ", "* ", ""])
@pytest.mark.parametrize("mark", ["_", "*", "__"])
def test_lists_run_up_to_the_closing_sign(bullet: str, mark: str) -> None:
    first = f"  {bullet}{mark}Requirements: 1.1,\n    R2.3-R2.5\n    and 7{mark}\n"
    task = second(f"{first}  {bullet}{mark}Depends:\n    1{mark}\n  - more")
    assert task.depends == ("01/1",)
    assert task.requirements == ("1.1", "R2.3", "R2.4", "R2.5", "7")
    assert task.details == ("more",)


def test_dependencies_may_be_wrapped() -> None:
    spec, _ = read("  - _Depends: 1,\n    01/3_")
    assert spec.tasks[1].depends == ("01/1", "01/3")
    assert spec.problems == ()


def test_a_label_closed_by_itself_goes_on_while_lines_end_in_a_comma() -> None:
    task = second("  - **Requirements:** 1.1,\n    1.2,\n    1.3\n    Then the words of the task")
    assert task.requirements == ("1.1", "1.2", "1.3")
    assert task.details == ("Then the words of the task",)


def test_a_command_may_be_wrapped_inside_its_code_span() -> None:
    task = second("  - _Verify: `python -m pytest -q\n    tests/_one.py -k _a_` and\n    `ruff check`_")
    assert task.verify == ("python -m pytest -q tests/_one.py -k _a_", "ruff check")


@pytest.mark.parametrize(
    "below",
    [
        "    some words that nothing closes",
        "    _other words_ of the task",
        "  - an item that ends in_",
        "  - _Requirements: 7_",
        "\n    after a blank line_",
        "    ```\n    code_\n    ```",
        "- [ ] 2.9 another task_",
        "not indented_",
        "".join(f"    line {number}\n" for number in range(50)) + "    far below_",
    ],
)
def test_without_its_closing_sign_only_the_first_line_counts(below: str) -> None:
    task = second(f"  - _Requirements: 1.1\n{below}")
    assert task.requirements[0] == "1.1"
    assert set(task.requirements) <= {"1.1", "7"}


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_each_id_is_found_where_it_stands_and_boxes_are_written_byte_for_byte(eol: str) -> None:
    spec, text = read("  - _Requirements: R1.1,\n\t  R1.2,  R2.1 -\n    R2.3_", eol)
    rows = text.split(eol)
    task = spec.tasks[1]
    assert [(item.target, item.line) for item in task.mentions] == [
        ("R1.1", 2),
        ("R1.2", 3),
        ("R2.1", 3),
        ("R2.2", 3),
        ("R2.3", 3),
    ]
    for item in task.mentions:
        assert rows[item.line][item.column : item.span.end_column] == item.text
    assert set_checkbox(text, task, True) == text.replace("[ ] 2.", "[x] 2.")


def test_what_is_no_id_is_told_on_its_own_line() -> None:
    spec, _ = read("  - _Requirements: 1.1,\n    whatever_")
    (problem,) = spec.problems
    assert (problem.code, problem.span.start_line, problem.span.start_column) == ("unread-reference", 3, 4)


IDS = st.lists(st.integers(1, 40).map(lambda number: f"R1.{number}"), min_size=1, max_size=9, unique=True)


@given(IDS, st.data())
def test_wherever_it_is_wrapped_it_reads_the_same(names: list[str], data: st.DataObject) -> None:
    breaks = data.draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names)))
    gaps = ["\n      " if here else " " for here in breaks]
    wrapped = "".join(f",{gap}{name}" for gap, name in zip(gaps, names, strict=True))
    value = wrapped.lstrip(", \n")
    task = second(f"  - _Requirements: {value}_\n  - words")
    assert task.requirements == tuple(names)
    assert task.details == ("words",)
    assert task.hash == second("  - words").hash
