"""Reads the dependency graph that a Kiro `tasks.md` ends with, in every form seen. Refuses to know what its names mean.

Forms: `{"waves": [{"id": 0, "tasks": ["1.1"]}]}`, the same with `wave`, `name` or `depends_on`, bare lists
`{"waves": [["1"], ["2"]]}`, lines `Wave 1: 1.1, 1.2`, and arrows `1.1, 1.2 → 2.1`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, cast

from specloom.domain.documents.findings import Findings
from specloom.domain.documents.lines import Document, Kind, Line, Section, sections

_ARROW = re.compile(r"→|⟶|➜|⇒|-{1,3}>|={1,3}>")
_WAVE_LINE = re.compile(r"(?:[-*+][ \t]+)?[*_]*wave[ \t]+([0-9]+)[^:]*+:(.*)", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])(?:[0-9]++(?:\.[0-9]++)*+|u[0-9]++)(?!\w)")
_SPLIT = re.compile(r"[,&;]|\band\b")


class Entry(NamedTuple):
    """A task as the graph names it."""

    number: str
    line: Line


@dataclass(frozen=True, slots=True)
class Wave:
    """Tasks that may run together."""

    keys: frozenset[str]
    """What other waves may call it: its id, number and name."""
    entries: tuple[Entry, ...]
    depends_on: tuple[str, ...] | None = None
    """Keys of the waves it waits for; `None` = the one before."""


@dataclass(frozen=True, slots=True)
class WaveGraph:
    """Either waves in order or arrows from tasks to those that wait for them."""

    section: Line
    waves: tuple[Wave, ...] = ()
    arrows: tuple[tuple[tuple[Entry, ...], tuple[Entry, ...]], ...] = ()


def read_wave_graph(document: Document, findings: Findings) -> WaveGraph | None:
    """The graph, or `None` where there is none or it cannot be read (with a problem then)."""
    section = next((found for found in sections(document) if _is_graph(found)), None)
    if section is None:
        return None
    heading, lines = document.lines[section.start], document.lines[section.start + 1 : section.end]
    source = _json_lines(lines)
    try:
        graph = _from_json(heading, source) if source else _from_text(heading, lines)
    except (ValueError, RecursionError) as error:
        _unreadable(findings, source[0] if source else heading, str(error))
        return None
    if not graph.waves and not graph.arrows:
        _unreadable(findings, heading, "no wave and no arrow found")
        return None
    return graph


def _is_graph(section: Section) -> bool:
    title = section.heading.title.casefold()
    return "dependency graph" in title or title in {"waves", "execution waves", "task waves"}


def _unreadable(findings: Findings, line: Line, reason: str) -> None:
    example = '{"waves": [{"id": 0, "tasks": ["1.1"]}]}'
    message = f"The dependency graph cannot be read ({reason}), so the tasks run in order; write {example}"
    findings.warning("wave-graph", message, line.span())


def _json_lines(lines: Sequence[Line]) -> list[Line]:
    """The lines of the first JSON value in the section, fence marks left out."""
    found: list[Line] = []
    for line in lines:
        is_mark = line.body.startswith(("```", "~~~"))
        if found and (is_mark or line.kind is Kind.HEADING):
            break
        if not is_mark and (found or line.body.startswith(("{", "["))):
            found.append(line)
    return found


def _from_json(heading: Line, source: list[Line]) -> WaveGraph:
    text = "\n".join(line.text.lstrip("\ufeff") for line in source)
    # Numbers stay texts: 1.10 is not 1.1.
    data: object = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).raw_decode(text.lstrip())[0]
    if isinstance(data, dict):
        data = cast("dict[str, Any]", data).get("waves")
    if isinstance(data, dict):
        data = list(cast("dict[str, Any]", data).values())
    if not isinstance(data, list):
        raise ValueError("waves is no list")  # noqa: TRY004 one error for all that cannot be read
    places = _Places(source)
    return WaveGraph(heading, tuple(_wave(item, places) for item in cast("list[object]", data)))


def _wave(item: object, places: "_Places") -> Wave:
    if not isinstance(item, dict):
        return Wave(frozenset(), _entries(item, places))
    fields = cast("Mapping[str, object]", item)
    keys = frozenset(str(fields[key]) for key in ("id", "wave", "name") if key in fields)
    names = fields.get("depends_on", fields.get("dependsOn"))
    depends_on = tuple(map(str, cast("list[object]", names))) if isinstance(names, list) else None
    return Wave(keys, _entries(fields.get("tasks", []), places), depends_on)


def _entries(tasks: object, places: "_Places") -> tuple[Entry, ...]:
    if not isinstance(tasks, list):
        tasks = [tasks]
    return tuple(_entry(task, places) for task in cast("list[object]", tasks))


def _entry(task: object, places: "_Places") -> Entry:
    if isinstance(task, dict):
        fields = cast("Mapping[str, object]", task)
        task = fields.get("id", fields.get("task", ""))
    if not isinstance(task, str) or not task.strip():
        raise ValueError('a task of a wave is no text such as "1.1"')
    number = task.strip().rstrip(".")
    return Entry(number, places.line_of(task))


class _Places:
    """Where in the JSON source each text stands."""

    def __init__(self, source: list[Line]) -> None:
        self._first = source[0]
        self._lines: dict[str, Line] = {}
        for line in source:
            for match in re.finditer(r"[^\s\",\[\]{}:]+", line.text):
                self._lines.setdefault(match[0], line)

    def line_of(self, text: str) -> Line:
        return self._lines.get(text, self._first)


def _from_text(heading: Line, lines: Sequence[Line]) -> WaveGraph:
    arrows: list[tuple[tuple[Entry, ...], tuple[Entry, ...]]] = []
    waves: list[Wave] = []
    for line in lines:
        match = _WAVE_LINE.match(line.body)
        if match is not None and not _ARROW.search(match[2]):
            waves.append(Wave(frozenset({match[1]}), tuple(_numbers(match[2], line))))
        else:
            arrows.extend(_arrows(line))
    return WaveGraph(heading, tuple(waves), () if waves else tuple(arrows))


def _arrows(line: Line) -> Iterator[tuple[tuple[Entry, ...], tuple[Entry, ...]]]:
    groups = [tuple(_numbers(part, line)) for part in _ARROW.split(line.body)]
    for before, after in pairwise(groups):
        if before and after:
            yield before, after


def _numbers(text: str, line: Line) -> Iterator[Entry]:
    """The first number of each part: what follows it is the title."""
    for part in _SPLIT.split(text):
        match = _NUMBER.search(part)
        if match is not None:
            yield Entry(match[0], line)
