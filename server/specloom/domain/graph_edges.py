"""Dependencies between many and many without their product. Refuses to know why anything waits.

A junction stands between a set of leaves and those that wait for all of them, as if it were a task that is done as
soon as they are: 1,000 leaves that wait for 1,000 others are 2,000 edges through it, and 1,000,000 without it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from specloom.domain.ids import SpecId, TaskId

Node: TypeAlias = TaskId
"""A leaf, or a junction: that has a blank after its slash, which no task id has."""
Edges: TypeAlias = Mapping[Node, tuple[Node, ...]]


def junction(spec: SpecId, name: str) -> Node:
    """The name of a junction."""
    return TaskId(f"{spec}/ {name}")


def reversed_edges(edges: Edges) -> dict[Node, tuple[Node, ...]]:
    """Every node to those that have an edge to it, in the order of `edges`."""
    found: dict[Node, list[Node]] = {node: [] for node in edges}
    for node, others in edges.items():
        for other in others:
            found[other].append(node)
    return {node: tuple(others) for node, others in found.items()}


class LeafEdges(Mapping[TaskId, tuple[TaskId, ...]]):
    """The edges between leaves, junctions seen through: each worked out when it is asked for, none twice."""

    def __init__(self, leaves: Mapping[TaskId, int], edges: Edges) -> None:
        self._leaves = leaves
        self._edges = edges

    def __getitem__(self, leaf: TaskId) -> tuple[TaskId, ...]:
        """In work order. Raises `KeyError` for what is no leaf."""
        if leaf not in self._leaves:
            raise KeyError(leaf)
        found = leaves_behind(self._edges, self._leaves, (leaf,), lambda _: False)
        return tuple(sorted(found, key=self._leaves.__getitem__))

    def __iter__(self) -> Iterator[TaskId]:
        return iter(self._leaves)

    def __len__(self) -> int:
        return len(self._leaves)


def leaves_behind(
    edges: Edges,
    leaves: Mapping[TaskId, int],
    starts: Iterable[TaskId],
    passes: Callable[[TaskId], bool],
    seen: set[Node] | None = None,
) -> Iterator[TaskId]:
    """The leaves that the edges of `starts` lead to, and on through those that `passes` is true for, each once.

    A start itself is delivered only if it is led to. Nearer ones come first. What is `seen` is passed over, and added.
    """
    seen = set() if seen is None else seen
    queue = [other for start in starts for other in edges.get(start, ())]
    for node in queue:
        if node in seen:
            continue
        seen.add(node)
        is_leaf = node in leaves
        if is_leaf:
            yield node
        if not is_leaf or passes(node):
            queue.extend(edges[node])
