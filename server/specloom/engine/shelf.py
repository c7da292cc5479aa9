"""What stands in the documents of a project, parsed. Refuses IO, and to parse again what has not changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from specloom.domain.documents.layouts import SpecSource, parse_requirement_document, parse_source
from specloom.domain.ids import SpecId
from specloom.domain.problem import Problem
from specloom.domain.requirement import Requirement, RequirementsDocument
from specloom.domain.spec import Layout, SpecDefinition, TaskDefinition
from specloom.engine.unkeyed import document_without_keys, spec_without_keys, unchanged

Said: TypeAlias = tuple[Requirement, ...] | SpecDefinition
"""What one document says."""


@dataclass(frozen=True, slots=True)
class Found:
    """The files of one reading."""

    layout: Layout
    wanted: tuple[str, ...]
    """Paths of requirements documents."""
    sources: tuple[SpecSource, ...]
    texts: Mapping[str, str]
    """Of those that could be read."""
    faults: tuple[Problem, ...]
    redact: Callable[[str], str] = unchanged
    """Takes keys out of what the documents say."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Everything parsed at one moment."""

    layout: Layout
    requirements: Mapping[str, RequirementsDocument]
    specs: Mapping[str, SpecDefinition]
    """By path of the file that holds the tasks."""
    texts: Mapping[str, str]
    problems: tuple[Problem, ...]
    """Of files that could not be read, and of two specs with one id."""
    sources: Mapping[str, SpecSource]
    """Of `specs`, by the same path."""


EMPTY_SHELF = Shelf(Layout.SPECLOOM, {}, {}, {}, (), {})


def parse(found: Found, before: Shelf) -> Shelf:
    """The documents as they now stand; a document whose files are as `before` is the same object, and so is a shelf."""
    specs: dict[str, SpecDefinition] = {}
    sources: dict[str, SpecSource] = {}
    holders: dict[SpecId, str] = {}
    problems = list(found.faults)
    for source in found.sources:
        if source.path not in found.texts:
            continue
        spec = _spec(source, found, before)
        holder = holders.setdefault(spec.id, spec.path)
        if holder == spec.path:
            specs[spec.path], sources[spec.path] = spec, source
        else:
            message = f"Spec {spec.id!r} stands in {holder} too; give one of them another id"
            problems.append(Problem("duplicate-spec", message, spec.path))
    requirements = {path: _document(path, found, before) for path in found.wanted if path in found.texts}
    shelf = Shelf(found.layout, requirements, specs, found.texts, tuple(problems), sources)
    # Equal texts mean equal parses, positions included, which a comparison of definitions leaves out.
    return before if shelf == before else shelf


def _document(path: str, found: Found, before: Shelf) -> RequirementsDocument:
    known = before.requirements.get(path)
    if known is not None and before.layout is found.layout and before.texts.get(path) == found.texts[path]:
        return known
    return document_without_keys(parse_requirement_document(found.layout, path, found.texts[path]), found.redact)


def _spec(source: SpecSource, found: Found, before: Shelf) -> SpecDefinition:
    known = before.specs.get(source.path)
    same = all(before.texts.get(path) == found.texts.get(path) for path in source.paths)
    if known is not None and same and before.sources[source.path] == source:
        return known
    return spec_without_keys(parse_source(source, found.texts), found.redact)


def only_words_differ(old: Said, new: Said) -> bool:
    """Whether both say the same but for wording: the same boxes, tasks, dependencies and commands."""
    return old is not new and _shape(old) == _shape(new)


def _shape(said: Said) -> object:
    if isinstance(said, SpecDefinition):
        return said.id, said.path, said.status, said.depends_on, said.requirements, [_task(item) for item in said.tasks]
    return len(said)


def _task(task: TaskDefinition) -> object:
    graph = task.id, task.ticked, task.optional, task.parent, task.is_leaf
    return graph, task.depends, task.requirements, task.verify
