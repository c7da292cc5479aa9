"""Junctions: the graph of their product, at the cost of their sum."""

import random
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.documents.kiro import parse_kiro_spec
from specloom.domain.documents.spec_kit import parse_spec_kit
from specloom.domain.documents.specs import parse_spec
from specloom.domain.graph import TaskGraph, build_graph
from specloom.domain.graph_cycles import cycles
from specloom.domain.ids import SpecId, TaskId
from specloom.domain.readiness import Readiness
from specloom.domain.spec import SpecDefinition, TaskDefinition

Naive = dict[TaskId, set[TaskId]]


@st.composite
def projects(draw: st.DrawFn) -> list[SpecDefinition]:
    """Specs of leaves, parents with leaves, stated names of both, and groups."""
    chance = random.Random(draw(st.integers()))
    return [_spec(chance, number) for number in range(chance.randint(1, 4))]


def _spec(chance: random.Random, number: int) -> SpecDefinition:
    name = SpecId(f"{number}")
    parents = [TaskId(f"{name}/{place}") for place in range(chance.randint(1, 3))]
    leaves = [TaskId(f"{parent}.{place}") for parent in parents for place in range(chance.randint(1, 4))]
    groups = tuple(tuple(chance.sample(leaves, chance.randint(1, len(leaves)))) for _ in range(2))
    tasks: list[TaskDefinition] = [TaskDefinition(parent, parent[2:], "x", is_leaf=False) for parent in parents]
    for leaf in leaves:
        others = [task for task in (*parents, *leaves) if not leaf.startswith(task)]
        depends = tuple(chance.sample(others, min(len(others), chance.choice([0, 1, 2])))) if others else ()
        after = tuple(place for place, group in enumerate(groups) if leaf not in group and chance.random() < 0.5)
        parent = TaskId(leaf.rpartition(".")[0])
        tasks.append(TaskDefinition(leaf, leaf[2:], "x", depends=depends, after=after, parent=parent))
    lower = tuple(SpecId(f"{below}") for below in range(number) if chance.random() < 0.6)
    return SpecDefinition(name, "x", f"specs/{name}.md", depends_on=lower, tasks=tuple(tasks), groups=groups)


def naive(specs: list[SpecDefinition]) -> Naive:
    """Every edge written out."""
    leaves = {spec.id: [task.id for task in spec.tasks if task.is_leaf] for spec in specs}
    found: Naive = {}
    for spec in specs:
        gate = {leaf for name in spec.depends_on for leaf in leaves[name]}
        for task in spec.tasks:
            stated = spec.stated_by(task) or ()
            below = {leaf for name in stated for leaf in leaves[spec.id] if leaf == name or leaf.startswith(f"{name}.")}
            if task.is_leaf:
                found[task.id] = below | gate
    return found


@given(projects())
def test_the_edges_seen_through_junctions_are_those_written_out(specs: list[SpecDefinition]) -> None:
    graph, _ = build_graph(specs)
    expected = naive(specs)
    assert {task: set(names) for task, names in graph.depends.items()} == expected
    assert {task: set(names) for task, names in graph.dependents.items()} == {
        task: {after for after, names in expected.items() if task in names} for task in expected
    }


@given(projects())
def test_cycles_through_junctions_are_those_of_the_edges_written_out(specs: list[SpecDefinition]) -> None:
    graph, problems = build_graph(specs)
    expected = naive(specs)
    knots = [knot for knot, _ in cycles({task: tuple(names) for task, names in expected.items()})]
    assert graph.faulty == frozenset[TaskId]().union(*knots)
    assert len(problems) == len(knots)
    for problem in problems:
        ring = [TaskId(name) for name in problem.message.split(": ")[1].split(";")[0].split(" → ")]
        assert len(ring) > 2
        assert all(after in expected[task] for task, after in pairwise(ring))


@given(projects(), st.integers())
def test_the_ready_set_through_junctions_is_that_of_the_edges_written_out(
    specs: list[SpecDefinition], seed: int
) -> None:
    chance = random.Random(seed)
    graph, _ = build_graph(specs)
    expected = naive(specs)
    satisfied = {task for task in graph.order if chance.random() < 0.4}
    readiness = Readiness.of(graph, satisfied.__contains__)
    for _ in range(15):
        task = chance.choice(graph.order)
        satisfied ^= {task}
        readiness = readiness.after(graph, task, task in satisfied)
        ready = [
            name
            for name in graph.order
            if name not in satisfied | graph.faulty and satisfied.issuperset(expected[name])
        ]
        assert list(readiness.ready(graph)) == ready


