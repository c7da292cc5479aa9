"""Puts a new task list in place of an old one without touching a byte of the tasks that are kept.

Refuses to renumber: a kept task stays under its number, and whatever the new list says of it is passed over.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from specloom.domain.documents.specs import parse_spec
from specloom.domain.graph_specs import natural_key
from specloom.domain.ids import TaskId
from specloom.domain.lines import split_lines
from specloom.domain.spec import TaskDefinition

_PATH = "list.md"


@dataclass(frozen=True, slots=True)
class _Block:
    """One task with its lines up to the next task."""

    number: str
    text: str


def merge_tasks(old: str, new: str, kept: Collection[TaskId]) -> str:
    """The list `new` with the kept tasks of `old`, and the parents above them, as they stand in `old`.

    Both are lists alone, without the document around them.
    """
    keep = {task.number for task in kept_with_parents(parse_spec(_PATH, old).tasks, kept)}
    saved = {block.number: block for block in _blocks(old)[1] if block.number in keep}
    head, theirs = _blocks(new)
    if not saved:
        return head + "".join(block.text for block in theirs)
    blocks = [saved.pop(block.number, block) for block in theirs]
    for number, block in saved.items():
        place = next((at for at, item in enumerate(blocks) if natural_key(item.number) > natural_key(number)), None)
        blocks.insert(len(blocks) if place is None else place, block)
    return head + "".join(_ended(block.text) for block in blocks)


def kept_with_parents(tasks: Iterable[TaskDefinition], kept: Collection[TaskId]) -> tuple[TaskDefinition, ...]:
    """The kept tasks and everything above them, in document order."""
    listed = tuple(tasks)
    by_id = {task.id: task for task in listed}
    numbers = {name.rpartition("/")[2] for name in kept}
    wanted: set[TaskId] = set()
    for task in listed:
        above: TaskDefinition | None = task if task.number in numbers else None
        while above is not None and above.id not in wanted:
            wanted.add(above.id)
            above = by_id.get(above.parent) if above.parent is not None else None
    return tuple(task for task in listed if task.id in wanted)


def _blocks(text: str) -> tuple[str, list[_Block]]:
    rows = split_lines(text)
    tasks = parse_spec(_PATH, text).tasks
    starts = [task.line for task in tasks]
    ends = [*starts, len(rows)][1:]
    blocks = [
        _Block(task.number, "".join(row.whole for row in rows[start:end]))
        for task, start, end in zip(tasks, starts, ends, strict=True)
    ]
    first = starts[0] if starts else len(rows)
    return "".join(row.whole for row in rows[:first]), blocks


def _ended(text: str) -> str:
    return text if text.endswith(("\n", "\r")) else text + "\n"
