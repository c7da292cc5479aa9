"""`specloom status`: where the project stands and what to do next, from the log."""

import argparse
from typing import TYPE_CHECKING

from specloom.cli.failures import Exit
from specloom.cli.output import Output
from specloom.cli.ports import Place
from specloom.cli.reading import Told, changed_since, looked, told
from specloom.cli.views.endings import counts_line, has_errors, next_steps, problem_line
from specloom.cli.views.event_lines import outcome_name, scope_name
from specloom.cli.views.formats import WHOLE, count, moment, one_line, usage, visible
from specloom.cli.views.plain_json import plain
from specloom.cli.views.rows import SpecRow, spec_rows
from specloom.cli.views.summary import all_turns, count_tasks, counts_json
from specloom.domain.evidence import EvidenceKind, is_verifiable
from specloom.domain.ids import TaskId
from specloom.domain.project import ProjectState, RunRecord
from specloom.domain.runs import RunState, Scope, why_paused
from specloom.domain.states import TaskState

if TYPE_CHECKING:
    from rich.console import RenderableType


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:  # noqa: ARG001 - one form for all
    """Returns the exit status, which says nothing about the tasks."""
    known = await looked(await told(place, output), place)
    if output.as_json:
        output.json(status_json(known, place))
    else:
        _show(known, place, output)
    return Exit.OK


def status_json(known: Told, place: Place) -> dict[str, object]:
    """Everything that the text says."""
    state = known.state
    return {
        "type": "status",
        "root": str(place.root),
        "name": state.name,
        "seq": state.seq,
        "run": plain(state.run),
        "writer": known.writer,
        "planning": _planning_json(state),
        "specs": [_spec_json(row) for row in spec_rows(state)],
        "tasks": counts_json(count_tasks(state, Scope())),
        "turns": all_turns(state),
        "usage": plain(state.usage),
        "changed": list(changed_since(known)),
        "problems": plain(known.problems),
        "approvals": plain(tuple(state.approvals.values())),
        "prompts": plain(tuple(state.prompts.values())),
        "next": next_steps(state, Scope(), torn=has_errors(known.problems), stopped=known.stopped),
    }


def _planning_json(state: ProjectState) -> dict[str, object] | None:
    planning = state.planning
    if planning is None:
        return None
    return {
        "id": planning.id,
        "path": planning.path,
        "state": planning.state,
        "reason": planning.reason,
        "turns": planning.turns,
        "usage": plain(planning.usage),
    }


def _spec_json(row: SpecRow) -> dict[str, object]:
    return {"id": row.id, "title": row.title, "done": row.done, "total": row.total, "generating": row.generating}


def _show(known: Told, place: Place, output: Output) -> None:
    from specloom.cli.views.tree import Pen, draw_headers

    state = known.state

    output.line(f"{state.name or place.root.name}  {place.root}")
    pen = Pen(output.width, output.is_plain)
    if state.plan.specs:
        output.show("", *draw_headers(spec_rows(state), pen))
    output.line("")
    for label, text in _facts(known):
        output.show(_fact(label, text))


def _facts(known: Told) -> list[tuple[str, str]]:
    state = known.state
    facts = [("run", run_text(state.run, stopped=known.stopped)), ("plan", _planning(known))]
    counts = count_tasks(state, Scope())
    facts += [("tasks", counts_line(counts) + _found_ticked(state) if counts.total else ""), ("used", _used(state))]
    facts += [("failed", f"{task}: {one_line(reason, 300)}") for task, reason in _reasons(state, TaskState.FAILED)]
    facts += [("blocked", f"{task}: {one_line(reason, 300)}") for task, reason in _reasons(state, TaskState.BLOCKED)]
    facts += _stale(known.now or state)
    facts += [("asks", f"{one_line(item.subject)} ({one_line(item.purpose)})") for item in state.approvals.values()]
    facts += [("unheard", f"{one_line(item.text)} (said to {item.agent})") for item in state.prompts.values()]
    if changed := changed_since(known):
        facts.append(("changed", f"{', '.join(changed)}; the next plan or run reads it"))
    facts += [("problem", problem_line(problem)) for problem in known.problems]
    torn = has_errors(known.problems)
    facts += [("next", step) for step in next_steps(state, Scope(), torn=torn, stopped=known.stopped)]
    return [(label, text) for label, text in facts if text]


def _stale(state: ProjectState) -> list[tuple[str, str]]:
    """Tasks whose proof is not sure any more, with what changed behind it."""
    found: list[tuple[str, str]] = []
    for task in state.graph.order:
        record = state.record(task)
        behind = [*record.stale, *(f"requirement {name}" for name in record.outdated)]
        if behind and record.state is TaskState.DONE:
            step = AGAIN if is_verifiable(record.evidence) else BY_HAND
            found.append(("stale", f"{task}: {', '.join(behind)} changed since; {step}"))
    return found


def _found_ticked(state: ProjectState) -> str:
    """Tasks that are done because their box said so when it was first read."""
    vouched = (state.record(task).evidence for task in state.graph.order if state.state_of(task) is TaskState.DONE)
    found = sum(all(item.kind is EvidenceKind.IMPORTED for item in evidence) for evidence in vouched if evidence)
    return f" ({found} found ticked, not proven here)" if found else ""


def run_text(run: RunRecord | None, *, stopped: bool = False) -> str:
    """`paused, spec 01, since 2026-11-21 09:30, 12 turns, 3.4k in, 1.2k out, $0.02: key needed`."""
    if run is None:
        return ""
    state = outcome_name(run.outcome) if run.outcome else run.state.value
    if stopped and run.active and run.state is not RunState.PAUSED:
        state = "stopped"
    why = f": {one_line(run.reason, WHOLE)}" if why_paused(run.reason) else ""
    return f"{state}, {scope_name(run.scope)}, {_when(run)}, {count(run.turns, 'turn')}, {usage(run.usage)}{why}"


def _when(run: RunRecord) -> str:
    return f"ended {moment(run.ended_at)}" if run.ended_at else f"since {moment(run.started_at)}"


def _planning(known: Told) -> str:
    """How the newest plan stands, and what it used."""
    planning = known.state.planning
    if planning is None and not known.from_log and known.state.plan.specs:
        return "these specs were found here; nothing was run yet"
    if planning is None:
        return "" if known.state.plan.specs else "nothing planned yet"
    stopped = planning.state == "running" and known.stopped
    reason = "its process ended" if stopped else planning.reason
    used = f", {count(planning.turns, 'turn')}, {usage(planning.usage)}" if planning.turns else ""
    return f"{'stopped' if stopped else planning.state}{used}{f': {reason}' if reason else ''}"


def _used(state: ProjectState) -> str:
    """By all plans and runs."""
    return f"{count(all_turns(state), 'turn')} in all, {usage(state.usage)}" if state.usage.tokens else ""


def _reasons(state: ProjectState, wanted: TaskState) -> list[tuple[TaskId, str]]:
    """Of those whose reason is their own; what hangs on another task would only repeat it."""
    chosen = (task for task in state.graph.order if state.record(task).state is wanted)
    return [(task, state.record(task).reason) for task in chosen if state.record(task).cause is None]


def _fact(label: str, text: str) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=8, style=_STYLES.get(label, "dim"))
    grid.add_column(overflow="fold")
    grid.add_row(label, Text(visible(text)))
    return grid


AGAIN = "a run verifies it once more"
BY_HAND = "untick and tick its box if it still holds, or reset it"
_STYLES = {
    "failed": "bold red",
    "blocked": "yellow",
    "stale": "yellow",
    "changed": "yellow",
    "asks": "bold cyan",
    "next": "bold",
}
