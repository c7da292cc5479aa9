"""Puts together the text of a spec document from what the planner wrote. Refuses to change what it did not write."""

from collections.abc import Iterable, Mapping

from specloom.domain.documents.lines import find_section, row_starts, scan
from specloom.domain.documents.references import reference_to
from specloom.domain.documents.rewrite import replace_section, set_front_matter
from specloom.domain.documents.specs import render_front_matter
from specloom.domain.ids import RequirementId
from specloom.domain.requirement import Requirement
from specloom.domain.spec import RequirementRef, SpecStatus
from specloom.planning.answers import body_of
from specloom.planning.outline import PlannedSpec

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


def same_requirements(refs: Iterable[RequirementRef], wanted: Iterable[Requirement | None]) -> bool:
    """Whether a spec was written for exactly these requirements as they now read."""
    return set(refs) == {reference_to(item) for item in wanted if item is not None}


def _span(text: str) -> tuple[int, int]:
    section = find_section(scan(text), TASKS)
    if section is None:
        return len(text), len(text)
    starts = row_starts(text)
    return starts[section.start], starts[section.end] if section.end < len(starts) else len(text)
