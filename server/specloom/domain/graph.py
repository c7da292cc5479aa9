"""The task graph over all specs: what must be done before what. Refuses to know what is done: that is `Readiness`.

Rules (design, files a user sees): a leaf that states nothing depends on the last non-optional leaf before it in its
spec; a parent's name stands for its non-optional leaves; a spec's `depends_on` adds all non-optional leaves of those
specs to each of its leaves. What a parent states holds for the first of its leaves that states nothing itself. A leaf
below an optional task is optional, except for the leaves beside it below the same one (`domain/optional`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from specloom.domain.documents.findings import Names, or_suggestion, place_of
from specloom.domain.graph_cycles import cycles
from specloom.domain.graph_edges import LeafEdges, Node, junction, reversed_edges
from specloom.domain.graph_specs import foundations_first, gates, is_lower, natural_key
from specloom.domain.ids import SpecId, TaskId, spec_of
from specloom.domain.optional import Contexts, LeavesBefore, required_below
from specloom.domain.problem import Problem, Severity, Span
from specloom.domain.spec import SpecDefinition, SpecStatus, TaskDefinition


@dataclass(frozen=True)
class TaskGraph:
    """Tasks, parents included, and the dependencies between leaves."""

    tasks: Mapping[TaskId, TaskDefinition]
    order: tuple[TaskId, ...]
    """The leaves in work order, optional ones included: foundations first, then as they stand in their document."""
    waits: Mapping[Node, tuple[Node, ...]]
    """Leaf or junction to those it waits for; a missing or refused dependency is left out, see `faulty`."""
    faulty: frozenset[TaskId] = frozenset()
    """Leaves in a cycle or with a missing or refused dependency: never ready."""
    _children: Mapping[TaskId, tuple[TaskId, ...]] = field(default_factory=dict[TaskId, tuple[TaskId, ...]])

    @cached_property
    def followers(self) -> Mapping[Node, tuple[Node, ...]]:
        """Leaf or junction to those that wait for it."""
        return reversed_edges(self.waits)

    @cached_property
    def positions(self) -> Mapping[TaskId, int]:
        """Leaf to its place in `order`."""
        return {task: position for position, task in enumerate(self.order)}

    @property
    def depends(self) -> Mapping[TaskId, tuple[TaskId, ...]]:
        """Leaf to the leaves it waits for, in work order; each is worked out when it is asked for."""
        return LeafEdges(self.positions, self.waits)

    @property
    def dependents(self) -> Mapping[TaskId, tuple[TaskId, ...]]:
        """Leaf to the leaves that wait for it, in work order; each is worked out when it is asked for."""
        return LeafEdges(self.positions, self.followers)

    def children(self, parent: TaskId) -> tuple[TaskId, ...]:
        """The tasks directly below a parent, in document order; none for a leaf or an unknown task."""
        return self._children.get(parent, ())

    def position(self, task: TaskId) -> int:
        """Place of a leaf in `order`. Raises `KeyError` for a parent or an unknown task."""
        return self.positions[task]

    def required(self, parent: TaskId) -> tuple[TaskId, ...]:
        """The leaves that make a parent done, in document order: without those below a further optional mark."""
        return required_below(parent, self._children, self.tasks)


def build_graph(specs: Iterable[SpecDefinition]) -> tuple[TaskGraph, tuple[Problem, ...]]:
    """The graph over all specs that are not being generated, and what is wrong between them."""
    return _Builder(specs).build()


class _Builder:
    """Builds one graph: specs, then own dependencies of each leaf, then those between specs, then cycles."""

    def __init__(self, specs: Iterable[SpecDefinition]) -> None:
        self.problems: list[Problem] = []
        self.generating: set[SpecId] = set()
        self.specs = {spec.id: spec for spec in self._usable(specs)}
        self.tasks = {task.id: task for spec in self.specs.values() for task in spec.tasks}
        self.contexts = Contexts(self.tasks.values())
        self.spec_names = Names(self.specs)
        self.task_names = Names(self.tasks)
        self.children = self._collect_children()
        self.leaves: dict[Node, tuple[Node, ...]] = {}
        """Leaf to what it waits for."""
        self.junctions: dict[Node, tuple[Node, ...]] = {}
        self.faulty: set[TaskId] = set()
        self.reported: set[tuple[str, TaskId, TaskId]] = set()

    def build(self) -> tuple[TaskGraph, tuple[Problem, ...]]:
        leaves = {spec.id: tuple(task.id for task in spec.tasks if task.is_leaf) for spec in self.specs.values()}
        waits = {spec.id: self._accepted_specs(spec) for spec in self.specs.values()}
        for spec in self.specs.values():
            self._own_dependencies(spec)
        for spec, accepted in waits.items():
            if accepted is None:
                self.faulty.update(leaves[spec])
        order = tuple(task for spec in foundations_first(waits) for task in leaves[spec])
        self._join(leaves, waits)
        edges = {**self.leaves, **self.junctions}
        self._find_cycles(edges)
        graph = TaskGraph(self.tasks, order, edges, frozenset(self.faulty), self.children)
        return graph, tuple(self.problems)

    def _usable(self, specs: Iterable[SpecDefinition]) -> Iterator[SpecDefinition]:
        paths: dict[SpecId, str] = {}
        for spec in sorted(specs, key=lambda spec: (natural_key(spec.id), spec.path)):
            if spec.status is SpecStatus.GENERATING:
                self.generating.add(spec.id)
            elif spec.id in paths:
                message = f"Spec id {spec.id} is taken by {paths[spec.id]}, so this file is passed over; change its id"
                self._report("duplicate-spec", message, spec.path)
            else:
                paths[spec.id] = spec.path
                yield spec

    def _report(
        self, code: str, message: str, path: str, span: Span | None = None, suggestions: tuple[str, ...] = ()
    ) -> None:
        place = span or Span(0, 0, 0, 0)
        self.problems.append(Problem(code, message, path, place, Severity.ERROR, suggestions))

    def _collect_children(self) -> dict[TaskId, tuple[TaskId, ...]]:
        children: dict[TaskId, list[TaskId]] = {}
        for task in self.tasks.values():
            if task.parent is not None:
                children.setdefault(task.parent, []).append(task.id)
        return {parent: tuple(below) for parent, below in children.items()}

    def _accepted_specs(self, spec: SpecDefinition) -> tuple[SpecId, ...] | None:
        """The specs that `spec` waits for, `None` if one of them is missing or refused."""
        accepted: list[SpecId] = []
        for name in spec.depends_on:
            if name not in self.specs:
                self._unknown_spec(spec, name)
            elif not is_lower(self.specs[name], spec):
                self._not_lower(spec, name)
            elif name not in accepted:
                accepted.append(name)
        refused = any(name not in accepted for name in spec.depends_on)
        return None if refused else tuple(accepted)

    def _unknown_spec(self, spec: SpecDefinition, name: SpecId) -> None:
        if name in self.generating:
            message = f"Spec {spec.id} waits for spec {name}, which is still being generated; continue or discard it"
            problem = Problem("spec-generating", message, spec.path, place_of(spec, name), Severity.INFORMATION)
            self.problems.append(problem)
            return
        same = tuple(known for known in self.specs if natural_key(known) == natural_key(name))
        suggestions = same or self.spec_names.near(name)
        hint = or_suggestion(suggestions, "name a spec that exists or remove it from depends_on")
        message = f"Spec {spec.id} depends on spec {name}, which does not exist; {hint}"
        self._report("unknown-spec", message, spec.path, place_of(spec, name), suggestions)

    def _not_lower(self, spec: SpecDefinition, name: SpecId) -> None:
        message = (
            f"Spec {spec.id} depends on spec {name}, but a spec may depend on lower numbers only; "
            f"renumber one of them or remove the dependency"
        )
        self._report("spec-depends-on-higher", message, spec.path, place_of(spec, name))

    def _own_dependencies(self, spec: SpecDefinition) -> None:
        """What the leaves of one spec wait for by their own words or by the leaf before them."""
        order = LeavesBefore(self.contexts)
        for task in spec.tasks:
            if not task.is_leaf:
                continue
            before = order.before(task.id)
            states = task.depends is not None or task.after
            holder = task if states else self._stating_parent(task, before)
            if holder is not None:
                self.leaves[task.id] = self._resolve(spec, task, holder)
            else:
                self.leaves[task.id] = (before,) if before is not None else ()
            order.take(task.id)

    def _stating_parent(self, task: TaskDefinition, before: TaskId | None) -> TaskDefinition | None:
        """The nearest parent that states dependencies, if the leaf before is not below that parent too."""
        above_before = set(self._above(before)) if before is not None else set[TaskId]()
        for name in self._above(task.id):
            if name in above_before:
                return None
            if self.tasks[name].depends is not None:
                return self.tasks[name]
        return None

    def _above(self, task: TaskId) -> Iterator[TaskId]:
        """The parents of a task, the nearest first."""
        parent = self.tasks[task].parent
        while parent is not None and parent in self.tasks:
            yield parent
            parent = self.tasks[parent].parent

    def _resolve(self, spec: SpecDefinition, task: TaskDefinition, holder: TaskDefinition) -> tuple[Node, ...]:
        found: dict[Node, None] = {}
        for name in holder.depends or ():
            known = self.tasks.get(name)
            if known is None:
                self.faulty.add(task.id)
                self._unknown_task(spec, holder, name)
            elif name == holder.id or self._is_required_by(task.id, name):
                self.faulty.add(task.id)
                self._depends_on_itself(spec, holder, name)
            else:
                if known.optional and not task.optional:
                    self._depends_on_optional(spec, holder, name)
                found.update(dict.fromkeys((name,) if known.is_leaf else self._all_below(name)))
        for place in holder.after:
            found.update(dict.fromkeys(self._group(spec, place)))
        return tuple(found)

    def _is_required_by(self, leaf: TaskId, name: TaskId) -> bool:
        """Whether `name` is the leaf itself, or a parent that is done only when the leaf is."""
        same = self.contexts.of(leaf) == self.contexts.of(name)
        return leaf == name or (same and name in self._above(leaf))

    def _group(self, spec: SpecDefinition, place: int) -> tuple[Node, ...]:
        name = junction(spec.id, f"group {place}")
        if name in self.junctions:
            return (name,)
        return self._through(name, tuple(member for member in spec.groups[place] if member in self.tasks))

    def _all_below(self, parent: TaskId) -> tuple[Node, ...]:
        name = junction(spec_of(parent), f"below {parent}")
        if name in self.junctions:
            return (name,)
        return self._through(name, required_below(parent, self.children, self.tasks))

    def _through(self, name: Node, members: tuple[Node, ...]) -> tuple[Node, ...]:
        """What stands for all of `members`: a junction, unless there are less than two."""
        if len(members) < 2:
            return members
        self.junctions[name] = members
        return (name,)

    def _unknown_task(self, spec: SpecDefinition, holder: TaskDefinition, name: TaskId) -> None:
        near = self.task_names.near(name)
        suggestions = tuple(known.removeprefix(f"{spec.id}/") for known in near)
        if spec_of(name) in self.generating:
            hint = f"spec {spec_of(name)} is still being generated"
        else:
            hint = or_suggestion(suggestions, "name a task that exists or write _Depends: none_")
        message = f"Task {holder.id} depends on {name}, which does not exist; {hint}"
        self._report_once("unknown-task", message, spec, holder, name, suggestions=suggestions)

    def _depends_on_itself(self, spec: SpecDefinition, holder: TaskDefinition, name: TaskId) -> None:
        message = f"Task {holder.id} depends on itself through {name}; remove {name} from its dependencies"
        self._report_once("self-dependency", message, spec, holder, name)

    def _depends_on_optional(self, spec: SpecDefinition, holder: TaskDefinition, name: TaskId) -> None:
        message = f"Task {holder.id} waits for {name}, which is optional and runs only when named; run or skip it first"
        self._report_once("depends-on-optional", message, spec, holder, name, severity=Severity.WARNING)

    def _report_once(
        self,
        code: str,
        message: str,
        spec: SpecDefinition,
        holder: TaskDefinition,
        name: TaskId,
        *,
        suggestions: tuple[str, ...] = (),
        severity: Severity = Severity.ERROR,
    ) -> None:
        """A dependency that a parent states is resolved for several leaves, but wrong only once."""
        if (code, holder.id, name) not in self.reported:
            self.reported.add((code, holder.id, name))
            self.problems.append(Problem(code, message, spec.path, place_of(holder, name), severity, suggestions))

    def _join(
        self, leaves: Mapping[SpecId, tuple[TaskId, ...]], waits: Mapping[SpecId, tuple[SpecId, ...] | None]
    ) -> None:
        """Adds what each leaf waits for because its spec waits for others."""
        required = {spec: tuple(task for task in tasks if self._always_runs(task)) for spec, tasks in leaves.items()}
        waits_for = gates(waits, {spec for spec, tasks in required.items() if tasks})
        for spec, names in waits_for.items():
            whole = tuple(node for name in names for node in self._through(junction(name, "all"), required[name]))
            for node in self._through(junction(spec, "before"), whole):
                for task in leaves[spec]:
                    self.leaves[task] = (*self.leaves[task], node)

    def _always_runs(self, task: TaskId) -> bool:
        return self.contexts.of(task) is None

    def _find_cycles(self, edges: Mapping[Node, tuple[Node, ...]]) -> None:
        for members, path in cycles(edges):
            self.faulty.update(self.leaves.keys() & members)
            tasks = tuple(node for node in path if node in self.leaves)
            first = self.tasks[tasks[0]]
            spec = self.specs[spec_of(first.id)]
            ring = " → ".join((*tasks, tasks[0]))
            message = f"These tasks wait for each other: {ring}; remove one of these dependencies"
            self._report("task-cycle", message, spec.path, first.span)
