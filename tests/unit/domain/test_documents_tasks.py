"""The task list grammar: what is a task, how it is numbered, what it states."""

from pathlib import Path

import pytest

from specloom.domain.documents.findings import Findings
from specloom.domain.documents.lines import scan
from specloom.domain.documents.specs import parse_spec
from specloom.domain.documents.task_lines import numbered_label
from specloom.domain.documents.tasks import read_drafts
from specloom.domain.documents.waits import Groups, mark_parallel
from specloom.domain.ids import SpecId
from specloom.domain.problem import Problem, Severity
from specloom.domain.spec import TaskDefinition

FIXTURES = Path(__file__).parents[2] / "fixtures" / "documents"


def read(text: str) -> tuple[tuple[TaskDefinition, ...], list[Problem]]:
    findings = Findings("specs/01-x.md")
    drafts = read_drafts(scan(text), SpecId("01"), findings, numbered_label)
    mark_parallel(drafts, Groups())
    return tuple(draft.definition() for draft in drafts), findings.problems


def numbers(text: str) -> list[str]:
    return [task.number for task in read(text)[0]]


def only(text: str) -> TaskDefinition:
    (task,) = read(text)[0]
    return task


def test_a_whole_list_is_read() -> None:
    spec = parse_spec("specs/02-sessions.md", (FIXTURES / "specloom_spec.md").read_text())
    tasks = {task.number: task for task in spec.tasks}
    assert list(tasks) == ["1", "1.1", "1.2", "1.3", "2", "2.1", "2.2", "2.2.1", "2.2.1.1", "u1"]
    assert [task.number for task in spec.tasks if task.is_leaf] == ["1.1", "1.2", "1.3", "2.1", "2.2.1.1", "u1"]
    first = tasks["1.1"]
    assert first.details == ("one line of detail", "  - a nested one")
    assert first.requirements == ("R1.2", "R1.4", "R1.5", "R1.6")
    assert first.depends == ()
    assert first.verify == ("python -m pytest -q tests/test_sessions.py", "ruff check .")
    assert first.parent == "02/1"
    assert tasks["2.1"].depends == ("02/1.3", "01/2.1")
    assert tasks["1.2"].optional
    assert not tasks["1.3"].optional
    assert tasks["1.3"].depends is None
    assert tasks["1.3"].details == ("```python", "# - [ ] 9.9 in a fence", "```")
    assert tasks["2.2.1.1"].parent == "02/2.2.1"
    assert [number for number, task in tasks.items() if task.ticked] == ["1", "1.1", "2.2.1.1"]


@pytest.mark.parametrize("bullet", ["-", "*", "+", "1.", "12)"])
@pytest.mark.parametrize(("mark", "ticked"), [(" ", False), ("x", True), ("X", True), ("-", False), ("~", False)])
def test_bullets_and_marks(bullet: str, mark: str, ticked: bool) -> None:
    task = only(f"{bullet} [{mark}] 3. Do it")
    assert (task.number, task.title, task.ticked) == ("3", "Do it", ticked)


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_line_ends_byte_order_mark_and_tabs(eol: str) -> None:
    text = eol.join(["\ufeff- [ ] 1. Ünïcode 任务", "\t- [ ] 1.1 Kind", "\t\t- _Depends: none_"])
    first, second = read(text)[0]
    assert (first.title, first.span.start_column, first.line) == ("Ünïcode 任务", 1, 0)
    assert (second.parent, second.depends, second.line) == (first.id, (), 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- [ ] 1. a\n  - [ ] 1.1 b\n    - [ ] 1.1.1 c\n      - [ ] 1.1.1.1 d", ["1", "1.1", "1.1.1", "1.1.1.1"]),
        ("- [ ] a\n- [ ] b\n- [ ] 1. c\n- [ ] d", ["u1", "u2", "1", "u3"]),
        ("- [ ] 2. a\n   - [ ] 1. b\n   - [ ] 2. c", ["2", "2.1", "2.2"]),
        ("- [ ] **1.1** bold\n- [ ] **1.2 bold title**\n- [ ] 1.3: colon", ["1.1", "1.2", "1.3"]),
        ("- [ ] 3D model\n- [ ] 1.5x faster", ["u1", "u2"]),
        ("- [ ] 7", ["7"]),
    ],
)
def test_numbers(text: str, expected: list[str]) -> None:
    assert numbers(text) == expected


def test_bold_around_number_and_title_leaves_no_marks() -> None:
    assert [task.title for task in read("- [ ] **1.1 Bold title**\n- [ ] **1.2** Plain")[0]] == ["Bold title", "Plain"]


