"""What clients are told of dependencies: everything, and never the product of two wide phases."""

from specloom.domain.documents.layouts import SpecSource, parse_source
from specloom.domain.graph import TaskGraph, build_graph
from specloom.domain.ids import TaskId
from specloom.domain.spec import Layout
from specloom.lsp.protocol_project import DependencyGroup
from specloom.lsp.wire_dependencies import LISTED, WireDependencies

PATH = "specs/001-wide/tasks.md"


def graph_of(width: int) -> TaskGraph:
    """Three phases of Spec Kit, each of parallel tasks that wait for all of the phase before."""
    phases = (
        f"## Phase {phase}\n\n"
        + "".join(f"- [ ] T{phase}{n:04} [P] Work in src/f{phase}_{n}.py\n" for n in range(width))
        for phase in range(1, 4)
    )
    spec = parse_source(SpecSource(Layout.SPEC_KIT, PATH), {PATH: "# Tasks\n\n" + "\n".join(phases)})
    graph, _ = build_graph([spec])
    return graph


def told(waits: WireDependencies, task: TaskId, groups: dict[str, DependencyGroup]) -> set[str]:
    """What a client makes of it."""
    tasks, waiting = waits.of(task)
    found = set(tasks)
    for name in waiting:
        found.update(groups[name].task_ids)
        waiting.extend(groups[name].groups)
    return found


def test_few_dependencies_are_listed_one_by_one() -> None:
    graph = graph_of(10)
    waits = WireDependencies(graph)
    for task in graph.order:
        assert waits.of(task) == (list(graph.depends[task]), [])
    assert waits.groups() == []


def test_many_are_told_through_groups_and_mean_the_same() -> None:
    graph = graph_of(LISTED + 50)
    waits = WireDependencies(graph)
    for task in graph.order:
        waits.of(task)
    groups = {group.id: group for group in waits.groups()}
    assert groups
    for task in graph.order:
        assert told(waits, task, groups) == set(graph.depends[task])


def test_what_is_told_grows_with_the_tasks_and_not_with_their_product() -> None:
    graph = graph_of(2000)
    waits = WireDependencies(graph)
    size = sum(len(tasks) + len(groups) for tasks, groups in map(waits.of, graph.order))
    size += sum(len(group.task_ids) + len(group.groups) for group in waits.groups())
    assert size < 5 * len(graph.order)
