"""What people are shown of a task: its state as they see it, in words. Refuses protocol types and colours."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice

from specloom.domain.evidence import EvidenceKind, is_proven
from specloom.domain.graph_edges import leaves_behind
from specloom.domain.ids import RequirementId, SpecId, TaskId
from specloom.domain.project import ProjectState
from specloom.domain.scope import leaves_below
from specloom.domain.spec import SpecDefinition
from specloom.domain.states import SATISFIED, TaskState
from specloom.domain.usage import UsageTotal

_FIRST_SEEN = (TaskState.IN_PROGRESS, TaskState.FAILED, TaskState.BLOCKED, TaskState.READY)
"""A parent shows the first of these that one of its leaves is in."""

SEEN = 100
"""Of the tasks that one waits for: whoever waits for a wide phase is not helped by all of their names."""

_VOUCHED = {
    EvidenceKind.COMMAND: "proven",
    EvidenceKind.REVIEWER: "done, reviewed",
    EvidenceKind.USER: "done, ticked by hand",
    EvidenceKind.IMPORTED: "done before",
}


def state_of(state: ProjectState, task: TaskId) -> TaskState:
    """The state of a task; a parent's follows from its non-optional leaves."""
    definition = state.graph.tasks.get(task)
    if definition is None or definition.is_leaf:
        return state.state_of(task)
    leaves = [state.state_of(leaf) for leaf in leaves_below(state.graph, task)]
    if leaves and all(leaf in SATISFIED for leaf in leaves):
        return TaskState.DONE
    return next((found for found in _FIRST_SEEN if found in leaves), TaskState.PENDING)


def label_of(state: ProjectState, task: TaskId) -> str:
    """The state in a few words, for lenses and hints."""
    now = state_of(state, task)
    definition = state.graph.tasks.get(task)
    if definition is not None and not definition.is_leaf:
        leaves = leaves_below(state.graph, task)
        return f"{_satisfied(state, leaves)} of {len(leaves)} done"
    record = state.record(task)
    if now is TaskState.DONE:
        doubts = (", stale" if record.stale else "") + (", outdated" if record.outdated else "")
        return (_VOUCHED[record.evidence[0].kind] if record.evidence else "done") + doubts
    if now is TaskState.IN_PROGRESS:
        return f"in progress, attempt {record.attempts}"
    if now is TaskState.PENDING and task in state.graph.faulty:
        return "pending, its dependencies are faulty"
    if now is TaskState.PENDING and (waits := waits_for(state, task)):
        return f"waits for {_few(waits)}"
    if now is TaskState.BLOCKED and record.cause is not None:
        return f"blocked by {record.cause}"
    return now.value.replace("_", " ")


def waits_for(state: ProjectState, task: TaskId) -> tuple[TaskId, ...]:
    """The leaves that must be done before it and are not, in work order; at most the first ones that are found."""
    graph = state.graph
    found = leaves_behind(graph.waits, graph.positions, (task,), lambda _: False)
    waits = islice((before for before in found if state.record(before).state not in SATISFIED), SEEN)
    return tuple(sorted(waits, key=graph.positions.__getitem__))


def counts_of(state: ProjectState, tasks: Iterable[TaskId]) -> Counter[TaskState]:
    """How many leaves are in which state; ready and running ones count as pending."""
    open_states = {TaskState.READY, TaskState.IN_PROGRESS, TaskState.PENDING}
    found = (state.record(task).state for task in tasks)
    return Counter(TaskState.PENDING if now in open_states else now for now in found)


def leaves_of(state: ProjectState, spec: SpecDefinition) -> tuple[TaskId, ...]:
    """The leaves of one spec that count: without optional ones."""
    return tuple(task.id for task in spec.tasks if task.is_leaf and not task.optional and task.id in state.graph.tasks)


def progress_of(state: ProjectState, spec: SpecDefinition) -> str:
    """How far a spec is, in a few words."""
    leaves = leaves_of(state, spec)
    return f"{_satisfied(state, leaves)} of {len(leaves)} tasks done" if leaves else "no tasks yet"


def served(state: ProjectState) -> dict[RequirementId, tuple[SpecDefinition, ...]]:
    """Which specs serve each requirement, in order of their ids."""
    found: dict[RequirementId, dict[SpecId, SpecDefinition]] = {}
    for spec in sorted(state.plan.specs.values(), key=lambda spec: spec.id):
        for name in (
            *(ref.id for ref in spec.requirements),
            *(name for task in spec.tasks for name in task.requirements),
        ):
            found.setdefault(name, {})[spec.id] = spec
    return {name: tuple(specs.values()) for name, specs in found.items()}


def cost_of(usage: UsageTotal) -> str:
    """Tokens and money in a few words."""
    money = "cost unknown" if usage.cost_usd is None else f"${usage.cost_usd:.4f}"
    return f"{usage.tokens:,} tokens, {money}"


def description_of(state: ProjectState, task: TaskId) -> str:
    """State, evidence, attempts, cost and dependencies as markdown."""
    definition = state.graph.tasks.get(task)
    title = definition.title if definition else ""
    record = state.record(task)
    lines = [f"**{task}** {title}", "", f"- state: {label_of(state, task)}"]
    if record.reason:
        lines.append(f"- reason: {record.reason}")
    if record.attempts:
        turns = "1 turn" if record.turns == 1 else f"{record.turns} turns"
        lines.append(f"- attempts: {record.attempts}, {turns}, {cost_of(record.usage)}")
    if depends := state.graph.depends.get(task, ()):
        lines.append("- depends on: " + ", ".join(f"{before} ({label_of(state, before)})" for before in depends[:12]))
    lines.extend(f"- verify: `{command}`" for command in record.verify or (definition.verify if definition else ()))
    lines.extend(_evidence_lines(state, task))
    return "\n".join(lines)


def _evidence_lines(state: ProjectState, task: TaskId) -> list[str]:
    record = state.record(task)
    kind = "proof" if is_proven(record.evidence) else "evidence"
    lines: list[str] = []
    for item in record.evidence:
        what = f"`{item.command}` exited with {item.exit_code}" if item.command else item.kind.value
        weak = ", but it passed before the attempt too" if item.discriminating is False else ""
        touched = f", and the attempt changed {_few(item.touched_tests)}" if item.touched_tests else ""
        lines.append(f"- {kind}: {what} at {item.at}{weak}{touched}")
    if record.stale:
        lines.append(f"- stale since {_few(record.stale)} changed")
    if record.outdated:
        lines.append(f"- outdated since {_few(record.outdated)} changed")
    return lines


def _satisfied(state: ProjectState, leaves: tuple[TaskId, ...]) -> int:
    return sum(state.record(leaf).state in SATISFIED for leaf in leaves)


def _few(names: tuple[str, ...]) -> str:
    left = len(names) - 3
    more = " and many more" if len(names) == SEEN else f" and {left} more" if left > 0 else ""
    return ", ".join(names[:3]) + more
