"""Kiro's and Spec Kit's layouts, and which files make up which spec."""

import json
from pathlib import Path

import pytest

from specloom.domain.documents.kiro import parse_kiro_spec
from specloom.domain.documents.layouts import (
    SpecSource,
    detect_layout,
    parse_requirement_document,
    parse_source,
    requirement_documents,
    spec_documents,
)
from specloom.domain.documents.requirements import parse_requirements
from specloom.domain.documents.spec_kit import parse_spec_kit
from specloom.domain.problem import Severity
from specloom.domain.spec import Layout, SpecDefinition

FIXTURES = Path(__file__).parents[2] / "fixtures" / "documents"
LIST = "- [ ] 1. a\n- [ ] 2. b\n  - [ ] 2.1 c\n  - [ ] 2.2 d\n- [ ] 3. e\n"


def kiro(text: str) -> SpecDefinition:
    return parse_kiro_spec("shop", ".kiro/specs/shop/tasks.md", text, None, None)


def depends(spec: SpecDefinition) -> dict[str, tuple[str, ...] | None]:
    prefix = f"{spec.id}/"
    stated = {task.number: spec.stated_by(task) for task in spec.tasks if task.is_leaf}
    return {
        number: None if names is None else tuple(name.removeprefix(prefix) for name in names)
        for number, names in stated.items()
    }


def with_graph(source: str, fence: str = "json") -> SpecDefinition:
    return kiro(f"{LIST}\n## Task Dependency Graph\n\n```{fence}\n{source}\n```\n\n## Notes\n\n- none\n")


def test_a_kiro_folder_is_read() -> None:
    requirements = parse_requirements(
        ".kiro/specs/shop/requirements.md", (FIXTURES / "kiro_requirements.md").read_text()
    )
    text = (FIXTURES / "kiro_tasks.md").read_text()
    spec = parse_kiro_spec("shop", ".kiro/specs/shop/tasks.md", text, requirements, "# Design Document")
    assert (spec.id, spec.title, spec.layout, spec.problems) == ("shop", "Shop", Layout.KIRO, ())
    assert [ref.id for ref in spec.requirements] == ["1.1", "1.2", "1.3", "2.1", "2.2"]
    assert depends(spec) == {"1": (), "2.1": ("1",), "2.2": ("1",), "2.3": ("1",), "3": ("2.1", "2.3"), "4": ("3",)}
    tasks = {task.number: task for task in spec.tasks}
    assert tasks["2.1"].requirements == ("1.1", "1.2", "1.3", "2")
    assert tasks["2.2"].requirements == ("1.2",)
    assert tasks["2.2"].optional
    assert tasks["1"].details == ("Create the folders",)


@pytest.mark.parametrize(
    "waves",
    [
        [{"id": 0, "tasks": ["1"]}, {"id": 1, "tasks": ["2.1", "2.2"]}, {"id": 2, "tasks": ["3"]}],
        [
            {"wave": 1, "description": "x", "tasks": ["1"]},
            {"wave": 2, "tasks": ["2.1", "2.2"]},
            {"wave": 3, "tasks": [3]},
        ],
        [["1"], ["2.1", "2.2"], ["3"]],
        [{"tasks": [{"id": "1"}]}, {"tasks": [{"id": 2.1}, {"id": 2.2}]}, {"tasks": [{"id": 3}]}],
    ],
)
def test_waves_in_every_form(waves: list[object]) -> None:
    expected = {"1": (), "2.1": ("1",), "2.2": ("1",), "3": ("2.1", "2.2")}
    for source in (json.dumps({"waves": waves}), json.dumps(waves), json.dumps({"waves": waves}, indent=2)):
        spec = with_graph(source)
        assert (depends(spec), spec.problems) == (expected, ())


def test_waves_that_name_what_they_wait_for() -> None:
    waves = [
        {"id": "base", "tasks": ["1"]},
        {"id": 2, "name": "side", "tasks": ["2.1"], "depends_on": []},
        {"id": 3, "tasks": ["2.2"], "depends_on": ["base"]},
        {"id": 4, "tasks": ["3"], "depends_on": ["side", 3]},
    ]
    assert depends(with_graph(json.dumps({"waves": waves}))) == {
        "1": (),
        "2.1": (),
        "2.2": ("1",),
        "3": ("2.1", "2.2"),
    }


