"""Measures the task graph and its documents with many tasks. Refuses to judge: it prints one line of JSON.

`python benchmarks/graph.py [--tasks N]`. Specs of 100 tasks each, every task waiting for the one before it and every
spec for the one before it: parsing all of them, building the graph, the state of each change, and the ready set.
Then one Spec Kit document of two phases, where each task of the second half waits for each of the first.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import TypeVar

from rpds import HashTrieMap

from specloom.domain.documents.layouts import SpecSource, parse_source
from specloom.domain.events import tasks
from specloom.domain.events.documents import SpecRead
from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.graph import build_graph
from specloom.domain.project import Plan, ProjectState
from specloom.domain.runs import Scope
from specloom.domain.scope import ready_in
from specloom.domain.spec import Layout, SpecDefinition

T = TypeVar("T")
SIZE = 100
"""Tasks of a spec."""
AT = "2026-01-01T00:00:00Z"


def text_of(number: int) -> str:
    """One spec."""
    before = f'["{number - 1:03}"]' if number > 1 else "[]"
    head = f'---\nid: "{number:03}"\ntitle: Part {number}\ndepends_on: {before}\nrequirements: [R1.1]\n---\n\n'
    lines = [
        f"- [ ] {n // 10 + 1}.{n % 10 + 1} Step {n} of part {number}\n"
        f"  - what it is about, in a line of detail\n  - _Requirements: R1.1_\n  - _Verify: `true`_\n"
        for n in range(SIZE)
    ]
    return f"{head}# Part {number}\n\n## Purpose\n\nTo be measured.\n\n## Tasks\n\n{''.join(lines)}"


def wide_text(count: int) -> str:
    """Two phases of parallel tasks in Spec Kit's layout."""
    lines = [f"- [ ] T{n:05} [P] Step {n} in src/part_{n}.py\n" for n in range(count)]
    half = count // 2
    return f"# Tasks\n\n## Phase 1\n\n{''.join(lines[:half])}\n## Phase 2\n\n{''.join(lines[half:])}"


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Milliseconds and result."""
    start = time.perf_counter()
    found = work()
    return 1000 * (time.perf_counter() - start), found


def parsed(texts: dict[str, str]) -> list[SpecDefinition]:
    """All specs."""
    return [parse_source(SpecSource(Layout.SPECLOOM, path), texts) for path in texts]


def with_specs(specs: list[SpecDefinition]) -> ProjectState:
    """The projection that has read them all."""
    state = EMPTY
    for seq, spec in enumerate(specs, 1):
        state = evolve(state, SpecRead(spec), AT, seq)
    return state


def updates(state: ProjectState, most: int) -> tuple[list[float], ProjectState]:
    """Microseconds from the proof of a task to the next ready one, again and again."""
    evidence = (Evidence(EvidenceKind.USER, AT),)
    times: list[float] = []
    for seq in range(most):
        task = next(ready_in(state, Scope()))
        start = time.perf_counter()
        state = evolve(state, tasks.TaskDone(task, evidence), AT, seq)
        next(ready_in(state, Scope()), None)
        times.append(1e6 * (time.perf_counter() - start))
    return times, state


def measure_wide(count: int) -> dict[str, float]:
    """Figures of two wide phases."""
    path, text = "specs/001-wide/tasks.md", wide_text(count)
    source = SpecSource(Layout.SPEC_KIT, path, "001-wide")
    parse_ms, spec = timed(lambda: parse_source(source, {path: text}))
    build_ms, (graph, _) = timed(lambda: build_graph([spec]))
    state = with_specs([spec])
    first_ms, _ = timed(lambda: next(ready_in(state, Scope())))
    times, _ = updates(state, count // 2 + 100)
    return {
        "wide_tasks": len(graph.order),
        "wide_parse_ms": round(parse_ms, 1),
        "wide_build_ms": round(build_ms, 1),
        "wide_first_ready_ms": round(first_ms, 2),
        "wide_update_us_median": round(statistics.median(times), 1),
        "wide_update_us_worst": round(max(times), 1),
    }


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    count = parser.parse_args().tasks
    texts = {f"specs/{number:03}-part.md": text_of(number) for number in range(1, count // SIZE + 1)}
    parse_ms, specs = timed(lambda: parsed(texts))
    build_ms, (graph, problems) = timed(lambda: build_graph(specs))
    state = with_specs(specs)
    first_ms, _ = timed(lambda: next(ready_in(state, Scope())))
    times, _ = updates(state, min(count, 500))
    replan_ms, _ = timed(lambda: Plan(HashTrieMap({spec.id: spec for spec in specs})).graph)
    figures: dict[str, float | str] = {
        "benchmark": "graph",
        "tasks": len(graph.order),
        "problems": len(problems),
        "parse_all_ms": round(parse_ms, 1),
        "parse_one_spec_ms": round(parse_ms / len(specs), 2),
        "build_ms": round(build_ms, 1),
        "rebuild_ms": round(replan_ms, 1),
        "first_ready_ms": round(first_ms, 2),
        "update_us_median": round(statistics.median(times), 1),
        "update_us_worst": round(max(times), 1),
    }
    print(json.dumps({**figures, **measure_wide(count)}))


if __name__ == "__main__":
    main()
