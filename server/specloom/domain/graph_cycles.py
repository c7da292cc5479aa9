"""Finds the cycles of a dependency relation in linear time, without recursion. Refuses to know what the nodes are."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import TypeVar

Node = TypeVar("Node", bound=str)


def cycles(depends: Mapping[Node, tuple[Node, ...]]) -> Iterator[tuple[frozenset[Node], tuple[Node, ...]]]:
    """Each knot of nodes that reach each other, with one shortest ring through its first node.

    The ring reads in the direction of the relation: each member depends on the next one, the last on the first.
    Nodes that depend on themselves alone are not reported.
    """
    left = _without_ends(depends)
    if not left:
        return
    inside = {node: tuple(before for before in depends[node] if before in left) for node in depends if node in left}
    places = {node: place for place, node in enumerate(inside)}
    for knot in _knots(inside):
        if len(knot) > 1:
            yield knot, _ring(inside, knot, min(knot, key=places.__getitem__))


def has_cycle(depends: Mapping[Node, tuple[Node, ...]]) -> bool:
    """Whether any node waits for itself, directly or through others."""
    return bool(_without_ends(depends))


def _without_ends(depends: Mapping[Node, tuple[Node, ...]]) -> set[Node]:
    """The nodes that wait for a cycle, found by removing what waits for nothing until nothing changes."""
    waiting: dict[Node, list[Node]] = {}
    counts: dict[Node, int] = {}
    free: deque[Node] = deque()
    for node, before in depends.items():
        counts[node] = len(before)
        if not before:
            free.append(node)
        for name in before:
            waiting.setdefault(name, []).append(node)
    while free:
        node = free.popleft()
        del counts[node]
        for after in waiting.get(node, ()):
            counts[after] -= 1
            if not counts[after]:
                free.append(after)
    return set(counts)


def _knots(depends: Mapping[Node, tuple[Node, ...]]) -> list[frozenset[Node]]:
    """Strongly connected components (Tarjan 1972), in order of discovery."""
    index: dict[Node, int] = {}
    low: dict[Node, int] = {}
    path: list[Node] = []
    on_path: set[Node] = set()
    found: list[frozenset[Node]] = []
    for root in depends:
        work = [] if root in index else [(root, iter(depends[root]))]
        if work:
            index[root] = low[root] = len(index)
            path.append(root)
            on_path.add(root)
        while work:
            node, rest = work[-1]
            following = next((name for name in rest if name not in index or name in on_path), None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    found.append(_cut(path, node))
                    on_path.difference_update(found[-1])
            elif following in index:
                low[node] = min(low[node], index[following])
            else:
                index[following] = low[following] = len(index)
                path.append(following)
                on_path.add(following)
                work.append((following, iter(depends[following])))
    return found


def _cut(path: list[Node], node: Node) -> frozenset[Node]:
    """Take everything from `node` on off the path."""
    members = [path.pop()]
    while members[-1] != node:
        members.append(path.pop())
    return frozenset(members)


def _ring(depends: Mapping[Node, tuple[Node, ...]], knot: frozenset[Node], first: Node) -> tuple[Node, ...]:
    """A shortest way from `first` back to it."""
    came: dict[Node, Node] = {}
    queue = deque([first])
    while queue:
        node = queue.popleft()
        for before in depends[node]:
            if before == first:
                ring = [node]
                while ring[-1] != first:
                    ring.append(came[ring[-1]])
                return tuple(reversed(ring))
            if before in knot and before not in came:
                came[before] = node
                queue.append(before)
    raise AssertionError("a knot has a ring through each of its nodes")
