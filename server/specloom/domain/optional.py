"""What an optional task means for the leaves below it and for those after it. Refuses to know who named it.

The context of a task is the nearest task marked optional, itself or above it; `None` for what always runs. A leaf is
waited for in its own context and in those inside it: whoever names an optional parent wants its leaves in their order,
and nobody outside waits for them.
"""

from collections.abc import Iterable, Iterator, Mapping

from specloom.domain.ids import TaskId
from specloom.domain.spec import TaskDefinition


class Contexts:
    """The contexts of the tasks of a project; parents come before their children."""

    def __init__(self, tasks: Iterable[TaskDefinition]) -> None:
        self._of: dict[TaskId, TaskId | None] = {}
        self._outside: dict[TaskId, TaskId | None] = {}
        for task in tasks:
            above = self._of.get(task.parent) if task.parent is not None else None
            marked = task.optional and not task.inherits_optional
            self._of[task.id] = task.id if marked else above
            if marked:
                self._outside[task.id] = above

    def of(self, task: TaskId) -> TaskId | None:
        """The optional task that a task runs with, `None` if it always runs. Raises `KeyError` for an unknown task."""
        return self._of[task]

    def seen_from(self, task: TaskId) -> Iterator[TaskId | None]:
        """The contexts whose leaves a task may wait for, the nearest first; its own mark is none of them."""
        context = self._of[task]
        if context == task:
            context = self._outside[task]
        while context is not None:
            yield context
            context = self._outside[context]
        yield None


class LeavesBefore:
    """The last leaf that each one may wait for, while the leaves of a list are taken in order."""

    def __init__(self, contexts: Contexts) -> None:
        self._contexts = contexts
        self._last: dict[TaskId | None, tuple[int, TaskId]] = {}
        self._taken = 0

    def before(self, leaf: TaskId) -> TaskId | None:
        """The newest leaf taken that runs whenever `leaf` does."""
        found = (self._last[context] for context in self._contexts.seen_from(leaf) if context in self._last)
        return max(found, default=(0, None))[1]

    def take(self, leaf: TaskId) -> None:
        """`leaf` is the newest one from now on."""
        self._taken += 1
        self._last[self._contexts.of(leaf)] = (self._taken, leaf)


def required_below(
    parent: TaskId, children: Mapping[TaskId, tuple[TaskId, ...]], tasks: Mapping[TaskId, TaskDefinition]
) -> tuple[TaskId, ...]:
    """The leaves that make a parent done, in document order: all but those below a further optional mark."""
    stack = list(reversed(children.get(parent, ())))
    found: list[TaskId] = []
    while stack:
        task = tasks[stack.pop()]
        if task.optional and not task.inherits_optional:
            continue
        if task.is_leaf:
            found.append(task.id)
        stack.extend(reversed(children.get(task.id, ())))
    return tuple(found)
