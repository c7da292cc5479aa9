"""The task graph: order, dependencies, faults."""

import random
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.documents.specs import parse_spec
from specloom.domain.graph import TaskGraph, build_graph
from specloom.domain.graph_cycles import cycles
from specloom.domain.ids import SpecId, TaskId
from specloom.domain.problem import Problem, Severity
from specloom.domain.spec import Layout, SpecDefinition, TaskDefinition


def spec(name: str, body: str, depends_on: str = "") -> SpecDefinition:
    return parse_spec(f"specs/{name}-x.md", f"---\nid: {name}\ndepends_on: [{depends_on}]\n---\n{body}")


def build(*specs: SpecDefinition) -> tuple[TaskGraph, dict[str, Problem]]:
    graph, problems = build_graph(specs)
    assert len({problem.code for problem in problems}) == len(problems)
    return graph, {problem.code: problem for problem in problems}


def depends(graph: TaskGraph) -> dict[str, tuple[str, ...]]:
    return {task: tuple(before) for task, before in graph.depends.items()}


def test_a_leaf_depends_on_the_leaf_before_it() -> None:
    graph, problems = build(spec("01", "- [ ] 1. a\n  - [ ] 1.1 b\n  - [ ]* 1.2 c\n  - [ ] 1.3 d\n- [ ] 2. e\n"))
    assert graph.order == ("01/1.1", "01/1.2", "01/1.3", "01/2")
    assert depends(graph) == {"01/1.1": (), "01/1.2": ("01/1.1",), "01/1.3": ("01/1.1",), "01/2": ("01/1.3",)}
    assert graph.dependents[TaskId("01/1.1")] == ("01/1.2", "01/1.3")
    assert graph.children(TaskId("01/1")) == ("01/1.1", "01/1.2", "01/1.3")
    assert graph.children(TaskId("01/2")) == ()
    assert [graph.position(task) for task in graph.order] == [0, 1, 2, 3]
    assert set(graph.tasks) == {*graph.order, "01/1"}
    assert (problems, graph.faulty) == ({}, frozenset())


def test_stated_dependencies_and_parents_as_names() -> None:
    graph, problems = build(
        spec("01", "- [ ] 1. a\n  - [ ] 1.1 b\n  - [ ]* 1.2 c\n  - [ ] 1.3 d\n- [ ] 2. e\n  - _Depends: none_\n"),
        spec("02", "- [ ] 1. f\n  - _Depends: 01/1, 01/1.1_\n"),
    )
    assert graph.depends[TaskId("01/2")] == ()
    assert graph.depends[TaskId("02/1")] == ("01/1.1", "01/1.3")
    assert problems == {}


def test_what_a_parent_states_holds_for_its_first_leaf() -> None:
    second = "- [ ] 2. b\n  - _Depends: none_\n  - [ ] 2.1 c\n  - [ ] 2.2 d\n"
    third = "- [ ] 3. e\n  - _Depends: 1_\n  - [ ] 3.1 f\n"
    graph, _ = build(spec("01", f"- [ ] 1. a\n{second}{third}"))
    assert depends(graph) == {"01/1": (), "01/2.1": (), "01/2.2": ("01/2.1",), "01/3.1": ("01/1",)}


def test_a_spec_waits_for_all_required_leaves_of_another() -> None:
    graph, problems = build(
        spec("02", "- [ ] 1. d\n- [ ] 2. e\n  - _Depends: none_\n- [ ]* 3. f\n", depends_on="01"),
        spec("01", "- [ ] 1. a\n- [ ] 2. b\n- [ ]* 3. c\n"),
    )
    assert graph.order == ("01/1", "01/2", "01/3", "02/1", "02/2", "02/3")
    assert graph.depends[TaskId("02/1")] == ("01/1", "01/2")
    assert graph.depends[TaskId("02/2")] == ("01/1", "01/2")
    assert graph.depends[TaskId("02/3")] == ("01/1", "01/2", "02/2")
    assert set(graph.dependents[TaskId("01/2")]) == {"01/3", "02/1", "02/2", "02/3"}
    assert problems == {}


