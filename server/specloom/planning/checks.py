"""Checks what the planner hands in: outlines, spec bodies, task lists. Values in, problems out; refuses to mend.

Problems of severity ERROR keep an answer from being taken; the others are put to the planner once.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from specloom.domain.documents.findings import Names
from specloom.domain.documents.lines import Kind, scan, sections
from specloom.domain.graph import build_graph
from specloom.domain.graph_specs import natural_key
from specloom.domain.ids import RequirementId, SpecId
from specloom.domain.problem import Problem, Severity
from specloom.domain.requirement import Requirement, RequirementsDocument
from specloom.domain.spec import SpecDefinition, SpecStatus, TaskDefinition
from specloom.planning.check_verify import check_verify
from specloom.planning.merging import kept_with_parents
from specloom.planning.outline import Outline, PlannedSpec, covered, nearest

SECTIONS = ("Purpose", "Interfaces", "Use cases", "Dependencies")
_ID = re.compile(r"[0-9]{2}")
_SLUG = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_SLUG_LENGTH = 48
_CODE_SPAN = re.compile(r"`([^`\s]+)`")
_EXISTING = re.compile(r"existing (?:\w+ ){0,2}`([^`\s]+)`", re.IGNORECASE)
_PATH = re.compile(r"(?:[\w.-]+/)+[\w.-]+\.[A-Za-z][A-Za-z0-9]{0,5}")

_BETWEEN_SPECS = frozenset({"unknown-spec", "spec-depends-on-higher", "duplicate-spec"})


@dataclass(frozen=True, slots=True)
class Given:
    """What an outline has to fit to."""

    document: RequirementsDocument
    specs: tuple[SpecDefinition, ...] = ()
    """Those that exist."""


def slug_of(path: str) -> str:
    """The slug in the path of a spec: `specs/01-ledger.md` has `ledger`."""
    return PurePosixPath(path).stem.partition("-")[2]


def check_outline(outline: Outline, given: Given) -> tuple[Problem, ...]:
    """Everything that keeps the outline from being a plan for the whole document."""
    return tuple(
        problem
        for check in (_check_each, _check_order, _check_existing, _check_coverage)
        for problem in check(outline, given)
    )


def _check_each(outline: Outline, given: Given) -> Iterator[Problem]:
    path = given.document.path
    if not outline.specs:
        yield Problem("outline-empty", "The outline has no spec; name at least one", path)
    known = [item.id for item in given.document.requirements]
    for spec in outline.specs:
        if not _ID.fullmatch(spec.id):
            yield _about(spec, path, "outline-id", f'its id is {spec.id!r}; write two digits such as "01"')
        if not _SLUG.fullmatch(spec.slug) or spec.slug != spec.slug.lower() or len(spec.slug) > _SLUG_LENGTH:
            what = f"its slug is {spec.slug!r}; write lower-case words joined by hyphens, {_SLUG_LENGTH} at most"
            yield _about(spec, path, "outline-slug", what)
        if not spec.title or not spec.summary:
            yield _about(spec, path, "outline-text", "its title or summary is empty; say what the spec is for")
        if not spec.requirements and spec.id not in {item.id for item in given.specs}:
            what = "it serves no requirement; give it those that become testable in it, or plan no such spec"
            yield _about(spec, path, "outline-unserving", what, severity=Severity.WARNING)
        for name in spec.requirements:
            if name not in known:
                what = f"there is no requirement {name}; {nearest(name, known)}"
                yield _about(spec, path, "unknown-requirement", what, suggestions=Names(known).near(name))


def _check_order(outline: Outline, given: Given) -> Iterator[Problem]:
    path = given.document.path
    earlier: dict[SpecId, PlannedSpec] = {}
    for spec in outline.specs:
        if spec.id in earlier:
            yield _about(spec, path, "duplicate-spec", "its id is used twice; give each spec an id of its own")
        elif earlier and natural_key(spec.id) < max(natural_key(name) for name in earlier):
            yield _about(spec, path, "outline-order", "it comes after a higher id; list the specs by ascending id")
        if any(spec.slug == other.slug for other in earlier.values()):
            yield _about(spec, path, "duplicate-slug", f"its slug {spec.slug!r} is used twice; choose another")
        for name in spec.depends_on:
            if name not in {other.id for other in outline.specs}:
                what = f"it depends on {name}, which is not in the outline; {nearest(name, earlier)}"
                yield _about(spec, path, "unknown-spec", what)
            elif natural_key(name) >= natural_key(spec.id):
                what = f"it depends on {name}; a spec may depend on lower numbers only, so that foundations come first"
                yield _about(spec, path, "spec-depends-on-higher", what)
        earlier[spec.id] = spec


def _check_existing(outline: Outline, given: Given) -> Iterator[Problem]:
    planned = {spec.id: spec for spec in outline.specs}
    for known in given.specs:
        spec = planned.get(known.id)
        slug = slug_of(known.path)
        if spec is None:
            message = f"Spec {known.id} exists ({known.path}) and is missing; list it with its id and its slug {slug!r}"
            yield Problem("spec-dropped", message, known.path)
        elif slug and spec.slug != slug:
            what = f"it exists as {known.path}; keep its slug {slug!r}, a new spec takes a number that is free"
            yield _about(spec, given.document.path, "spec-renamed", what)


def _check_coverage(outline: Outline, given: Given) -> Iterator[Problem]:
    path = given.document.path
    known = {item.id: item for item in given.document.requirements}
    served = {name for spec in outline.specs for name in spec.requirements}
    meant = {near for name in served - known.keys() for near in Names(known).near(name)[:1]}
    left_out = dict(outline.out_of_scope)
    for name, reason in left_out.items():
        if name not in known:
            message = f"Out of scope: there is no requirement {name}; {nearest(name, known)}"
            yield Problem("unknown-requirement", message, path, suggestions=Names(known).near(name))
        elif not reason:
            message = f"Out of scope: {name} has no reason; say why no spec serves it"
            yield Problem("no-reason", message, path, known[name].span)
        if name in served:
            message = f"{name} is served by a spec and named as out of scope; decide for one"
            yield Problem("contradiction", message, path)
    for name, item in known.items():
        # One slip is one fault: where an unknown id reads "did you mean", that requirement is as good as named.
        if name not in served and name not in left_out and name not in meant:
            message = (
                f"Requirement {name} is not covered: no spec serves it; give it to a spec, or name it as out of scope"
            )
            yield Problem("requirement-not-covered", message, path, item.span)


def _about(
    spec: PlannedSpec,
    path: str,
    code: str,
    what: str,
    *,
    suggestions: tuple[str, ...] = (),
    severity: Severity = Severity.ERROR,
) -> Problem:
    return Problem(code, f"Spec {spec.id} {spec.title!r}: {what}", path, severity=severity, suggestions=suggestions)


def check_body(body: str, path: str, files: Collection[str] | None) -> tuple[Problem, ...]:
    """Whether the four sections are there, in order and not empty; files called existing that are not in `files`.

    `files=None`: not all files are known, so none is missed.
    """
    document = scan(body)
    problems: list[Problem] = []
    if document.unclosed is not None:
        message = "Nothing closes the code fence or comment that starts here; close it"
        problems.append(Problem("unclosed-block", message, path, document.unclosed.span()))
    found = [item for item in sections(document) if item.heading.level <= 2]
    order = [item.heading.title.casefold() for item in found]
    places = [order.index(title.casefold()) for title in SECTIONS if title.casefold() in order]
    for title in SECTIONS:
        if title.casefold() not in order:
            problems.append(Problem("missing-section", f"The section `## {title}` is missing; write it", path))
            continue
        item = found[order.index(title.casefold())]
        if not any(line.body.strip() for line in document.lines[item.start + 1 : item.end]):
            message = f"The section `## {title}` is empty; say what belongs there, or why there is nothing"
            problems.append(Problem("empty-section", message, path, document.lines[item.start].span()))
    for title in SECTIONS:
        if order.count(title.casefold()) > 1:
            message = f"The section `## {title}` stands there more than once; write each section once"
            problems.append(Problem("section-repeated", message, path))
    if places != sorted(places):
        message = f"The sections stand in another order; write them as {', '.join(SECTIONS)}"
        problems.append(Problem("section-order", message, path))
    if "tasks" in order:
        message = "There is a section `## Tasks`; leave it out, the tasks are asked for later"
        problems.append(Problem("early-tasks", message, path, document.lines[found[order.index("tasks")].start].span()))
    return (*problems, *(() if files is None else _missing_files(body, path, files)))


def _missing_files(body: str, path: str, files: Collection[str]) -> Iterator[Problem]:
    for line in scan(body).lines:
        if line.kind is not Kind.TEXT:
            continue
        for match in _EXISTING.finditer(line.text):
            name = match[1].removeprefix("./")
            if _PATH.fullmatch(name) and name not in files:
                message = f"{name} is called existing and is not in the project; if it is still to be made, say so"
                span = line.span(match.start(1), match.end(1))
                yield Problem("missing-file", message, path, span, Severity.WARNING)


def names_in(text: str) -> frozenset[str]:
    """All that stands between backticks in a text: files that a lower spec will have made by then."""
    return frozenset(match[1] for match in _CODE_SPAN.finditer(text))


def paths_in(text: str) -> tuple[str, ...]:
    """What stands between backticks and has the form of a file's path, each once, in order."""
    return tuple(dict.fromkeys(match[1] for match in _CODE_SPAN.finditer(text) if _PATH.fullmatch(match[1])))


