"""The specs of a plan as a table. Refuses task states: a plan is about what is to be done."""

from rich import box
from rich.table import Table
from rich.text import Text

from specloom.cli.views.formats import visible
from specloom.cli.views.rows import ordered_specs
from specloom.domain.project import ProjectState
from specloom.domain.spec import SpecDefinition, SpecStatus


def plan_table(state: ProjectState) -> Table:
    """One row a spec: id, title, number of tasks, what it needs, where it is written."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, align in (("spec", "left"), ("title", "left"), ("tasks", "right"), ("after", "left"), ("file", "left")):
        table.add_column(name, justify="right" if align == "right" else "left", overflow="fold")
    for spec in ordered_specs(state):
        cells = (spec.id, spec.title, _tasks(spec), ", ".join(spec.depends_on) or "-", spec.path)
        table.add_row(*(Text(visible(cell)) for cell in cells))
    return table


def _tasks(spec: SpecDefinition) -> str:
    if spec.status is SpecStatus.GENERATING:
        return "being written"
    leaves = [task for task in spec.tasks if task.is_leaf]
    optional = sum(task.optional for task in leaves)
    return f"{len(leaves) - optional} + {optional} optional" if optional else str(len(leaves))