def test_a_spec_without_tasks_passes_its_dependencies_on() -> None:
    graph, _ = build(
        spec("01", "- [ ] 1. a"), spec("02", "", depends_on="01"), spec("03", "- [ ] 1. b", depends_on="02")
    )
    assert graph.depends[TaskId("03/1")] == ("01/1",)


def test_specs_are_ordered_by_number_not_by_letter() -> None:
    graph, _ = build(*(spec(name, "- [ ] 1. a") for name in ("10", "9", "011")))
    assert graph.order == ("9/1", "10/1", "011/1")


def test_a_spec_that_is_being_generated_is_no_part() -> None:
    generating = parse_spec("specs/01-x.md", "---\nstatus: generating\n---\n- [ ] 1. a")
    graph, problems = build(generating, spec("02", "- [ ] 1. b", depends_on="01"))
    assert graph.order == ("02/1",)
    assert graph.faulty == {"02/1"}
    assert problems["spec-generating"].severity is Severity.INFORMATION


@pytest.mark.parametrize(
    ("body", "depends_on", "code", "suggestion"),
    [
        ("- [ ] 1. a\n- [ ] 2. b\n  - _Depends: 11_\n", "", "unknown-task", "1"),
        ("- [ ] 1. a\n", "1", "unknown-spec", "01"),
        ("- [ ] 1. a\n", "03", "spec-depends-on-higher", None),
        ("- [ ] 1. a\n", "02", "spec-depends-on-higher", None),
        ("- [ ] 1. a\n  - _Depends: 1_\n", "", "self-dependency", None),
        ("- [ ] 1. a\n  - [ ] 1.1 b\n    - _Depends: 1_\n", "", "self-dependency", None),
    ],
)
def test_faults_are_told_at_their_place_and_keep_the_task_from_running(
    body: str, depends_on: str, code: str, suggestion: str | None
) -> None:
    graph, problems = build(spec("01", "- [ ] 1. z"), spec("02", body, depends_on), spec("03", ""))
    assert list(problems) == [code]
    assert problems[code].severity is Severity.ERROR
    assert problems[code].path == "specs/02-x.md"
    assert problems[code].span.start_line == (2 if depends_on else body.count("\n", 0, body.index("_Depends")) + 4)
    assert suggestion is None or suggestion in problems[code].suggestions
    assert graph.faulty == {graph.order[-1]}


def test_a_dependency_on_an_optional_task_is_told() -> None:
    graph, problems = build(spec("01", "- [ ]* 1. a\n- [ ] 2. b\n  - _Depends: 1_\n"))
    assert graph.depends[TaskId("01/2")] == ("01/1",)
    assert problems["depends-on-optional"].severity is Severity.WARNING
    assert graph.faulty == frozenset()


def test_a_cycle_is_told_with_its_whole_way() -> None:
    text = "- [ ] 1. a\n  - _Depends: 3_\n- [ ] 2. b\n- [ ] 3. c\n- [ ] 4. d\n"
    graph, problems = build(spec("01", text))
    assert "01/1 → 01/3 → 01/2 → 01/1" in problems["task-cycle"].message
    assert problems["task-cycle"].span.start_line == 4
    assert graph.faulty == {"01/1", "01/2", "01/3"}
    assert graph.order == ("01/1", "01/2", "01/3", "01/4")


def test_a_cycle_over_two_specs() -> None:
    graph, problems = build(spec("01", "- [ ] 1. a\n  - _Depends: 02/1_\n"), spec("02", "- [ ] 1. b", depends_on="01"))
    assert list(problems) == ["task-cycle"]
    assert graph.faulty == {"01/1", "02/1"}


