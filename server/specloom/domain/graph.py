"""The task graph over all specs: what must be done before what. Refuses to know what is done: that is `Readiness`.

Rules (design, files a user sees): a leaf that states nothing depends on the last non-optional leaf before it in its
spec; a parent's name stands for its non-optional leaves; a spec's `depends_on` adds all non-optional leaves of those
specs to each of its leaves. What a parent states holds for the first of its leaves that states nothing itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from specloom.domain.documents.findings import Names, or_suggestion, place_of
from specloom.domain.graph_cycles import cycles, has_cycle
from specloom.domain.graph_specs import foundations_first, gates, is_lower, natural_key
from specloom.domain.ids import SpecId, TaskId, spec_of, task_id
from specloom.domain.problem import Problem, Severity, Span
from specloom.domain.spec import SpecDefinition, SpecStatus, TaskDefinition

Edges = dict[TaskId, tuple[TaskId, ...]]


@dataclass(frozen=True)
class TaskGraph:
    """Tasks, parents included, and the dependencies between leaves."""

    tasks: Mapping[TaskId, TaskDefinition]
    order: tuple[TaskId, ...]
    """The leaves in work order, optional ones included: foundations first, then as they stand in their document."""
    depends: Mapping[TaskId, tuple[TaskId, ...]]
    """Leaf to the leaves it waits for, none twice; a missing or refused dependency is left out, see `faulty`."""
    dependents: Mapping[TaskId, tuple[TaskId, ...]]
    """Leaf to the leaves that wait for it."""
    faulty: frozenset[TaskId] = frozenset()
    """Leaves in a cycle or with a missing or refused dependency: never ready."""
    _children: Mapping[TaskId, tuple[TaskId, ...]] = field(default_factory=dict[TaskId, tuple[TaskId, ...]])
    _positions: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])

    def children(self, parent: TaskId) -> tuple[TaskId, ...]:
        """The tasks directly below a parent, in document order; none for a leaf or an unknown task."""
        return self._children.get(parent, ())

    def position(self, task: TaskId) -> int:
        """Place of a leaf in `order`. Raises `KeyError` for a parent or an unknown task."""
        return self._positions[task]


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
        self.spec_names = Names(self.specs)
        self.task_names = Names(self.tasks)
        self.children = self._collect_children()
        self.own: Edges = {}
        self.faulty: set[TaskId] = set()
        self.gates: Mapping[SpecId, tuple[SpecId, ...]] = {}
        self.leaves_of: dict[TaskId, tuple[TaskId, ...]] = {}
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
        depends, dependents = self._join(leaves, waits)
        self._find_cycles(depends, leaves)
        positions = {task: position for position, task in enumerate(order)}
        graph = TaskGraph(self.tasks, order, depends, dependents, frozenset(self.faulty), self.children, positions)
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

    def _collect_children(self) -> Edges:
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
        before: TaskDefinition | None = None
        for task in spec.tasks:
            if not task.is_leaf:
                continue
            holder = task if task.depends is not None else self._stating_parent(task, before)
            if holder is not None:
                self.own[task.id] = self._resolve(spec, task, holder)
            else:
                self.own[task.id] = (before.id,) if before is not None else ()
            if not task.optional:
                before = task

    def _stating_parent(self, task: TaskDefinition, before: TaskDefinition | None) -> TaskDefinition | None:
        """The nearest parent that states dependencies, if the leaf before is not below that parent too."""
        ancestor = task.parent
        while ancestor is not None and ancestor in self.tasks:
            parent = self.tasks[ancestor]
            if before is not None and self._is_below(before, ancestor):
                return None
            if parent.depends is not None:
                return parent
            ancestor = parent.parent
        return None

    def _is_below(self, task: TaskDefinition, ancestor: TaskId) -> bool:
        parent = task.parent
        while parent is not None and parent != ancestor:
            parent = self.tasks[parent].parent if parent in self.tasks else None
        return parent == ancestor

    def _resolve(self, spec: SpecDefinition, task: TaskDefinition, holder: TaskDefinition) -> tuple[TaskId, ...]:
        found: dict[TaskId, None] = {}
        for name in holder.depends or ():
            known = self.tasks.get(name)
            if known is None:
                self.faulty.add(task.id)
                self._unknown_task(spec, holder, name)
                continue
            leaves = (name,) if known.is_leaf else self._required_leaves(name)
            if task.id in leaves or name == holder.id:
                self.faulty.add(task.id)
                self._depends_on_itself(spec, holder, name)
            elif known.is_leaf and known.optional and not task.optional:
                self._depends_on_optional(spec, holder, name)
            found.update(dict.fromkeys(leaf for leaf in leaves if leaf != task.id))
        return tuple(found)

    def _required_leaves(self, parent: TaskId) -> tuple[TaskId, ...]:
        """The non-optional leaves below a parent, in document order."""
        known = self.leaves_of.get(parent)
        if known is None:
            known = tuple(self._walk_required(parent))
            self.leaves_of[parent] = known
        return known

    def _walk_required(self, parent: TaskId) -> Iterator[TaskId]:
        stack = list(reversed(self.children.get(parent, ())))
        while stack:
            task = self.tasks[stack.pop()]
            if not task.is_leaf:
                stack.extend(reversed(self.children.get(task.id, ())))
            elif not task.optional:
                yield task.id

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
    ) -> tuple[Edges, Edges]:
        """Own dependencies plus those between specs, in both directions, by whole tuples where specs meet."""
        with_work = {spec_of(task.id) for task in self.tasks.values() if task.is_leaf and not task.optional}
        waits_for = self.gates = gates(waits, with_work)
        required = {
            spec: tuple(task for task in tasks if not self.tasks[task].optional) for spec, tasks in leaves.items()
        }
        waiting: dict[SpecId, list[SpecId]] = {spec: [] for spec in leaves}
        for spec, names in waits_for.items():
            for name in names:
                waiting[name].append(spec)
        backward: dict[TaskId, list[TaskId]] = {task: [] for tasks in leaves.values() for task in tasks}
        depends: Edges = {}
        for spec, tasks in leaves.items():
            gate = tuple(task for name in waits_for[spec] for task in required[name])
            inside = frozenset(gate)
            for task in tasks:
                own = tuple(before for before in self.own[task] if before not in inside)
                depends[task] = own + gate
                for before in own:
                    backward[before].append(task)
        dependents: Edges = {}
        for spec, tasks in leaves.items():
            after = tuple(task for name in waiting[spec] for task in leaves[name])
            for task in tasks:
                own = tuple(backward[task])
                dependents[task] = own if self.tasks[task].optional else own + after
        return depends, dependents

    def _has_cycle(self, leaves: Mapping[SpecId, tuple[TaskId, ...]]) -> bool:
        """Decided on a small graph, where all leaves of a spec are waited for through one node named `spec/`."""
        small: Edges = {}
        for spec, tasks in leaves.items():
            doors = tuple(task_id(name, "") for name in self.gates[spec])
            small.update({task: (*self.own[task], *doors) for task in tasks})
            small[task_id(spec, "")] = tuple(task for task in tasks if not self.tasks[task].optional)
        return has_cycle(small)

    def _find_cycles(self, depends: Edges, leaves: Mapping[SpecId, tuple[TaskId, ...]]) -> None:
        for members, path in cycles(depends) if self._has_cycle(leaves) else ():
            self.faulty.update(members)
            first = self.tasks[path[0]]
            spec = self.specs[spec_of(first.id)]
            ring = " → ".join((*path, path[0]))
            message = f"These tasks wait for each other: {ring}; remove one of these dependencies"
            self._report("task-cycle", message, spec.path, first.span)