def test_a_parent_in_a_wave_stands_for_its_leaves_in_order() -> None:
    assert depends(with_graph('{"waves": [["1"], ["2"], ["3"]]}')) == {
        "1": (),
        "2.1": ("1",),
        "2.2": ("2.1",),
        "3": ("2.1", "2.2"),
    }


@pytest.mark.parametrize("arrow", ["→", "->", "-->", "=>"])
def test_arrows(arrow: str) -> None:
    spec = with_graph(f"1 {arrow} 2.1 (c), 2.2 {arrow} 3", fence="text")
    assert depends(spec) == {"1": (), "2.1": ("1",), "2.2": ("1",), "3": ("2.1", "2.2")}


def test_lines_of_waves() -> None:
    spec = kiro(f"{LIST}\n## Task Dependency Graph\n- **Wave 1**: 1\n- **Wave 2 (parallel)**: 2.1, 2.2\n- Wave 3: 3\n")
    assert depends(spec) == {"1": (), "2.1": ("1",), "2.2": ("1",), "3": ("2.1", "2.2")}


def test_a_graph_that_names_a_missing_task_is_a_problem_at_its_place() -> None:
    spec = with_graph('{"waves": [["1"],\n["2.1", "2.22"], ["2.2"], ["3"]]}')
    (problem,) = spec.problems
    assert (problem.code, problem.severity) == ("unknown-task", Severity.ERROR)
    assert "2.2" in problem.suggestions
    assert (problem.span.start_line, problem.span.start_column) == (10, 9)


def test_a_leaf_that_the_graph_leaves_out_runs_in_order_and_is_told() -> None:
    spec = with_graph('{"waves": [["1"], ["2.1", "3"]]}')
    assert depends(spec)["2.2"] is None
    (problem,) = spec.problems
    assert (problem.code, problem.severity, problem.span.start_line) == ("task-not-in-graph", Severity.WARNING, 3)


@pytest.mark.parametrize(
    "source", ["{", '{"waves": 1}', '{"waves": [[1, null]]}', '{"rounds": []}', "[" * 5000, "nothing", '{"waves": []}']
)
def test_an_unreadable_graph_is_a_problem_and_tasks_run_in_order(source: str) -> None:
    spec = with_graph(source)
    assert set(depends(spec).values()) == {None}
    assert [problem.code for problem in spec.problems] == ["wave-graph"]


def test_what_a_task_states_itself_comes_before_the_graph() -> None:
    text = LIST.replace("2.2 d\n", "2.2 d\n    - _Depends: none_\n")
    spec = kiro(text + '## Task Dependency Graph\n{"waves": [["1"], ["2.1", "2.2"], ["3"]]}\n')
    assert depends(spec)["2.2"] == ()


def test_a_spec_kit_folder_is_read() -> None:
    spec = parse_spec_kit(
        "001-albums",
        "specs/001-albums/tasks.md",
        (FIXTURES / "spec_kit_tasks.md").read_text(),
        (FIXTURES / "spec_kit_spec.md").read_text(),
    )
    assert (spec.id, spec.title, spec.layout, spec.problems) == ("001-albums", "Photo albums", Layout.SPEC_KIT, ())
    assert depends(spec) == {
        "T001": (),
        "T002": ("T001",),
        "T003": ("T001",),
        "T004": ("T002", "T003"),
        "T005": ("T004",),
        "T006": ("T004",),
        "T007": ("T005", "T006"),
        "T008": ("T005", "T006"),
        "T009": ("T007", "T008"),
        "T010": ("T009",),
    }
    tasks = {task.number: task for task in spec.tasks}
    assert [task.number for task in spec.tasks if task.ticked] == ["T001", "T002"]
    assert tasks["T007"].title == "Contract test in tests/test_albums.py"
    assert tasks["T007"].requirements == ("US1",)
    assert tasks["T006"].requirements == ("FR-002",)