def test_two_specs_of_one_id() -> None:
    first = parse_spec("specs/01-a.md", "- [ ] 1. a")
    second = parse_spec("specs/01-b.md", "- [ ] 1. b\n- [ ] 2. c")
    for specs in ((first, second), (second, first)):
        graph, problems = build(*specs)
        assert graph.order == ("01/1",)
        assert problems["duplicate-spec"].path == "specs/01-b.md"


Relation = dict[str, tuple[str, ...]]


@st.composite
def relations(draw: st.DrawFn) -> Relation:
    nodes = [str(number) for number in range(draw(st.integers(1, 9)))]
    return {node: tuple(draw(st.lists(st.sampled_from(nodes), unique=True, max_size=4))) for node in nodes}


def reachable(relation: Mapping[str, tuple[str, ...]], start: str) -> set[str]:
    found, queue = set[str](), list(relation[start])
    while queue:
        node = queue.pop()
        if node not in found:
            found.add(node)
            queue.extend(relation[node])
    return found


@given(relations())
def test_cycles_are_exactly_the_nodes_that_reach_each_other(relation: Relation) -> None:
    expected = {
        frozenset(b for b in relation if b in reachable(relation, a) and a in reachable(relation, b)) for a in relation
    }
    found = dict(cycles(relation))
    assert set(found) == {knot for knot in expected if len(knot) > 1}
    for knot, ring in found.items():
        assert set(ring) <= knot
        assert all(after in relation[node] for node, after in zip(ring, (*ring[1:], ring[0]), strict=True))


def test_deep_and_long_graphs_do_not_recurse() -> None:
    count = 20_000
    chain = "".join(f"- [ ] {number}. a\n" for number in range(1, count + 1))
    ring = chain.replace("- [ ] 1. a\n", f"- [ ] 1. a\n  - _Depends: {count}_\n", 1)
    assert build(spec("01", chain))[0].faulty == frozenset()
    assert len(build(spec("01", ring))[0].faulty) == count


@given(st.integers())
def test_both_directions_say_the_same(seed: int) -> None:
    graph, _ = build_graph(random_specs(seed))
    forward = {(before, task) for task, names in graph.depends.items() for before in names}
    assert forward == {(task, after) for task, names in graph.dependents.items() for after in names}
    assert all(len(set(names)) == len(names) for names in (*graph.depends.values(), *graph.dependents.values()))
    assert set(graph.depends) == set(graph.dependents) == set(graph.order)


@given(st.integers())
def test_work_order_puts_dependencies_first_unless_a_task_says_otherwise(seed: int) -> None:
    specs = random_specs(seed, only_upwards=True)
    graph, problems = build_graph(specs)
    assert problems == ()
    for task, names in graph.depends.items():
        assert all(graph.position(before) < graph.position(task) for before in names)


def random_specs(seed: int, *, only_upwards: bool = False) -> list[SpecDefinition]:
    chance = random.Random(seed)
    specs: list[SpecDefinition] = []
    known: list[TaskId] = []
    for number in range(chance.randint(1, 4)):
        name = SpecId(f"{number:02d}")
        tasks: list[TaskDefinition] = []
        for place in range(chance.randint(0, 6)):
            task = TaskId(f"{name}/{place}")
            stated = tuple(dict.fromkeys(chance.choices(known, k=chance.randint(0, 2)))) if known else ()
            optional = not only_upwards and chance.random() < 0.2
            tasks.append(
                TaskDefinition(
                    task, str(place), "x", depends=stated if chance.random() < 0.4 else None, optional=optional
                )
            )
            known.append(task)
        if not only_upwards:
            known.append(TaskId("missing/1"))
        lower = [SpecId(f"{below:02d}") for below in range(number) if chance.random() < 0.4]
        specs.append(
            SpecDefinition(name, "x", f"specs/{name}.md", Layout.SPECLOOM, depends_on=tuple(lower), tasks=tuple(tasks))
        )
    chance.shuffle(specs)
    return specs
