"""What is wrong with outlines, bodies and task lists."""

from dataclasses import replace

import pytest

from specloom.domain.documents.requirements import parse_requirements
from specloom.domain.documents.specs import parse_spec
from specloom.domain.ids import RequirementId, SpecId, TaskId
from specloom.domain.problem import Severity
from specloom.domain.spec import SpecStatus
from specloom.planning.checks import Given, TasksGiven, check_body, check_outline, check_tasks, paths_in, slug_of
from specloom.planning.messages import tasks_message
from specloom.planning.outline import Outline, PlannedSpec, covered, outline_json, read_outline, stored_outline
from specloom.planning.ports import Known
from specloom.planning.toolchain import NOTHING, toolchain
from tests.unit.planning.planning_scripts import (
    COMMANDS,
    COMMANDS_TASKS,
    REQUIREMENTS,
    STORE,
    STORE_BODY,
    STORE_TASKS,
)

DOCUMENT = parse_requirements("requirements.md", REQUIREMENTS)
GOOD = read_outline({"specs": [STORE, COMMANDS]}, DOCUMENT.requirements)
FIRST, SECOND = GOOD.specs


def codes(*specs: PlannedSpec, left_out: tuple[tuple[str, str], ...] = ()) -> list[str]:
    """The codes of the problems of an outline."""
    named = tuple((RequirementId(name), reason) for name, reason in left_out)
    return [problem.code for problem in check_outline(Outline(specs, named), Given(DOCUMENT))]


def test_a_good_outline_has_no_problem() -> None:
    assert codes(FIRST, SECOND) == []


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (replace(SECOND, id=SpecId("2")), "outline-id"),
        (replace(SECOND, id=SpecId("01")), "duplicate-spec"),
        (replace(SECOND, id=SpecId("00")), "outline-order"),
        (replace(SECOND, slug="Command line"), "outline-slug"),
        (replace(SECOND, slug="x" * 60), "outline-slug"),
        (replace(SECOND, slug="store"), "duplicate-slug"),
        (replace(SECOND, title=""), "outline-text"),
        (replace(SECOND, summary=""), "outline-text"),
        (replace(SECOND, depends_on=(SpecId("03"),)), "unknown-spec"),
        (replace(SECOND, depends_on=(SpecId("02"),)), "spec-depends-on-higher"),
        (replace(SECOND, requirements=(*SECOND.requirements, RequirementId("R9"))), "unknown-requirement"),
        (replace(SECOND, requirements=()), "requirement-not-covered"),
    ],
)
def test_each_fault_of_a_spec_is_named(second: PlannedSpec, code: str) -> None:
    assert code in codes(FIRST, second)


def test_an_outline_needs_a_spec() -> None:
    assert codes()[0] == "outline-empty"


@pytest.mark.parametrize(
    ("left_out", "code"),
    [(("R9.9", "why"), "unknown-requirement"), (("R2.1", ""), "no-reason"), (("R1.1", "why"), "contradiction")],
)
def test_each_fault_of_what_is_out_of_scope_is_named(left_out: tuple[str, str], code: str) -> None:
    assert code in codes(FIRST, replace(SECOND, requirements=()), left_out=(left_out,))


def test_the_id_of_a_group_stands_for_all_below_it() -> None:
    names = [item.id for item in DOCUMENT.requirements]
    assert covered("R1", names) == ("R1.1", "R1.2")
    assert covered(" R2.1 ", names) == ("R2.1",)
    assert covered("R7", names) == ("R7",)


def test_an_outline_reads_back_as_it_was_written() -> None:
    outline = Outline((FIRST, replace(SECOND, rewrite=True)), ((RequirementId("R2.1"), "no"),))
    assert stored_outline(outline_json(outline)) == outline


def test_a_good_body_has_no_problem() -> None:
    assert check_body(STORE_BODY, "specs/01-store.md", ()) == ()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (STORE_BODY.replace("## Interfaces", "### Interfaces"), "missing-section"),
        (STORE_BODY.replace("Keeps notes in a file (R1.1, R1.2).\n", ""), "empty-section"),
        (
            STORE_BODY.replace("Purpose", "X").replace("Dependencies", "Purpose").replace("X", "Dependencies"),
            "section-order",
        ),
        (f"{STORE_BODY}\n## Tasks\n\n- [ ] 1 A\n", "early-tasks"),
        (f"{STORE_BODY}\n```python\n", "unclosed-block"),
        (f"{STORE_BODY}\n{STORE_BODY}", "section-repeated"),
    ],
)
def test_each_fault_of_a_body_is_named(body: str, code: str) -> None:
    assert code in [problem.code for problem in check_body(body, "specs/01-store.md", ())]


def test_a_file_called_existing_is_looked_for_among_the_files() -> None:
    body = STORE_BODY.replace("None; Python", "The existing `notes/base.py` and `pathlib`; Python")
    problems = check_body(body, "specs/01-store.md", ("README.md",))
    assert [(problem.code, problem.severity) for problem in problems] == [("missing-file", Severity.WARNING)]
    assert check_body(body, "specs/01-store.md", ("notes/base.py",)) == ()
    assert check_body(body, "specs/01-store.md", None) == ()


HEAD = '---\nid: "02"\ndepends_on: ["01"]\nrequirements: [R2.1]\nextra: 1\n---\n\n## Tasks\n\n'
LOWER = parse_spec("specs/01-store.md", f'---\nid: "01"\n---\n\n## Tasks\n\n{STORE_TASKS}')
GIVEN = TasksGiven(DOCUMENT.requirements, (LOWER,), first_line=8)


