"""Puts together the text of a spec document from what the planner wrote. Refuses to change what it did not write."""

from collections.abc import Collection, Iterable, Mapping

from specloom.domain.documents.lines import find_section, front_matter_end, row_starts, scan
from specloom.domain.documents.references import is_outdated, reference_to
from specloom.domain.documents.rewrite import replace_section, set_front_matter
from specloom.domain.documents.specs import render_front_matter
from specloom.domain.ids import RequirementId
from specloom.domain.lines import split_lines
from specloom.domain.requirement import Requirement
from specloom.domain.spec import RequirementRef, SpecStatus
from specloom.planning.answers import body_of
from specloom.planning.outline import PlannedSpec, covered

TASKS = "Tasks"


def head_of(planned: PlannedSpec, requirements: Mapping[RequirementId, Requirement], status: SpecStatus) -> str:
    """Front matter and title; each requirement with the hash of the text that it now has."""
    refs = [
        reference_to(requirements[name]) if name in requirements else RequirementRef(name)
        for name in planned.requirements
    ]
    matter = render_front_matter(planned.id, planned.title, planned.depends_on, refs, status)
    return f"{matter}\n# {planned.title}\n\n"


def with_body(head: str, body: str, tasks: str) -> str:
    """The whole document; `tasks` is the section as it stood, heading included, or empty."""
    return f"{head}{body.strip()}\n" + (f"\n{tasks}" if tasks else "")


def tasks_section(text: str) -> str:
    """The section Tasks with its heading, verbatim; empty if there is none."""
    start, end = _span(text)
    return text[start:end]


def task_list(text: str) -> str:
    """What stands in the section Tasks, verbatim."""
    section = tasks_section(text)
    starts = row_starts(section)
    return section[starts[1] :].lstrip("\r\n") if len(starts) > 1 else ""


def without_front_matter(text: str) -> str:
    """What people read of a document."""
    rows = split_lines(text)
    start = front_matter_end([row.text for row in rows] or [""])
    return "".join(row.whole for row in rows[start:]).strip()


def without_tasks(text: str) -> str:
    """The document up to its section Tasks."""
    start, _ = _span(text)
    return text[:start]


def body_in(text: str) -> str:
    """The sections between the title and the tasks."""
    return body_of(without_tasks(text))


def with_tasks(text: str, tasks: str) -> str:
    """The document with another list in its section Tasks, which is made at the end if there is none."""
    return replace_section(text, TASKS, tasks)


def generating(text: str, *, now: bool) -> str:
    """The document with or without the mark that keeps it out of the graph."""
    return set_front_matter(text, "status", SpecStatus.GENERATING.value if now else None)


def is_written_for(refs: Iterable[RequirementRef], wanted: Collection[Requirement]) -> bool:
    """Whether a spec names exactly these requirements, and none that reads otherwise since; no hash, no change."""
    by_id = {item.id: item for item in wanted}
    named = {name: ref for ref in refs for name in covered(ref.id, by_id)}
    changed = (is_outdated(ref, by_id[name]) for name, ref in named.items() if name in by_id)
    return set(named) == set(by_id) and not any(changed)


def _span(text: str) -> tuple[int, int]:
    section = find_section(scan(text), TASKS)
    if section is None:
        return len(text), len(text)
    starts = row_starts(text)
    return starts[section.start], starts[section.end] if section.end < len(starts) else len(text)
