"""Problems that follow from what happened: failed and blocked tasks, refused edits, stale proofs, torn specs.

Refuses to repeat what the documents' own parsers say; those problems are added beside these.
"""

from collections.abc import Container, Iterator
from dataclasses import replace

from specloom.domain.citations import renumbered
from specloom.domain.evidence import is_by_hand, is_verifiable
from specloom.domain.ids import TaskId, spec_of
from specloom.domain.problem import Problem, Severity
from specloom.domain.project import ProjectState, TaskRecord
from specloom.domain.spec import SpecDefinition, SpecStatus, TaskDefinition
from specloom.domain.states import TaskState
from specloom.engine.shelf import Shelf

AGAIN = "run it again, which verifies it once more"
BY_HAND = "check it, then untick and tick its box if it still holds"
UNTICKED = "was done by a tick that does not stand here; tick it if it is done here, too, or reset it"


def task_problems(state: ProjectState, shelf: Shelf, ticking: Container[TaskId] = ()) -> Iterator[Problem]:
    """One or more problems for each task that is not well, on its line as the file now has it.

    `ticking`: tasks whose box is just being written.
    """
    for spec in shelf.specs.values():
        for task in spec.tasks:
            if task.id in state.graph.tasks and spec_of(task.id) == spec.id:
                record = state.record(task.id)
                yield from _of_task(spec.path, task, record)
                yield from _of_numbers(state, spec, task, record)
                if task.id not in ticking:
                    yield from _of_box(spec.path, task, record)


def _of_task(path: str, task: TaskDefinition, record: TaskRecord) -> Iterator[Problem]:
    if record.state is TaskState.FAILED:
        # What a failed command printed begins with the reason already.
        said = "" if record.feedback.startswith(record.reason) else f"{record.reason}\n"
        told = f"{said}{record.feedback}".rstrip()
        yield Problem("task-failed", f"Task {task.id} failed: {told}", path, task.span)
    elif record.feedback and record.state is not TaskState.DONE:
        message = f"The last attempt at {task.id} was not proven:\n{record.feedback}"
        yield Problem("verification-failed", message, path, task.span, Severity.WARNING)
    if record.state is TaskState.BLOCKED:
        message = f"Task {task.id} is blocked: {record.reason}"
        yield Problem("task-blocked", message, path, task.span, Severity.WARNING)
    if record.outdated:
        names = ", ".join(record.outdated)
        message = f"Task {task.id} was done before {names} {'was' if len(record.outdated) == 1 else 'were'} changed"
        advice = f"{AGAIN if is_verifiable(record.evidence) else BY_HAND}, or reset the task"
        yield Problem("proof-outdated", f"{message}; {advice}", path, task.span, Severity.WARNING)
    if record.stale:
        message = f"The proof of {task.id} is stale: {', '.join(record.stale)} changed since; verify it again"
        told = f"Task {task.id} {UNTICKED}" if is_by_hand(record.evidence) else message
        yield Problem("proof-stale", told, path, task.span, Severity.WARNING)
    for refused in record.refused:
        yield Problem(
            "edit-refused", f"An edit of {task.id} was not applied: {refused}", path, task.span, Severity.WARNING
        )


def _of_numbers(
    state: ProjectState, spec: SpecDefinition, task: TaskDefinition, record: TaskRecord
) -> Iterator[Problem]:
    for name, now in renumbered(state, record, spec):
        if name in task.requirements and now not in task.requirements:
            message = f"Task {task.id} was done for requirement {name}, which is {now} now; name it so"
            named = next((mention.span for mention in task.mentions if mention.text == name), None)
            found = Problem("requirement-renumbered", message, spec.path, named or task.span, Severity.WARNING)
            yield found if named is None else replace(found, suggestions=(now,))


def _of_box(path: str, task: TaskDefinition, record: TaskRecord) -> Iterator[Problem]:
    told = bool(record.stale) and is_by_hand(record.evidence)
    if task.is_leaf and task.ticked is not (record.state is TaskState.DONE) and record.attempt is None and not told:
        yield Problem("box-differs", _box_differs(task, record), path, task.span, Severity.WARNING)


def _box_differs(task: TaskDefinition, record: TaskRecord) -> str:
    if task.ticked:
        told = (
            f"The box of {task.id} was ticked while an agent worked, or came with a checkout, which proves nothing: "
            f"it is {record.state}"
        )
        return f"{told}; untick it, or untick and tick it again by hand"
    return f"The box of {task.id} is empty, but the task is done; the next run ticks it, `reset` makes it pending"


def torn_specs(shelf: Shelf, writing: frozenset[str]) -> Iterator[Problem]:
    """Specs that carry `status: generating` although nobody writes them."""
    for path, spec in shelf.specs.items():
        if spec.status is SpecStatus.GENERATING and path not in writing:
            message = f"The text of spec {spec.id} was not finished; continue or discard it"
            yield Problem("spec-unfinished", message, path)


def planning_problems(state: ProjectState) -> tuple[Problem, ...]:
    """What the newest plan could not repair by itself."""
    plan = state.planning
    return plan.problems if plan is not None and plan.state == "failed" else ()