def test_a_flat_list_nests_by_number() -> None:
    parent, child = read("- [ ] 1. a\n- [ ] 1.1 b")[0]
    assert (child.parent, parent.is_leaf, child.is_leaf) == (parent.id, False, True)


@pytest.mark.parametrize(
    "text",
    [
        "- [ ] = pending",
        "- [x] done means proven",
        "- [ ] → not started",
        "- [x] Completed",
        "- [ ] **pending:** nobody has begun",
        "## Legend\n- [ ] anything here",
        "> - [ ] 1. quoted",
        "```\n- [ ] 1. fenced\n```",
        "~~~ text\n- [ ] 1. fenced\n```\n~~~",
        "- ```\n  - [ ] 1. fenced\n  ```",
        "<!-- - [ ] 1. hidden\n- [ ] 2. hidden too -->",
        "- [x](https://example.org) a link",
        "- [y] 1. unknown mark",
        "1.1 [ ] no bullet",
        "---\nx: 1\n- [ ] 1. front matter\n---",
        "# Plan\n- [ ] unnumbered beside a section Tasks\n## Tasks\nnone yet",
    ],
)
def test_these_are_no_tasks(text: str) -> None:
    assert read(text)[0] == ()


@pytest.mark.parametrize(
    "text", ["- [ ] Pending orders view", "- [ ] Done button", "- [ ] Complete the docs", "- [ ] Open the file"]
)
def test_words_of_a_legend_may_start_a_title(text: str) -> None:
    assert only(text).title == text[6:]


def test_a_comment_or_fence_that_closes_hides_nothing_behind_it() -> None:
    assert numbers("<!-- note -->\n- [ ] 1. a\n```sh\nx\n```\n- [ ] 2. b") == ["1", "2"]


def test_a_block_that_never_closes_is_a_problem() -> None:
    spec = parse_spec("specs/01-x.md", "- [ ] 1. a\n\n```\n- [ ] 2. b\n")
    assert [task.number for task in spec.tasks] == ["1"]
    (problem,) = spec.problems
    assert (problem.code, problem.span.start_line) == ("unclosed-block", 2)


def test_a_second_task_of_the_same_number_gets_its_own_id_and_a_problem() -> None:
    tasks, problems = read("- [ ] 1. a\n- [ ] 2. b\n- [ ] 1. c\n- [ ] 1. d")
    assert [task.id for task in tasks] == ["01/1", "01/2", "01/1~2", "01/1~3"]
    assert [problem.code for problem in problems] == ["duplicate-number", "duplicate-number"]
    assert problems[0].suggestions == ("3",)
    assert (problems[0].span.start_line, problems[0].span.start_column, problems[0].span.end_column) == (2, 6, 7)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1.1, 1.2", ["1.1", "1.2"]),
        ("1.1-1.4", ["1.1", "1.2", "1.3", "1.4"]),
        ("R1.1–R1.3; R2.1", ["R1.1", "R1.2", "R1.3", "R2.1"]),
        ("R1.1 - 1.2", ["R1.1", "R1.2"]),
        ("1.9..1.11", ["1.9", "1.10", "1.11"]),
        ("FR-001–FR-003", ["FR-001", "FR-002", "FR-003"]),
        ("FR-001, NFR-SEC-02", ["FR-001", "NFR-SEC-02"]),
        ("Requirements 1.1 and 1.3", ["1.1", "1.3"]),
        ("export/1, 概要/登录", ["export/1", "概要/登录"]),
        ("1.1, 1.1", ["1.1"]),
        ("1.1-1.999999999", ["1.1-1.999999999"]),
    ],
)
def test_lists_of_requirements(value: str, expected: list[str]) -> None:
    assert list(only(f"- [ ] 1. a\n  - _Requirements: {value}_").requirements) == expected


def test_a_word_that_is_no_id_is_told() -> None:
    tasks, problems = read("- [ ] 1. a\n  - _Requirements: all of them, 1.2_")
    assert tasks[0].requirements == ("1.2",)
    assert {problem.code for problem in problems} == {"unread-reference"}
    assert all(problem.severity is Severity.INFORMATION for problem in problems)


