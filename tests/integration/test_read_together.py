"""Documents that are news at once are a few commits, and say what they would have said one by one."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from specloom.compose import open_runtime
from specloom.domain.graph import TaskGraph, build_graph
from specloom.domain.problem import Problem
from specloom.domain.spec import SpecDefinition
from specloom.domain.states import TaskState
from specloom.engine import library, mailbox
from specloom.engine.runtime import ProjectRuntime
from specloom.store.log import EventStore

SPECS = 45
TICKED = 30
SPEC = """---
id: "{spec:02}"
title: Part {spec}
depends_on: {before}
requirements: [R1.1]
---

# Part {spec}

## Tasks

- [ ] 1 Begin part {spec}
  - _Requirements: R1.1_
- [ ] 2 End part {spec}
"""


def lay(root: Path) -> None:
    """The project as it begins."""
    (root / "specs").mkdir(parents=True)
    (root / "requirements.md").write_text("# Much\n\n- R1.1 THE work SHALL be done.\n")
    for spec in range(1, SPECS + 1):
        path(root, spec).write_text(SPEC.format(spec=spec, before=[f"{spec - 1:02}"] if spec > 1 else []))


def path(root: Path, spec: int) -> Path:
    """Of a spec."""
    return root / "specs" / f"{spec:02}-part.md"


def change(root: Path) -> None:
    """Ticks boxes, lets two specs take each other's place, moves a task to a spec that is read later, and drops one."""
    for spec in range(1, TICKED + 1):
        path(root, spec).write_text(path(root, spec).read_text().replace("- [ ] 1", "- [x] 1"))
    seventh, eighth = path(root, 7), path(root, 8)
    texts = seventh.read_text(), eighth.read_text()
    seventh.write_text(texts[1])
    eighth.write_text(texts[0])
    task = "- [ ] 2 End part 12\n"
    path(root, 12).write_text(path(root, 12).read_text().replace(task, ""))
    path(root, 13).write_text(path(root, 13).read_text() + task.replace("2", "3", 1))
    path(root, SPECS).unlink()


async def said(runtime: ProjectRuntime) -> list[Any]:
    """All that the log holds, in order, without its times."""
    events = [item.event for item in await runtime.events(0, 10_000)]
    tasks = sorted(
        (task, record.state, [one.kind for one in record.evidence]) for task, record in runtime.state.tasks.items()
    )
    return [
        *(f"{type(event).__name__} {getattr(event, 'task', getattr(event, 'spec', ''))}" for event in events),
        tasks,
    ]


async def lived(root: Path, environment: dict[str, str]) -> list[Any]:
    """A project that is opened and then changed."""
    lay(root)
    runtime = await open_runtime(root, environment=environment)
    try:
        change(root)
        await runtime.refresh()
        return await said(runtime)
    finally:
        await runtime.close()


async def test_documents_read_together_are_few_commits_and_say_what_each_would_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commits: list[int] = []
    append = EventStore.append

    async def counted(self: EventStore, stream: str, expected: int | None, events: Sequence[Any], *more: Any) -> Any:
        commits.append(len(events))
        return await append(self, stream, expected, events, *more)

    def place(name: str) -> tuple[Path, dict[str, str]]:
        return tmp_path / name / "much", {"HOME": str(tmp_path), "SPECLOOM_STATE_DIR": str(tmp_path / f"state-{name}")}

    monkeypatch.setattr(EventStore, "append", counted)
    monkeypatch.setattr(mailbox, "LONG", 60.0)
    together = await lived(*place("all"))
    few = len(commits)
    monkeypatch.setattr(mailbox, "LONG", 0.0)
    slow = await lived(*place("slow"))
    some = len(commits) - few
    monkeypatch.setattr(library, "TOGETHER", 1)
    one_by_one = await lived(*place("one"))
    assert together == slow == one_by_one
    assert sum(text.startswith("TaskDone") for text in together if isinstance(text, str)) >= TICKED
    # All documents twice, three commits each; the first event of the log; the spec that was dropped.
    assert few < 12 < len(commits) - few - some
    assert some == len(commits) - few - some, "what takes long to decide holds nobody up until all of it is decided"


async def test_boxes_ticked_in_many_documents_cost_no_graph_each(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built: list[int] = []

    def counted(specs: Iterable[SpecDefinition]) -> tuple[TaskGraph, tuple[Problem, ...]]:
        built.append(1)
        return build_graph(specs)

    root = tmp_path / "much"
    lay(root)
    environment = {"HOME": str(tmp_path), "SPECLOOM_STATE_DIR": str(tmp_path / "state")}
    runtime = await open_runtime(root, environment=environment)
    monkeypatch.setattr("specloom.domain.project.build_graph", counted)
    try:
        for spec in range(1, TICKED + 1):
            path(root, spec).write_text(path(root, spec).read_text().replace("- [ ] 1", "- [x] 1"))
        await runtime.refresh()
        done = [record for record in runtime.state.tasks.values() if record.state is TaskState.DONE]
        assert [[name for name, _ in record.cited] for record in done] == [["R1.1"]] * TICKED
        assert len(built) <= 2, "on the loop, while everybody waits"
    finally:
        await runtime.close()
