"""A spec as the first message of a session shows it. Refuses to summarise: what is shown stands in the file."""

from collections.abc import Collection, Mapping

from specloom.domain.documents.lines import front_matter_end
from specloom.domain.ids import TaskId
from specloom.domain.lines import split_lines
from specloom.domain.spec import SpecDefinition, TaskDefinition


def spec_for(task: TaskId, spec: SpecDefinition, text: str) -> str:
    """The text without front matter, each task cut to its first line; the groups above `task` keep theirs."""
    rows = [line.text for line in split_lines(text)]
    tasks = {item.line: item for item in spec.tasks}
    kept = _above(task, {item.id: item for item in spec.tasks})
    shown: list[str] = []
    cut: int | None = None
    for number in range(front_matter_end(rows or [""]), len(rows)):
        row = rows[number]
        if number in tasks:
            cut = None if tasks[number].id in kept else _indent(row)
        elif cut is not None and row.strip():
            if _indent(row) > cut:
                continue
            cut = None
        shown.append(row)
    return "\n".join(shown).strip()


def _above(task: TaskId, tasks: Mapping[TaskId, TaskDefinition]) -> Collection[TaskId]:
    found: set[TaskId] = set()
    parent = tasks[task].parent if task in tasks else None
    while parent is not None and parent in tasks and parent not in found:
        found.add(parent)
        parent = tasks[parent].parent
    return found


def _indent(row: str) -> int:
    expanded = row.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())
