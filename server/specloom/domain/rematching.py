"""Where the histories of tasks go when their documents change: under another id, into another spec, or aside.

Refuses to forget: what stands in no document any more is put aside under an id of its own and found again by its text.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from specloom.domain.documents.matching import match_tasks, same_text
from specloom.domain.evidence import EvidenceKind
from specloom.domain.ids import Digest, TaskId
from specloom.domain.project import ProjectState
from specloom.domain.spec import TaskDefinition
from specloom.domain.states import TaskState

ASIDE = "@"
"""Stands before the digits of the text in the id of what was put aside; no number of a task holds it."""
DIGITS = 12

Renamed = tuple[tuple[TaskId, TaskId], ...]
"""Old id and new id."""


def matched(old: Sequence[TaskDefinition], new: Sequence[TaskDefinition], *, by_text: bool) -> Mapping[TaskId, TaskId]:
    """Old id to new id of each task of a spec that lives on; `by_text`: an id alone says nothing."""
    return same_text(old, new) if by_text else match_tasks(old, new)


def rematch(
    state: ProjectState,
    old: Sequence[TaskDefinition],
    new: Sequence[TaskDefinition],
    moved: Mapping[TaskId, TaskId],
    *,
    by_text: bool,
) -> Renamed:
    """All histories that move when a spec of `old` tasks becomes one of `new`; `moved` as `matched` says."""
    lost = [task for task in old if task.id not in moved and task.id in state.tasks]
    taken = set(moved.values())
    own = {task.id for task in old}
    come = [task for task in new if task.id not in taken and (task.id in own or is_fresh(state, task.id))]
    renamed = [(before, after) for before, after in moved.items() if before != after]
    leaving = _leaving(state, lost, own | {task.id for task in new})
    return (*renamed, *leaving, *_found(state, come, by_text=by_text))


def is_fresh(state: ProjectState, task: TaskId) -> bool:
    """Whether nothing is known of a task but, at the most, that it was found ticked."""
    record = state.tasks.get(task)
    imported = record is not None and all(piece.kind is EvidenceKind.IMPORTED for piece in record.evidence)
    return record is None or (record.state is TaskState.DONE and imported)


def _leaving(state: ProjectState, lost: Iterable[TaskDefinition], own: set[TaskId]) -> Iterator[tuple[TaskId, TaskId]]:
    """To a task of the same text that has come up in another spec, or aside."""
    others: dict[Digest, TaskId] = {}
    lost = list(lost)
    if lost:
        tasks = (task for spec in state.plan.specs.values() for task in spec.tasks if task.id not in own)
        others = {task.hash: task.id for task in tasks if task.is_leaf and is_fresh(state, task.id)}
    for task in lost:
        yield task.id, others.pop(task.hash, None) or TaskId(f"{task.id}{ASIDE}{task.hash[:DIGITS]}")


def _found(state: ProjectState, come: Sequence[TaskDefinition], *, by_text: bool) -> Iterator[tuple[TaskId, TaskId]]:
    """What was put aside and stands in a document again: under the same text, else (not `by_text`) the same id."""
    aside = [name for name in state.tasks if ASIDE in name.rpartition("/")[2]] if come else []
    for same in (_same_task, _same_words) if by_text else (_same_task, _same_words, _same_id):
        left = list(come)
        for task in left:
            name = next((name for name in aside if same(name, task)), None)
            if name is not None:
                aside.remove(name)
                come = [item for item in come if item is not task]
                yield name, task.id


def _same_task(aside: TaskId, task: TaskDefinition) -> bool:
    return aside == f"{task.id}{ASIDE}{task.hash[:DIGITS]}"


def _same_words(aside: TaskId, task: TaskDefinition) -> bool:
    return aside.endswith(f"{ASIDE}{task.hash[:DIGITS]}")


def _same_id(aside: TaskId, task: TaskDefinition) -> bool:
    return aside.startswith(f"{task.id}{ASIDE}")