@dataclass(frozen=True, slots=True)
class TasksGiven:
    """What a task list has to fit to."""

    requirements: tuple[Requirement, ...]
    """All that are known."""
    others: tuple[SpecDefinition, ...] = ()
    """The other specs."""
    kept: tuple[TaskDefinition, ...] = ()
    """Tasks of this spec that are done or in progress: they stay under their numbers."""
    first_line: int = 0
    """Where the list begins; what is wrong above it is not the list's fault."""


def check_tasks(spec: SpecDefinition, given: TasksGiven) -> tuple[Problem, ...]:
    """Everything that is wrong with the task list of `spec`, which was parsed from the text it would have."""
    leaves = [task for task in spec.tasks if task.is_leaf]
    own = [problem for problem in spec.problems if problem.span.start_line >= given.first_line]
    if not leaves:
        message = "There is no task in it; write lines such as `- [ ] 1 Create the module`"
        return (*own, Problem("no-tasks", message, spec.path))
    return (
        *own,
        *_check_graph(spec, given.others),
        *_check_kept(spec, given.kept),
        *_check_requirements(spec, given.requirements),
        *_check_ticks(spec, given.kept),
        *check_verify(spec, leaves, {task.id for task in given.kept}),
    )


def _check_graph(spec: SpecDefinition, others: Iterable[SpecDefinition]) -> Iterator[Problem]:
    """What the graph says of this list, as if all specs were written; how specs depend on each other is settled."""
    whole = [replace(item, status=SpecStatus.READY) for item in (*others, spec)]
    _, problems = build_graph({item.id: item for item in whole}.values())
    for problem in problems:
        if problem.path == spec.path and problem.code not in _BETWEEN_SPECS:
            yield problem