def task_codes(tasks: str, given: TasksGiven = GIVEN) -> list[str]:
    """The codes of the problems of spec 02 with these tasks."""
    return [problem.code for problem in check_tasks(parse_spec("specs/02-commands.md", HEAD + tasks), given)]


def test_a_good_task_list_has_no_problem_and_the_front_matter_is_not_its_fault() -> None:
    assert task_codes(COMMANDS_TASKS) == []


def test_specs_that_are_still_written_count_as_written() -> None:
    lower = replace(LOWER, status=SpecStatus.GENERATING)
    assert task_codes(COMMANDS_TASKS, replace(GIVEN, others=(lower,))) == []
    assert task_codes(COMMANDS_TASKS.replace("01/2", "none"), replace(GIVEN, others=())) == []


@pytest.mark.parametrize(
    ("tasks", "code"),
    [
        ("No tasks.\n", "no-tasks"),
        (COMMANDS_TASKS.replace("01/2", "01/7"), "unknown-task"),
        (COMMANDS_TASKS.replace("01/2", "1"), "self-dependency"),
        (COMMANDS_TASKS.replace("R2.1", "R2.2"), "unknown-requirement"),
        (COMMANDS_TASKS.replace("R2.1", "R1.1"), "requirement-not-covered"),
        (COMMANDS_TASKS + COMMANDS_TASKS, "duplicate-number"),
        (COMMANDS_TASKS.replace("_Verify", "_Check"), "no-verify"),
        (COMMANDS_TASKS.replace("- [ ]", "- [x]"), "task-ticked"),
        (COMMANDS_TASKS.replace("- [ ]", "- [ ]*"), "requirement-not-covered"),
        (COMMANDS_TASKS + "- [ ] 2 Sort\n  - _Verify: `python -m pytest -q tests/test_list.py`_\n", "verify-repeated"),
    ],
)
def test_each_fault_of_a_task_list_is_named(tasks: str, code: str) -> None:
    assert code in task_codes(tasks)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("true", "verify-idle"),
        ("echo done", "verify-idle"),
        ("npm run dev", "verify-idle"),
        ("npx vitest --watch", "verify-idle"),
        ("python -m http.server", "verify-idle"),
        ("go test ./<package>", "verify-idle"),
        ("pytest path/to/test_x.py", "verify-idle"),
        ("python -c 'print(1)", "verify-unreadable"),
    ],
)
def test_a_command_that_cannot_prove_a_task_is_named(command: str, code: str) -> None:
    assert task_codes(COMMANDS_TASKS.replace("python -m pytest -q tests/test_list.py", command)) == [code]


@pytest.mark.parametrize(
    "command",
    [
        "go test ./...",
        'test "$(echo hi | ./app)" = hi',
        "sort < in.txt > out.txt && diff out.txt wanted.txt",
        "timeout 5 python -m http.server --help",
        "npx vitest run --watch=false",
        "grep -q '<title>' page.html && true",
    ],
)
def test_a_command_that_may_prove_a_task_is_not_doubted(command: str) -> None:
    assert task_codes(COMMANDS_TASKS.replace("python -m pytest -q tests/test_list.py", command)) == []


def test_a_kept_task_is_not_doubted_for_its_tick_nor_for_its_command() -> None:
    text = COMMANDS_TASKS.replace("- [ ]", "- [x]").replace("python -m pytest -q tests/test_list.py", "true")
    kept = parse_spec("specs/02-commands.md", HEAD + text).tasks
    assert task_codes(text, replace(GIVEN, kept=kept)) == []


def test_a_planned_spec_that_serves_nothing_is_doubted_unless_it_exists() -> None:
    idle = PlannedSpec(SpecId("03"), "more", "More", "More of it.")
    assert codes(FIRST, SECOND, idle) == ["outline-unserving"]
    known = parse_spec("specs/03-more.md", '---\nid: "03"\n---\n')
    assert check_outline(Outline((FIRST, SECOND, idle)), Given(DOCUMENT, (known,))) == ()


def test_a_kept_task_under_another_number_is_named() -> None:
    kept = parse_spec("specs/02-commands.md", HEAD + COMMANDS_TASKS).tasks
    assert kept[0].id == TaskId("02/1")
    assert "task-renumbered" in task_codes(COMMANDS_TASKS.replace("] 1 ", "] 2 "), replace(GIVEN, kept=kept))


def test_slugs_come_from_paths() -> None:
    assert slug_of("specs/01-http-api.md") == "http-api"


def test_tools_are_told_from_files_nearest_to_the_root_first() -> None:
    told = toolchain(("web/package.json", "pyproject.toml", "src/main.py"))
    assert [line.split("`")[1] for line in told.splitlines()] == ["pyproject.toml", "web/package.json"]
    assert toolchain(("README.md",)) == NOTHING


def test_files_of_lower_tasks_are_told_to_whoever_writes_tasks() -> None:
    text = "`tests/__init__.py` (empty), `src/a.js` and `src/a.js`; not `load(path)`, `x`, `a/b`"
    assert paths_in(text) == ("tests/__init__.py", "src/a.js")
    lower = parse_spec("specs/01-a.md", '---\nid: "01"\n---\n\n# A\n\n## Tasks\n\n- [ ] 1 Make it\n  - `tests/a.py`\n')
    spec = parse_spec("specs/02-b.md", '---\nid: "02"\n---\n\n# B\n')
    assert "- 01/1 Make it; files: tests/a.py" in tasks_message((spec, "# B"), (), (lower,), Known())
