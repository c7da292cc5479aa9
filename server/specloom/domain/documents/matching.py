"""Finds tasks and requirements again after their document was edited. Refuses to look at positions in the file.

Rounds, each on what the rounds before left over: same id and same text; same text; same id and similar text; most
similar text nearby in order; same id.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain
from typing import Generic, TypeVar

from specloom.domain.ids import Digest, RequirementId, TaskId
from specloom.domain.requirement import Requirement
from specloom.domain.spec import TaskDefinition

SIMILAR = 0.6
"""Ratio of `difflib` from which a text counts as an edited form of another; its own rule of thumb for close matches."""
WINDOW = 8
"""How many places a similar text may have moved among the unmatched ones: keeps the comparison linear."""
MOST_COMPARED = 10_000
"""Where more texts than this are without partner, only those at the same place are compared."""
COMPARED_LENGTH = 400
"""Characters of a text that are compared: keeps one comparison bounded."""

Id = TypeVar("Id", bound=str)


@dataclass(frozen=True, slots=True)
class _Item(Generic[Id]):
    id: Id
    hash: Digest
    text: str


def match_tasks(old: Sequence[TaskDefinition], new: Sequence[TaskDefinition]) -> Mapping[TaskId, TaskId]:
    """Old id to new id of each task that lives on; no new id twice."""
    return _match([_task(task) for task in old], [_task(task) for task in new])


def same_text(old: Sequence[TaskDefinition], new: Sequence[TaskDefinition]) -> Mapping[TaskId, TaskId]:
    """As `match_tasks`, by equal texts alone: same id and same text, then same text."""
    matching = _Matching([_task(task) for task in old], [_task(task) for task in new])
    by_id = {item.id: item for item in matching.new_left()}
    same = [(item, by_id[item.id]) for item in matching.old_left() if item.id in by_id]
    matching.take((a, b) for a, b in same if a.hash == b.hash)
    matching.take(_same_text(matching.old_left(), matching.new_left()))
    return matching.found


def match_requirements(old: Sequence[Requirement], new: Sequence[Requirement]) -> Mapping[RequirementId, RequirementId]:
    """Old id to new id of each requirement that lives on; a renumbered one is neither lost nor new."""
    return _match([_requirement(item) for item in old], [_requirement(item) for item in new])


def _task(task: TaskDefinition) -> _Item[TaskId]:
    text = "\n".join((task.title, *task.details))[:COMPARED_LENGTH]
    return _Item(task.id, task.hash, text)


def _requirement(requirement: Requirement) -> _Item[RequirementId]:
    return _Item(requirement.id, requirement.hash, requirement.text[:COMPARED_LENGTH])


def _match(old: Sequence[_Item[Id]], new: Sequence[_Item[Id]]) -> dict[Id, Id]:
    matching = _Matching(old, new)
    by_id = {item.id: item for item in new}
    same = [(item, by_id[item.id]) for item in old if item.id in by_id]
    matching.take((a, b) for a, b in same if a.hash == b.hash)
    matching.take(_same_text(matching.old_left(), matching.new_left()))
    matching.take((a, b) for a, b in same if matching.is_free(a, b) and _ratio(a.text, b.text) >= SIMILAR)
    matching.take(_most_similar(matching.old_left(), matching.new_left()))
    matching.take(same)
    return {item.id: matching.found[item.id] for item in old if item.id in matching.found}


class _Matching(Generic[Id]):
    """The pairs found so far."""

    def __init__(self, old: Sequence[_Item[Id]], new: Sequence[_Item[Id]]) -> None:
        self._old = old
        self._new = new
        self._taken: set[Id] = set()
        self.found: dict[Id, Id] = {}

    def is_free(self, old: _Item[Id], new: _Item[Id]) -> bool:
        """Whether neither side has a partner yet."""
        return old.id not in self.found and new.id not in self._taken

    def take(self, pairs: Iterable[tuple[_Item[Id], _Item[Id]]]) -> None:
        """Keep the pairs, first come first served."""
        for old, new in pairs:
            if self.is_free(old, new):
                self.found[old.id] = new.id
                self._taken.add(new.id)

    def old_left(self) -> list[_Item[Id]]:
        """Old items without partner, in order."""
        return [item for item in self._old if item.id not in self.found]

    def new_left(self) -> list[_Item[Id]]:
        """New items without partner, in order."""
        return [item for item in self._new if item.id not in self._taken]


def _same_text(old: list[_Item[Id]], new: list[_Item[Id]]) -> Iterator[tuple[_Item[Id], _Item[Id]]]:
    by_hash: defaultdict[Digest, deque[_Item[Id]]] = defaultdict(deque)
    for item in new:
        by_hash[item.hash].append(item)
    for item in old:
        if by_hash[item.hash]:
            yield item, by_hash[item.hash].popleft()


def _most_similar(old: list[_Item[Id]], new: list[_Item[Id]]) -> list[tuple[_Item[Id], _Item[Id]]]:
    """Pairs of similar texts near each other in order, the most similar first, then the nearest."""
    window = min(WINDOW, MOST_COMPARED // max(len(old), 1))
    rated = chain.from_iterable(
        (
            (-_ratio(item.text, new[place].text), abs(place - index), index, place)
            for place in range(max(0, index - window), min(len(new), index + window + 1))
        )
        for index, item in enumerate(old)
    )
    return [(old[index], new[place]) for rating, _, index, place in sorted(rated) if -rating >= SIMILAR]


def _ratio(first: str, second: str) -> float:
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    if matcher.real_quick_ratio() < SIMILAR or matcher.quick_ratio() < SIMILAR:
        return 0.0
    return matcher.ratio()
