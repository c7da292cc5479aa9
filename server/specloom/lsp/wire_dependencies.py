"""Dependencies of many on many as clients are told of them. Refuses their product: a wide phase is named once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from specloom.domain.graph import TaskGraph
from specloom.domain.graph_edges import Node
from specloom.domain.ids import TaskId
from specloom.lsp import protocol_project as shapes

LISTED = 100
"""Dependencies of one task that are listed one by one."""


@dataclass(slots=True)
class WireDependencies:
    """What each task waits for, and the groups that were named in saying so."""

    graph: TaskGraph
    _sizes: dict[Node, int] = field(default_factory=dict[Node, int])
    _used: dict[Node, None] = field(default_factory=dict[Node, None])
    """In the order in which they were named."""
    _depends: Mapping[TaskId, tuple[TaskId, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self._depends = self.graph.depends

    def of(self, task: TaskId) -> tuple[list[str], list[str]]:
        """Tasks, and groups of tasks: no groups where few tasks say all of it."""
        waits = self.graph.waits.get(task, ())
        if sum(map(self._size, waits)) <= LISTED:
            return list(self._depends.get(task, ())), []
        groups = [node for node in waits if not self._is_leaf(node)]
        self._used.update(dict.fromkeys(groups))
        return [node for node in waits if self._is_leaf(node)], list(groups)

    def groups(self) -> list[shapes.DependencyGroup]:
        """Every group that was named, and those that these name."""
        waiting, found = list(self._used), list[shapes.DependencyGroup]()
        for node in waiting:
            behind = self.graph.waits.get(node, ())
            inner = [other for other in behind if not self._is_leaf(other)]
            waiting += [other for other in inner if other not in self._used]
            self._used.update(dict.fromkeys(inner))
            tasks: list[str] = [other for other in behind if self._is_leaf(other)]
            found.append(shapes.DependencyGroup(id=node, task_ids=tasks, groups=list(inner)))
        return found

    def _is_leaf(self, node: Node) -> bool:
        return node in self.graph.positions

    def _size(self, node: Node) -> int:
        """Leaves behind it, at most; those that several groups hold count several times."""
        if self._is_leaf(node):
            return 1
        if node not in self._sizes:
            self._sizes[node] = 0  # Should groups name each other in a circle, which is a problem told elsewhere.
            self._sizes[node] = sum(map(self._size, self.graph.waits.get(node, ())))
        return self._sizes[node]