def _check_kept(spec: SpecDefinition, kept: Iterable[TaskDefinition]) -> Iterator[Problem]:
    by_hash = {task.hash: task for task in spec.tasks}
    for task in kept:
        now = by_hash.get(task.hash)
        if now is not None and now.number != task.number:
            message = f"Task {task.number} is done or in progress and stands here as {now.number}; keep its number"
            yield Problem("task-renumbered", message, spec.path, now.span)


def _check_requirements(spec: SpecDefinition, requirements: Iterable[Requirement]) -> Iterator[Problem]:
    known = {item.id: item for item in requirements}
    served: set[RequirementId] = set()
    for task in spec.tasks:
        for name in task.requirements:
            meant = covered(name, known)
            if not task.optional:
                served.update(meant)
            if not known.keys() & set(meant):
                span = next((item.span for item in task.mentions if item.target == name), task.span)
                message = f"Task {task.number} names requirement {name}, which does not exist; {nearest(name, known)}"
                near = Names(known).near(name)
                yield Problem("unknown-requirement", message, spec.path, span, suggestions=near)
    for ref in spec.requirements:
        if ref.id in known and ref.id not in served:
            message = (
                f"Requirement {ref.id} of this spec is not covered: "
                "no task that always runs names it in its _Requirements:_ line"
            )
            yield Problem("requirement-not-covered", message, spec.path)


def _check_ticks(spec: SpecDefinition, kept: Iterable[TaskDefinition]) -> Iterator[Problem]:
    """A box that the planner ticks would read as work that was found done, without any proof."""
    begun = {task.id for task in kept_with_parents(spec.tasks, [task.id for task in kept])}
    for task in spec.tasks:
        if task.ticked and task.id not in begun:
            message = f"Task {task.number} is ticked and not done; write `- [ ]`, only its proof ticks it"
            yield Problem("task-ticked", message, spec.path, task.span)


def errors_in(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those that keep an answer from being taken."""
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)
