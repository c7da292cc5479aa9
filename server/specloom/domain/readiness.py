"""Which tasks have nothing left to wait for, kept up in the time that the edges of a change take.

Refuses to know why a task is satisfied.
Satisfied = done or skipped. Maps are persistent, so an older `Readiness` stays valid when a newer one is made.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rpds import HashTrieMap, HashTrieSet

from specloom.domain.graph import TaskGraph
from specloom.domain.graph_edges import Node
from specloom.domain.ids import TaskId


@dataclass(frozen=True, slots=True)
class Readiness:
    """How many dependencies each leaf and junction still waits for, and the leaves that wait for none."""

    _missing: HashTrieMap[Node, int]
    _satisfied: HashTrieSet[TaskId]
    _ready: HashTrieSet[TaskId]

    @classmethod
    def of(cls, graph: TaskGraph, satisfied: Callable[[TaskId], bool]) -> Readiness:
        """Computed from scratch; asks once for each leaf."""
        missing = {node: len(names) for node, names in graph.waits.items()}
        done = {task for task in graph.order if satisfied(task)}
        passed = list(done)
        for node in passed:
            for waiting in graph.followers[node]:
                missing[waiting] -= 1
                if not missing[waiting] and waiting not in graph.positions:
                    passed.append(waiting)
        ready = [task for task in graph.order if not missing[task] and task not in done and task not in graph.faulty]
        return cls(HashTrieMap(missing), HashTrieSet(done), HashTrieSet(ready))

    def after(self, graph: TaskGraph, task: TaskId, satisfied: bool) -> Readiness:
        """Once `task` is satisfied, or no longer; tasks that are no leaf of the graph change nothing."""
        if task not in graph.positions or satisfied == (task in self._satisfied):
            return self
        done = self._satisfied.insert(task) if satisfied else self._satisfied.remove(task)
        missing, ready = self._missing, self._ready
        changed = [task]
        for node in changed:
            for waiting in graph.followers[node]:
                before = missing[waiting]
                count = before - 1 if satisfied else before + 1
                missing = missing.insert(waiting, count)
                if waiting in graph.positions:
                    ready = _with(ready, waiting, not count and waiting not in done and waiting not in graph.faulty)
                elif not (before and count):
                    # A junction counts as one dependency: it is news only when it opens or closes.
                    changed.append(waiting)
        is_ready = not satisfied and not missing[task] and task not in graph.faulty
        return Readiness(missing, done, _with(ready, task, is_ready))

    def is_ready(self, task: TaskId) -> bool:
        """Whether a leaf is not satisfied itself, not faulty, and all it waits for is satisfied."""
        return task in self._ready

    def ready(self, graph: TaskGraph) -> Iterator[TaskId]:
        """The ready leaves in work order, optional ones included; taking the first few does not sort the rest."""
        queue = [(graph.position(task), task) for task in self._ready]
        heapq.heapify(queue)
        while queue:
            yield heapq.heappop(queue)[1]


def _with(tasks: HashTrieSet[TaskId], task: TaskId, member: bool) -> HashTrieSet[TaskId]:
    return tasks.insert(task) if member else tasks.discard(task)
