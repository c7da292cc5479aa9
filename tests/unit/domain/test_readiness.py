"""The ready set, kept incrementally, is the one computed from scratch."""

import random

from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.documents.specs import parse_spec
from specloom.domain.graph import TaskGraph, build_graph
from specloom.domain.ids import SpecId, TaskId
from specloom.domain.readiness import Readiness
from specloom.domain.spec import SpecDefinition, TaskDefinition

SPEC = "- [ ] 1. a\n- [ ] 2. b\n- [ ]* 3. c\n- [ ] 4. d\n  - _Depends: 1_\n- [ ] 5. e\n  - _Depends: 9_\n"


def graph_of(text: str) -> TaskGraph:
    return build_graph([parse_spec("specs/01-x.md", text)])[0]


def random_graph(chance: random.Random) -> TaskGraph:
    names = [TaskId(f"01/{number}") for number in range(chance.randint(1, 14))]
    tasks = tuple(
        TaskDefinition(
            name,
            name[3:],
            "x",
            depends=tuple(chance.sample(names, k=min(len(names), chance.choice([0, 0, 1, 2, 3])))),
            optional=chance.random() < 0.1,
        )
        for name in names
    )
    return build_graph([SpecDefinition(SpecId("01"), "x", "specs/01.md", tasks=tasks)])[0]


def test_ready_tasks_come_in_work_order() -> None:
    graph = graph_of(SPEC)
    fresh = Readiness.of(graph, lambda _: False)
    assert list(fresh.ready(graph)) == ["01/1"]
    after = fresh.after(graph, TaskId("01/1"), True)
    assert list(after.ready(graph)) == ["01/2", "01/4"]
    assert list(after.after(graph, TaskId("01/2"), True).ready(graph)) == ["01/3", "01/4"]


def test_a_faulty_task_is_never_ready() -> None:
    graph = graph_of(SPEC)
    done = Readiness.of(graph, lambda task: task != "01/5")
    assert not done.is_ready(TaskId("01/5"))
    assert list(done.ready(graph)) == []


def test_an_older_readiness_stays_as_it_was() -> None:
    graph = graph_of(SPEC)
    fresh = Readiness.of(graph, lambda _: False)
    fresh.after(graph, TaskId("01/1"), True)
    assert list(fresh.ready(graph)) == ["01/1"]


def test_a_reset_takes_readiness_back() -> None:
    graph = graph_of(SPEC)
    fresh = Readiness.of(graph, lambda _: False)
    back = fresh.after(graph, TaskId("01/1"), True).after(graph, TaskId("01/1"), False)
    assert list(back.ready(graph)) == ["01/1"]


def test_what_is_no_leaf_or_no_news_changes_nothing() -> None:
    graph = graph_of(SPEC)
    fresh = Readiness.of(graph, lambda _: False)
    assert fresh.after(graph, TaskId("elsewhere/1"), True) is fresh
    assert fresh.after(graph, TaskId("01/1"), False) is fresh
    assert not fresh.is_ready(TaskId("elsewhere/1"))


@given(st.integers())
def test_incremental_is_the_same_as_from_scratch(seed: int) -> None:
    chance = random.Random(seed)
    graph = random_graph(chance)
    satisfied = {task for task in graph.order if chance.random() < 0.3}
    readiness = Readiness.of(graph, satisfied.__contains__)
    for _ in range(20):
        task = chance.choice(graph.order)
        satisfied ^= {task} if chance.random() < 0.8 else set()
        readiness = readiness.after(graph, task, task in satisfied)
        again = Readiness.of(graph, satisfied.__contains__)
        assert list(readiness.ready(graph)) == list(again.ready(graph))
        assert [readiness.is_ready(task) for task in graph.order] == [again.is_ready(task) for task in graph.order]
        expected = [
            task
            for task in graph.order
            if task not in satisfied and task not in graph.faulty and satisfied.issuperset(graph.depends[task])
        ]
        assert list(readiness.ready(graph)) == expected
