"""Where the requirements that tasks were worked on for stand now, from one reading of their document to the next.

Refuses to take words for a requirement's own because they stand somewhere: another one may have read the same.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from specloom.domain.copies import with_changes
from specloom.domain.documents.layouts import concerns
from specloom.domain.ids import Digest, RequirementId, TaskId, spec_of
from specloom.domain.project import Place, ProjectState, TaskRecord
from specloom.domain.requirement import Requirement

Stands: TypeAlias = tuple[RequirementId, Digest]
"""Words under an id."""


@dataclass(frozen=True, slots=True)
class Moves:
    """What two readings of one document have to do with each other."""

    moved: Mapping[Stands, RequirementId]
    """Those of the old one whose words stand under another id."""
    edited: frozenset[Stands]
    """Those whose id has other words, which are no other one's."""
    come: tuple[Stands, ...]
    """Words of the new one that are none of the old one's."""


def moves(old: Sequence[Requirement], new: Sequence[Requirement]) -> Moves:
    """Pairs each old one with at most one new one of the same words: by id first, then in order."""
    before, after = [(item.id, item.hash) for item in old], [(item.id, item.hash) for item in new]
    kept = set(before) & set(after)
    left: dict[Digest, list[RequirementId]] = {}
    for name, digest in after:
        if (name, digest) not in kept:
            left.setdefault(digest, []).append(name)
    moved: dict[Stands, RequirementId] = {}
    alone: list[Stands] = []
    for item in before:
        if item not in kept and left.get(item[1]):
            moved[item] = left[item[1]].pop(0)
        elif item not in kept:
            alone.append(item)
    come = tuple((name, digest) for digest, names in left.items() for name in names)
    fresh = {name for name, _ in come}
    twins = {digest: name for name, digest in reversed(after)}
    # Of several that read the same one was removed: what it asked for is asked for still.
    moved.update({item: twins[item[1]] for item in alone if item[0] not in fresh and item[1] in twins})
    return Moves(moved, frozenset(item for item in alone if item[0] in fresh), come)


def followed(state: ProjectState, path: str, new: Sequence[Requirement]) -> ProjectState:
    """The state whose tasks know where their requirements stand, once the document at `path` reads as `new`."""
    found = moves(state.requirements.get(path, ()), new)
    if not (found.moved or found.edited or found.come):
        return state
    claimed = frozenset(
        (place.now, place.digest) for record in state.tasks.values() for place in record.places if place.edited
    )
    records = state.tasks
    for task, record in state.tasks.items():
        if _is_touched(record, found) and _is_meant(state, task, path):
            records = records.insert(task, with_changes(record, places=_places(record, found, claimed)))
    return with_changes(state, tasks=records)


def _is_touched(record: TaskRecord, found: Moves) -> bool:
    return bool(record.places) or any(item in found.moved or item in found.edited for item in record.cited)


def _is_meant(state: ProjectState, task: TaskId, path: str) -> bool:
    spec = state.plan.specs.get(spec_of(task))
    return spec is None or concerns(path, spec)


def _places(record: TaskRecord, found: Moves, claimed: Collection[Stands]) -> tuple[Place, ...]:
    known = {(place.name, place.digest): place for place in record.places}
    cited = (known.get(item) or Place(*item, now=item[0]) for item in record.cited)
    now = (_place(place, found, claimed) for place in cited)
    return tuple(place for place in now if place.edited or place.now != place.name)


def _place(place: Place, found: Moves, claimed: Collection[Stands]) -> Place:
    at = (place.now, place.digest)
    if not place.edited:
        return replace(place, now=found.moved.get(at, place.now), edited=at in found.edited)
    # Words that come back are those of the id that had them, else anybody's.
    others = (item for item in found.come if item[1] == place.digest and item not in claimed)
    back = at if at in found.come else next(others, None)
    return place if back is None else replace(place, now=back[0], edited=False)
