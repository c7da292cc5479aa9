"""A plan while it is made: its specs, and how far each is. Refuses finished plans: those are tables and trees."""

from rich.text import Text

from specloom.cli.views.formats import count
from specloom.cli.views.outline import outlined
from specloom.cli.views.tree import Pen
from specloom.domain.ids import SpecId
from specloom.domain.project import PlanRecord, ProjectState
from specloom.domain.spec import SpecStatus
from specloom.domain.states import TaskState


def plan_lines(state: ProjectState, planning: PlanRecord, pen: Pen, height: int) -> list[Text]:
    """At most `height` lines, the ones that are written now among them."""
    specs = outlined(planning)
    if not specs:
        what = "the tasks" if planning.stage == "tasks" else "the outline"
        return [pen.line(0, TaskState.IN_PROGRESS, what, f"from {planning.path}", "")]
    writing = {spec for spec, _ in planning.writing}
    rows = [_line(state, spec, title, pen, spec in writing) for spec, title in specs]
    newest = max((place for place, (spec, _) in enumerate(specs) if spec in writing), default=len(rows) - 1)
    start = max(0, min(newest - height + 2, len(rows) - height))
    return rows[start : start + height]


def _line(state: ProjectState, spec: SpecId, title: str, pen: Pen, writing: bool) -> Text:
    known = state.plan.specs.get(spec)
    if writing:
        return pen.line(0, TaskState.IN_PROGRESS, spec, title, "writing")
    if known is None or known.status is SpecStatus.GENERATING:
        return pen.line(0, TaskState.PENDING, spec, title, "")
    leaves = sum(task.is_leaf for task in known.tasks)
    if not leaves:
        return pen.line(0, TaskState.READY, spec, title, "written, tasks to come")
    return pen.line(0, TaskState.DONE, spec, title, count(leaves, "task"))
