"""Writes into documents and changes nothing but what is meant: line ends, byte order mark, tabs stay as they are.

Refuses (`ValueError`) a task whose checkbox is not where it says: the definition was read from another text.
"""

import re
from collections.abc import Sequence

from specloom.domain.documents.findings import Findings
from specloom.domain.documents.front_matter import read_front_matter, write_entry
from specloom.domain.documents.lines import Kind, Line, end_of_line, find_section, row_starts, scan, split_rows
from specloom.domain.documents.task_lines import box_of, numbered_label, spec_kit_label
from specloom.domain.spec import TaskDefinition

_SPEC_KIT_NUMBER = re.compile(r"T[0-9]+[a-z]?(?:~[0-9]+)?")
_EOL = re.compile(r"\r\n|\n|\r")


def set_checkbox(text: str, task: TaskDefinition, ticked: bool) -> str:
    """Tick or untick the box of a task that was read from this very text; one character changes, or none."""
    rows = split_rows(text)
    row = rows[task.line] if task.line < len(rows) else ""
    body = row.lstrip(" \t\ufeff")
    box = box_of(Line(task.line, row, body, 0, Kind.TEXT))
    if box is None or task.title not in {numbered_label(box.rest).title, spec_kit_label(box.rest).title}:
        raise ValueError(f"line {task.line + 1} does not hold the checkbox of task {task.id}; read the document again")
    if box.ticked == ticked:
        return text
    mark = "X" if _SPEC_KIT_NUMBER.fullmatch(task.number) else "x"
    offset = row_starts(text)[task.line] + box.column
    return text[:offset] + (mark if ticked else " ") + text[offset + 1 :]


def set_front_matter(text: str, key: str, value: str | Sequence[str] | None) -> str:
    """Set one key of the front matter, or remove it with `None`; the front matter is made if there is none."""
    front_matter = read_front_matter(scan(text), Findings(""))
    eol = end_of_line(text)
    entry = front_matter.entries.get(key)
    if value is None and entry is None:
        return text
    written = "" if value is None else write_entry(key, value, eol, quoted=key in {"id", "depends_on"})
    if not front_matter.end:
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        return f"{mark}---{eol}{written}---{eol}{text[len(mark) :]}"
    starts = row_starts(text)
    start, end = (entry.start, entry.end) if entry else (front_matter.end - 1, front_matter.end - 1)
    return text[: starts[start]] + written + text[starts[end] :]


def replace_section(text: str, heading: str, body: str) -> str:
    """Put `body` under the first heading of that title; a section that is missing is added at the end, level two."""
    eol = end_of_line(text)
    section = find_section(scan(text), heading)
    inner = _EOL.sub(lambda _: eol, body.strip("\r\n"))
    block = f"{eol}{inner}{eol}" if inner else eol
    if section is None:
        gap = "" if not text.strip("\ufeff") else eol if text.endswith(("\n", "\r")) else eol + eol
        return f"{text}{gap}## {heading.strip()}{eol}{block}"
    starts = row_starts(text)
    before = text[: starts[section.start + 1]] if section.start + 1 < len(starts) else text + eol
    after = text[starts[section.end] :] if section.end < len(starts) else ""
    return before + block + (eol if after and inner else "") + after
