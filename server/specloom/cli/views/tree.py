"""Draws specs and tasks as lines that fit a terminal. Refuses to hide what is going on: the rest is folded first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.text import Text

from specloom.cli.views.formats import visible
from specloom.cli.views.marks import MARKS
from specloom.cli.views.rows import SpecRow, TaskRow
from specloom.domain.states import TaskState

_URGENT = (TaskState.IN_PROGRESS, TaskState.FAILED, TaskState.BLOCKED)


@dataclass(frozen=True, slots=True)
class Pen:
    """What the terminal can show."""

    width: int
    plain: bool = False
    """No Unicode."""
    spinner: str = ""
    """The present frame, in place of the symbol of what is in progress."""

    def mark(self, state: TaskState) -> tuple[str, str]:
        """Symbol and style of a state."""
        mark = MARKS[state]
        if state is TaskState.IN_PROGRESS and self.spinner:
            return self.spinner, mark.style
        return (mark.plain if self.plain else mark.symbol), mark.style

    def line(self, indent: int, state: TaskState, label: str, title: str, note: str) -> Text:
        """One line; the title gives way before the note does, the note takes half of the line at the most."""
        symbol, style = self.mark(state)
        label, title, note = visible(label), visible(title), visible(note)
        head = f"{' ' * indent}{symbol} {label} "
        room = max(self.width - len(head), 10)
        told = Text(f"  {note}" if note else "", style=style if state in _URGENT else "dim")
        told.truncate(max(room // 2, room - len(title)), overflow="ellipsis")
        text = Text(title, style="dim" if state in (TaskState.PENDING, TaskState.SKIPPED) else "")
        text.truncate(room - told.cell_len, overflow="ellipsis")
        line = Text.assemble((" " * indent, ""), (symbol, style), f" {label} ", text, told, no_wrap=True)
        line.truncate(self.width, overflow="ellipsis")
        return line


def draw(rows: Iterable[SpecRow], pen: Pen) -> list[Text]:
    """Everything, one line a row."""
    return [line for row in rows for line in _spec_lines(row, pen)]


def draw_headers(rows: Iterable[SpecRow], pen: Pen) -> list[Text]:
    """One line a spec."""
    return [_header(row, pen) for row in rows]


def fit(rows: tuple[SpecRow, ...], pen: Pen, height: int) -> list[Text]:
    """At most `height` lines: finished specs are folded first, then those that wait from the last one up."""
    drawn = [_spec_lines(row, pen) for row in rows]
    finished = [place for place, row in enumerate(rows) if _is_finished(row)]
    waiting = [place for place, row in enumerate(rows) if not _is_finished(row) and not _is_active(row)]
    for place in (*finished, *reversed(waiting)):
        if sum(map(len, drawn)) <= height:
            break
        drawn[place] = drawn[place][:1]
    lines = [line for part in drawn for line in part]
    if len(lines) <= height:
        return lines
    shown = _window(lines, _focus(rows, drawn), max(height, 1))
    for line in shown:
        line.truncate(pen.width, overflow="ellipsis")
    return shown


def _focus(rows: tuple[SpecRow, ...], drawn: list[list[Text]]) -> int:
    """The line of the first task in progress."""
    before = 0
    for row, part in zip(rows, drawn, strict=True):
        if _is_active(row):
            return before + _first_active(row)
        before += len(part)
    return 0


def _window(lines: list[Text], focus: int, height: int) -> list[Text]:
    if height < 4:
        return lines[focus : focus + height]
    start = max(0, min(focus - height // 2, len(lines) - height))
    end = start + height
    shown = lines[start:end]
    if start > 0:
        shown[0] = Text(f"  … {start + 1} more above", style="dim", no_wrap=True)
    if end < len(lines):
        shown[-1] = Text(f"  … {len(lines) - end + 1} more below", style="dim", no_wrap=True)
    return shown


def _spec_lines(row: SpecRow, pen: Pen) -> list[Text]:
    return [_header(row, pen), *_task_lines(row.tasks, pen)]


def _header(row: SpecRow, pen: Pen) -> Text:
    if row.generating:
        return pen.line(0, TaskState.PENDING, row.id, row.title, "still being written")
    note = f"{row.done}/{row.total}" if row.total else "no tasks yet"
    line = pen.line(0, row.state, row.id, row.title, note)
    line.stylize("bold", 0, len(line) - len(note))
    return line


def _task_lines(tasks: Iterable[TaskRow], pen: Pen) -> Iterator[Text]:
    for task in tasks:
        indent = 2 + 2 * min(task.depth, 3)
        if task.state is None:
            heading = Text(f"{' ' * indent}  {visible(f'{task.number} {task.title}')}", style="dim", no_wrap=True)
            heading.truncate(pen.width, overflow="ellipsis")
            yield heading
        else:
            yield pen.line(indent, task.state, task.number, task.title, task.note)


def _is_finished(row: SpecRow) -> bool:
    return row.state is TaskState.DONE


def _is_active(row: SpecRow) -> bool:
    return any(task.state is TaskState.IN_PROGRESS for task in row.tasks)


def _first_active(row: SpecRow) -> int:
    return 1 + next(place for place, task in enumerate(row.tasks) if task.state is TaskState.IN_PROGRESS)