def spec_kit(size: int) -> SpecDefinition:
    phase = "".join(f"- [ ] T{place} [P] a\n" for place in range(size))
    text = f"## One\n\n{phase}\n## Two\n\n{phase.replace('T', 'T9')}"
    return parse_spec_kit("001-x", "specs/001-x/tasks.md", text, None)


def waves(size: int) -> SpecDefinition:
    text = "".join(f"- [ ] {place}. a\n" for place in range(2 * size))
    first, second = (",".join(f'"{n}"' for n in range(start, start + size)) for start in (0, size))
    graph = f'## Task Dependency Graph\n{{"waves": [[{first}], [{second}]]}}\n'
    return parse_kiro_spec("k", ".kiro/specs/k/tasks.md", text + graph, None, None)


def arrows(size: int) -> SpecDefinition:
    text = "".join(f"- [ ] {place}. a\n" for place in range(2 * size))
    first, second = (", ".join(f"{n}" for n in range(start, start + size)) for start in (0, size))
    graph = f"## Task Dependency Graph\n{first} → {second}\n"
    return parse_kiro_spec("k", ".kiro/specs/k/tasks.md", text + graph, None, None)


def parents(size: int) -> SpecDefinition:
    first = "".join(f"  - [ ] 1.{place} a\n" for place in range(size))
    second = "".join(f"- [ ] {place}. b\n  - _Depends: 1_\n" for place in range(2, size + 2))
    return parse_spec("specs/01-x.md", f"- [ ] 1. a\n{first}{second}")


def marks(size: int) -> SpecDefinition:
    wide = "".join(f"- [ ] {place}. (P) a\n" for place in range(size))
    return parse_spec("specs/01-x.md", wide + "".join(f"- [ ]* {place}. b\n" for place in range(size, 2 * size)))


WIDE: list[Callable[[int], SpecDefinition]] = [spec_kit, waves, arrows, parents, marks]


def cpu(spec: SpecDefinition) -> float:
    """The best of three, in seconds of this process."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        build_graph([spec])
        best = min(best, time.process_time() - start)
    return best


def edges(graph: TaskGraph) -> int:
    return sum(map(len, graph.waits.values()))


@pytest.mark.parametrize("make", WIDE)
def test_wide_phases_cost_their_sum(make: Callable[[int], SpecDefinition]) -> None:
    spec, twice = make(2000), make(4000)
    named = sum(len(task.depends or ()) + len(task.after) for task in spec.tasks) + sum(map(len, spec.groups))
    graph, problems = build_graph([spec])
    assert problems == ()
    assert len(graph.order) == 4000
    assert max(named, edges(graph)) <= 8000
    assert len(graph.depends[graph.order[-1]]) == 2000
    # Written out it would be four times as long; three leaves room for a noisy machine.
    assert cpu(twice) <= 3 * cpu(spec) + 0.02


def test_a_wide_spec_that_waits_for_another_costs_its_sum() -> None:
    first = parse_spec("specs/01-x.md", "".join(f"- [ ] {place}. a\n" for place in range(2000)))
    head = "---\nid: '02'\ndepends_on: ['01']\n---\n"
    second = parse_spec("specs/02-y.md", head + "".join(f"- [ ] {place}. a\n" for place in range(2000)))
    graph, _ = build_graph([first, second])
    assert edges(graph) < 10_000
    assert len(graph.depends[TaskId("02/0")]) == 2000


def test_a_ready_set_of_wide_phases_follows_each_change() -> None:
    graph, _ = build_graph([spec_kit(300)])
    first, second = graph.order[:300], graph.order[300:]
    readiness = Readiness.of(graph, lambda _: False)
    for task in first:
        assert not any(map(readiness.is_ready, second))
        readiness = readiness.after(graph, task, True)
    assert list(readiness.ready(graph)) == list(second)
    assert list(readiness.after(graph, first[7], False).ready(graph)) == [first[7]]