def test_ids_are_mentioned_where_they_stand() -> None:
    text = "- [ ] 1. a\n  - _Requirements: R1.1, R2.1-R2.2_\n  - _Depends: 02/3_"
    task = only(text)
    rows = text.split("\n")
    written = [rows[m.line][m.column : m.span.end_column] for m in task.mentions]
    assert written == ["R1.1", "R2.1-R2.2", "R2.1-R2.2", "02/3"]
    assert [m.target for m in task.mentions] == ["R1.1", "R2.1", "R2.2", "02/3"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("_Depends: 1.3, 02/1.1_", ("01/1.3", "02/1.1")),
        ("_Depends: none_", ()),
        ("_Depends: None._", ()),
        ("_Depends:_", None),
        ("*Depends on: 1.*", ("01/1",)),
        ("**Depends:** 2.1-2.3", ("01/2.1", "01/2.2", "01/2.3")),
        ("_depends: 02/1.1-1.2_", ("02/1.1", "02/1.2")),
        ("Depends: 1.3", None),
    ],
)
def test_dependencies(line: str, expected: tuple[str, ...] | None) -> None:
    assert only(f"- [ ] 4. a\n  - {line}").depends == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("`pytest -q`", ("pytest -q",)),
        ("pytest -q tests/test_*.py", ("pytest -q tests/test_*.py",)),
        ("`a`, `b` and `c`", ("a", "b", "c")),
        ("`` echo `date` ``", ("echo `date`",)),
        ("`grep foo_`", ("grep foo_",)),
        ("none", ()),
        ("", ()),
    ],
)
def test_verify_commands(value: str, expected: tuple[str, ...]) -> None:
    tasks, problems = read(f"- [ ] 1. a\n  - _Verify: {value}_")
    assert tasks[0].verify == expected
    assert problems == []


def test_prose_beside_a_command_is_not_run_and_is_told() -> None:
    tasks, problems = read("- [ ] 1. a\n  - _Verify: run `pytest` twice_")
    assert tasks[0].verify == ("pytest",)
    assert [problem.code for problem in problems] == ["unread-verify"]


def test_commands_of_a_parent_are_told_to_be_unused() -> None:
    _, problems = read("- [ ] 1. a\n  - _Verify: `x`_\n  - [ ] 1.1 b")
    assert [problem.code for problem in problems] == ["verify-on-parent"]


def test_brackets_without_space_are_told() -> None:
    tasks, (problem,) = read("- [] 1. a")
    assert tasks == ()
    assert (problem.code, problem.suggestions, problem.span.start_column) == ("malformed-checkbox", ("[ ]",), 2)


@pytest.mark.parametrize("star", ["*", "\\*", "* "])
def test_optional_tasks(star: str) -> None:
    task = only(f"- [ ]{star} 1.2 Measure")
    assert (task.optional, task.number, task.title) == (True, "1.2", "Measure")


def test_parallel_leaves_depend_on_the_last_that_is_not() -> None:
    text = "- [ ] 1. a\n- [ ] 2. (P) b\n- [ ] 3. c (P)\n- [ ] 4. d\n- [ ] 5. e\n- [ ] 6. (P) f\n  - _Depends: none_\n"
    spec = parse_spec("specs/01-x.md", text)
    tasks = {task.number: task for task in spec.tasks}
    assert [task.title for task in tasks.values()] == ["a", "b", "c", "d", "e", "f"]
    assert {number: spec.stated_by(task) for number, task in tasks.items()} == {
        "1": None,
        "2": ("01/1",),
        "3": ("01/1",),
        "4": ("01/1", "01/2", "01/3"),
        "5": None,
        "6": (),
    }


def test_details_end_where_the_list_does() -> None:
    first, second = read(
        "- [ ] 1. a\n\n  still a\n\nText outside.\n  indented text outside\n- [ ] 2. b\n# Heading\n  c"
    )[0]
    assert first.details == ("still a",)
    assert second.details == ()


def test_the_hash_is_of_the_words_alone() -> None:
    first = only("- [ ] 1. Create   the table\n  - with keys\n  - _Verify: `x`_")
    second = only("* [x] 9.9 Create the table\n    - with\tkeys")
    assert first.hash == second.hash
    assert first.hash != only("- [ ] 1. Create a table\n  - with keys").hash


def test_a_task_without_words_is_told() -> None:
    tasks, (problem,) = read("- [ ] 2.1")
    assert (tasks[0].number, tasks[0].title, problem.code) == ("2.1", "", "empty-title")


def test_validated_requirements_of_a_property_count() -> None:
    task = only("- [ ]* 1. Test\n  - **Property 1: x**\n  - **Validates: Requirements 1.3, 1.4**")
    assert task.requirements == ("1.3", "1.4")
    assert task.details == ("**Property 1: x**", "**Validates: Requirements 1.3, 1.4**")
