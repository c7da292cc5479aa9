"""Puts together the text of a spec document from what the planner wrote. Refuses to change what it did not write."""

from collections.abc import Collection, Iterable, Mapping

from specloom.domain.documents.lines import (
    Heading,
    Kind,
    find_section,
    front_matter_end,
    heading_of,
    row_starts,
    scan,
)
from specloom.domain.documents.references import is_outdated, reference_to, write_requirement_ref
from specloom.domain.documents.rewrite import replace_section, set_front_matter
from specloom.domain.documents.specs import parse_spec, render_front_matter
from specloom.domain.ids import RequirementId
from specloom.domain.lines import adapted, split_lines
from specloom.domain.requirement import Requirement
from specloom.domain.spec import RequirementRef, SpecStatus
from specloom.planning.answers import body_of
from specloom.planning.outline import PlannedSpec, covered

TASKS = "Tasks"


def head_of(planned: PlannedSpec, requirements: Mapping[RequirementId, Requirement], status: SpecStatus) -> str:
    """Front matter and title of a new document."""
    refs = refs_of(planned, requirements)
    matter = render_front_matter(planned.id, planned.title, planned.depends_on, refs, status)
    return f"{matter}\n# {planned.title}\n\n"


def refs_of(planned: PlannedSpec, requirements: Mapping[RequirementId, Requirement]) -> list[RequirementRef]:
    """What a spec serves, each requirement with the hash of the text that it now has."""
    return [
        reference_to(requirements[name]) if name in requirements else RequirementRef(name)
        for name in planned.requirements
    ]


def with_body(head: str, body: str, tasks: str) -> str:
    """A new document; `tasks` is a section that stood there, heading included, or empty."""
    return f"{head}{body.strip()}\n" + (f"\n{tasks}" if tasks else "")


def rewritten(text: str, planned: PlannedSpec, requirements: Mapping[RequirementId, Requirement], body: str) -> str:
    """A document that exists with other sections before its tasks; what else a person put there stays."""
    refs = [write_requirement_ref(ref) for ref in refs_of(planned, requirements)]
    known = parse_spec(planned.path, text)
    lines = scan(text).lines
    titles = (line for line in lines if line.kind is Kind.HEADING and heading_of(line) == Heading(1, known.title))
    starts, title = row_starts(text), next(titles, None)
    start, end = _body_span(text)
    parts = [text[:start], adapted(f"{body.strip()}\n" + ("\n" if end < len(text) else ""), text), text[end:]]
    if title is not None and planned.title != known.title:
        at = starts[title.number]
        parts[0] = f"{text[:at]}# {planned.title}{text[at + len(title.text) : start]}"
    whole = generating("".join(parts), now=False)
    for key, value in (("title", planned.title), ("depends_on", planned.depends_on), ("requirements", refs)):
        whole = set_front_matter(whole, key, value)
    return whole


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


def without_list(text: str) -> str:
    """The document without its section Tasks."""
    start, end = _span(text)
    return f"{text[:start].rstrip()}\n{text[end:]}"


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


def _body_span(text: str) -> tuple[int, int]:
    """From the first section to the tasks; where there is no section, the place before the tasks."""
    end, _ = _span(text)
    starts = row_starts(text)
    headings = (line for line in scan(text).lines if line.kind is Kind.HEADING and heading_of(line).level > 1)
    start = next((starts[line.number] for line in headings), end)
    return min(start, end), end
