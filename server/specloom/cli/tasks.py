"""`specloom tasks`: the tasks with their states, from the log."""

import argparse
from dataclasses import replace

from specloom.cli.failures import Exit
from specloom.cli.output import Output
from specloom.cli.ports import Place
from specloom.cli.reading import NOTHING_YET, told
from specloom.cli.scopes import check_spec
from specloom.cli.views.plain_json import plain
from specloom.cli.views.rows import SpecRow, TaskRow, ordered_specs, spec_rows
from specloom.domain.evidence import is_proven
from specloom.domain.project import ProjectState
from specloom.domain.spec import TaskDefinition
from specloom.domain.states import TaskState


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Returns the exit status. Raises `CommandError` for a spec that does not exist."""
    state = (await told(place, output)).state
    if not state.plan.specs:
        if not output.as_json:
            output.line(NOTHING_YET)
        return Exit.OK
    spec = check_spec(state, arguments.spec) if arguments.spec else None
    wanted = TaskState(arguments.state) if arguments.state else None
    if output.as_json:
        for line in task_json(state, spec, wanted):
            output.json(line)
    else:
        _show(state, spec, wanted, output)
    return Exit.OK


def _show(state: ProjectState, spec: str | None, wanted: TaskState | None, output: Output) -> None:
    from specloom.cli.views.tree import Pen, draw

    rows = [_only(row, wanted) for row in spec_rows(state) if spec is None or row.id == spec]
    shown = [row for row in rows if wanted is None or row.tasks]
    if not shown:
        output.line(f"no task is {wanted.value}" if wanted else NOTHING_YET)
        return
    output.show(*draw(shown, Pen(output.width, output.is_plain)))


def _only(row: SpecRow, wanted: TaskState | None) -> SpecRow:
    """The row with the leaves of one state; ids are full, since headings are gone."""
    if wanted is None:
        return row
    kept = tuple(_flat(task) for task in row.tasks if task.state is wanted)
    return replace(row, tasks=kept)


def _flat(task: TaskRow) -> TaskRow:
    return replace(task, depth=0, number=task.id)


def task_json(state: ProjectState, spec: str | None, wanted: TaskState | None) -> list[dict[str, object]]:
    """One object a leaf, in order."""
    definitions = [task for item in ordered_specs(state) if spec in (None, item.id) for task in item.tasks]
    leaves = (task for task in definitions if task.is_leaf and task.id in state.graph.tasks)
    return [_json(state, task) for task in leaves if wanted in (None, state.state_of(task.id))]


def _json(state: ProjectState, task: TaskDefinition) -> dict[str, object]:
    record = state.record(task.id)
    return {
        "id": task.id,
        "title": task.title,
        "state": state.state_of(task.id).value,
        "optional": task.optional,
        "proven": is_proven(record.evidence) and not record.stale,
        "stale": list(record.stale),
        "attempts": record.attempts,
        "reason": record.reason,
        "cause": record.cause,
        "requirements": list(task.requirements),
        "verify": list(task.verify),
        "turns": record.turns,
        "usage": plain(record.usage),
    }