@pytest.mark.parametrize(
    ("paths", "layout"),
    [
        ([], Layout.SPECLOOM),
        (["specs/01-a.md", "requirements.md"], Layout.SPECLOOM),
        (["specs/001-a/tasks.md"], Layout.SPEC_KIT),
        ([".specify/memory/constitution.md"], Layout.SPEC_KIT),
        (["specs/001-a/tasks.md", ".kiro/specs/b/tasks.md"], Layout.KIRO),
        ([".kiro/steering/product.md"], Layout.SPECLOOM),
        (["packages/x/.kiro/specs/b/tasks.md"], Layout.SPECLOOM),
    ],
)
def test_one_layout_a_root(paths: list[str], layout: Layout) -> None:
    assert detect_layout(paths) is layout
    assert detect_layout(paths, Layout.SPEC_KIT) is Layout.SPEC_KIT


def test_files_of_each_layout() -> None:
    ours = ["specs/02-b.md", "specs/01-a.md", "specs/README.md", "specs/x/03-c.md", "docs/requirements.md"]
    assert [source.path for source in spec_documents(Layout.SPECLOOM, ours)] == ["specs/01-a.md", "specs/02-b.md"]
    assert requirement_documents(Layout.SPECLOOM, ours) == ("docs/requirements.md",)
    assert requirement_documents(Layout.SPECLOOM, [*ours, "requirements.md"]) == ("requirements.md",)
    assert requirement_documents(Layout.SPECLOOM, ours, "needs.md") == ("needs.md",)

    theirs = [f".kiro/specs/b/{name}.md" for name in ("requirements", "design", "tasks")] + [".kiro/specs/a/bugfix.md"]
    (source,) = spec_documents(Layout.KIRO, theirs)
    assert source == SpecSource(Layout.KIRO, theirs[2], "b", theirs[0], theirs[1])
    assert source.paths == (theirs[2], theirs[0], theirs[1])
    assert requirement_documents(Layout.KIRO, theirs) == (theirs[3], theirs[0])

    kit = ["specs/002-b/tasks.md", "specs/001-a/tasks.md", "specs/001-a/spec.md", "specs/003-c/spec.md"]
    assert [(found.id, found.requirements_path) for found in spec_documents(Layout.SPEC_KIT, kit)] == [
        ("001-a", kit[2]),
        ("002-b", None),
    ]
    assert requirement_documents(Layout.SPEC_KIT, kit) == (kit[2], kit[3])


def test_sources_are_parsed_by_their_layout() -> None:
    ours = SpecSource(Layout.SPECLOOM, "specs/01-a.md")
    assert parse_source(ours, {"specs/01-a.md": "# A\n- [ ] 1. x"}).tasks[0].id == "01/1"
    kiro_source = SpecSource(Layout.KIRO, "k/tasks.md", "k", "k/requirements.md", "k/design.md")
    texts = {
        "k/tasks.md": "- [ ] 1. x",
        "k/requirements.md": "### Requirement 1\n1. THE x SHALL y",
        "k/design.md": "# Design: Carts",
    }
    spec = parse_source(kiro_source, texts)
    assert (spec.title, [ref.id for ref in spec.requirements], spec.tasks[0].id) == ("Carts", ["1.1"], "k/1")
    kit = SpecSource(Layout.SPEC_KIT, "s/tasks.md", "001-s", "s/spec.md")
    assert parse_source(kit, {"s/tasks.md": "- [ ] T001 x"}).tasks[0].id == "001-s/T001"
    assert parse_source(kit, {}).tasks == ()


def test_requirements_are_parsed_by_their_layout() -> None:
    text = "- bullet\n- FR-001 named\n"
    ours = parse_requirement_document(Layout.SPECLOOM, "requirements.md", text)
    kit = parse_requirement_document(Layout.SPEC_KIT, "specs/001-a/spec.md", text)
    assert [item.id for item in ours.requirements] == ["bullet", "FR-001"]
    assert [item.id for item in kit.requirements] == ["FR-001"]
