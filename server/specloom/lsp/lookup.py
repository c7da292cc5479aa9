"""What stands at a place of a document, and where a name leads. Refuses protocol types."""

from dataclasses import dataclass
from typing import TypeAlias

from specloom.domain.documents.layouts import concerns
from specloom.domain.ids import SpecId, TaskId, spec_of
from specloom.domain.problem import Span
from specloom.domain.project import ProjectState
from specloom.domain.requirement import Requirement
from specloom.domain.spec import SpecDefinition, TaskDefinition
from specloom.engine.api import Runtime


@dataclass(frozen=True, slots=True)
class Target:
    """Where a name leads."""

    path: str
    span: Span


Found: TypeAlias = TaskDefinition | Requirement


def mention_at(runtime: Runtime, path: str, line: int, column: int) -> Target | None:
    """Where the name under the cursor leads: a task's or a spec's mention of a requirement, a task or a spec."""
    spec = runtime.spec_at(path)
    if spec is None:
        return None
    holders = (spec, *spec.tasks)
    for mention in (mention for holder in holders for mention in holder.mentions):
        if mention.line == line and mention.column <= column <= mention.column + len(mention.text):
            return target_of(runtime.state, mention.target, spec)
    return None


def target_of(state: ProjectState, name: str, spec: SpecDefinition) -> Target | None:
    """The place of a task, a requirement or a spec that `spec` names; a requirement of its own document first."""
    task = state.graph.tasks.get(TaskId(name))
    if task is not None:
        return _task_target(state, task)
    requirement = _requirement_target(state, name, spec)
    if requirement is not None:
        return requirement
    named = state.plan.specs.get(SpecId(name))
    return None if named is None else Target(named.path, Span(0, 0, 0, 0))


def _requirement_target(state: ProjectState, name: str, spec: SpecDefinition) -> Target | None:
    """In the document that the spec's names are about; of an id that only groups others, the first of these."""
    mine = sorted(item for item in state.requirements.items() if concerns(item[0], spec))
    near = [(path, item) for path, items in mine for item in items if f"{item.id}.".startswith(f"{name}.")]
    found = next((pair for pair in near if pair[1].id == name), near[0] if near else None)
    return None if found is None else Target(found[0], found[1].span)


def found_at(runtime: Runtime, path: str, line: int) -> Found | None:
    """The task or the requirement that a line belongs to."""
    spec = runtime.spec_at(path)
    if spec is not None:
        return next((task for task in reversed(spec.tasks) if _covers(task.span, task.line, line)), None)
    document = runtime.requirements_at(path)
    if document is None:
        return None
    return next((item for item in document.requirements if _covers(item.span, item.span.start_line, line)), None)


def _covers(span: Span, first: int, line: int) -> bool:
    return line == first or span.start_line <= line <= span.end_line


def _task_target(state: ProjectState, task: TaskDefinition) -> Target | None:
    spec = state.plan.specs.get(spec_of(task.id))
    return None if spec is None else Target(spec.path, task.span)
