"""What stands below an optional task is optional too, and what runs when it is named."""

import pytest

from specloom.domain import commands as c
from specloom.domain.decide import decide
from specloom.domain.documents.kiro import parse_kiro_spec
from specloom.domain.documents.specs import parse_spec
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.graph import TaskGraph, build_graph
from specloom.domain.ids import RunId, TaskId
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Scope
from specloom.domain.scope import leaves_below, ready_in, tasks_in
from specloom.domain.spec import SpecDefinition

AT = "2026-01-01T00:00:00.000Z"
LIST = (
    "- [ ] 1. a\n"
    "- [ ]* 2. b\n  - [ ] 2.1 c\n  - [ ]* 2.2 d\n  - [ ] 2.3 e\n  - [ ]* 2.4 f\n    - [ ] 2.4.1 g\n    - [ ] 2.4.2 h\n"
    "- [ ] 3. i\n"
)
NEXT = "---\ndepends_on: ['01']\n---\n- [ ] 1. j\n"


def specs(text: str = LIST) -> list[SpecDefinition]:
    return [parse_spec("specs/01-x.md", text), parse_spec("specs/02-y.md", NEXT)]


def graph_of(text: str = LIST) -> TaskGraph:
    return build_graph(specs(text))[0]


def state_of(text: str = LIST) -> ProjectState:
    return ordered(EMPTY, *(c.ReadSpec(spec, AT) for spec in specs(text)))


def ordered(state: ProjectState, *commands: c.Command) -> ProjectState:
    for command in commands:
        decided = decide(state, command)
        assert not isinstance(decided, Rejected)
        for event in decided:
            state = evolve(state, event, AT, state.seq + 1)
    return state


def test_leaves_below_an_optional_task_are_optional() -> None:
    tasks = {task.number: task for task in parse_spec("specs/01-x.md", LIST).tasks}
    optional = [number for number, task in tasks.items() if task.optional]
    assert optional == ["2", "2.1", "2.2", "2.3", "2.4", "2.4.1", "2.4.2"]
    assert [number for number in optional if tasks[number].inherits_optional] == ["2.1", "2.3", "2.4.1", "2.4.2"]


def test_nothing_outside_waits_for_them_and_inside_they_keep_their_order() -> None:
    depends = {task.removeprefix("01/"): graph_of().depends[task] for task in graph_of().order}
    assert depends == {
        "1": (),
        "2.1": ("01/1",),
        "2.2": ("01/2.1",),
        "2.3": ("01/2.1",),
        "2.4.1": ("01/2.3",),
        "2.4.2": ("01/2.4.1",),
        "3": ("01/1",),
        "02/1": ("01/1", "01/3"),
    }


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), ["01/1", "01/3", "02/1"]),
        (Scope("spec", "01"), ["01/1", "01/3"]),
        (Scope("task", "01/2"), ["01/2.1", "01/2.3"]),
        (Scope("task", "01/2.4"), ["01/2.4.1", "01/2.4.2"]),
        (Scope("task", "01/2.4.2"), ["01/2.4.2"]),
        (Scope("task", "01/2.2"), ["01/2.2"]),
    ],
)
def test_they_run_only_when_they_or_what_makes_them_optional_are_named(scope: Scope, expected: list[str]) -> None:
    assert list(tasks_in(graph_of(), scope)) == expected


def test_a_run_of_everything_ends_without_them_and_a_named_one_begins_with_them() -> None:
    ticked = LIST.replace("- [ ] 1.", "- [x] 1.").replace("- [ ] 3.", "- [x] 3.")
    state = state_of(ticked)
    assert list(ready_in(state, Scope())) == ["02/1"]
    state = ordered(state, c.StartRun(RunId("run"), Scope("task", "01/2")))
    assert list(ready_in(state, Scope("task", "01/2"))) == ["01/2.1"]


def test_who_names_an_optional_parent_waits_for_its_leaves_and_is_told() -> None:
    text = LIST.replace("- [ ] 3. i\n", "- [ ] 3. i\n  - _Depends: 2_\n")
    graph, problems = build_graph(specs(text))
    assert graph.depends[TaskId("01/3")] == ("01/2.1", "01/2.3")
    assert [problem.code for problem in problems] == ["depends-on-optional"]


def test_what_an_optional_parent_states_holds_for_its_first_leaf_alone() -> None:
    graph = graph_of("- [ ] 1. a\n- [ ]* 2. b\n  - _Depends: none_\n  - [ ] 2.1 c\n  - [ ] 2.2 d\n")
    assert graph.depends[TaskId("01/2.1")] == ()
    assert graph.depends[TaskId("01/2.2")] == ("01/2.1",)


def test_skipping_an_optional_parent_skips_its_leaves() -> None:
    state = ordered(state_of(), c.SkipTask(TaskId("01/2")))
    skipped = [task for task, record in state.tasks.items() if record.state == "skipped"]
    assert sorted(skipped) == ["01/2.1", "01/2.3"]


def test_waves_and_parallel_marks_know_them_too() -> None:
    waves = '## Task Dependency Graph\n{"waves": [["1"], ["2.1", "2.2"], ["2.3", "3"]]}\n'
    spec = parse_kiro_spec("k", ".kiro/specs/k/tasks.md", LIST + waves, None, None)
    graph, _ = build_graph([spec])
    assert graph.depends[TaskId("k/2.3")] == ("k/1", "k/2.1")
    assert graph.depends[TaskId("k/3")] == ("k/1",)
    marked = "- [ ] 1. (P) a\n- [ ]* 2. b\n  - [ ] 2.1 (P) c\n  - [ ] 2.2 d\n- [ ] 3. e\n"
    graph = graph_of(marked)
    assert graph.depends[TaskId("01/2.2")] == ("01/1", "01/2.1")
    assert graph.depends[TaskId("01/3")] == ("01/1",)


def test_deeply_nested_tasks_do_not_recurse() -> None:
    depth = 3000
    text = "".join("\t" * level + "- [ ] a\n" for level in range(depth))
    graph = graph_of(text)
    (leaf,) = (task for task in graph.order if task.startswith("01/"))
    assert leaves_below(graph, TaskId("01/u1")) == (leaf,)
