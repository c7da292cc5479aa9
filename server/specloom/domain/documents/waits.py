"""What the tasks of a list wait for when some of them run side by side. Refuses to know whose signs say so.

Many that wait for the same many name them as one group. What stands below an optional task is waited for below that
task only, so that each optional task has a lane of its own beside the lane of what always runs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from specloom.domain.documents.tasks import TaskDraft
from specloom.domain.ids import TaskId


@dataclass(frozen=True, slots=True)
class Waits:
    """Leaves by name, and groups by place."""

    depends: tuple[TaskId, ...] = ()
    after: tuple[int, ...] = ()

    @classmethod
    def all(cls, parts: Iterable["Waits"]) -> "Waits":
        """To wait for all that these name, none twice."""
        depends, after = dict[TaskId, None](), dict[int, None]()
        for part in parts:
            depends.update(dict.fromkeys(part.depends))
            after.update(dict.fromkeys(part.after))
        return cls(tuple(depends), tuple(after))

    def __bool__(self) -> bool:
        return bool(self.depends or self.after)

    def give(self, draft: TaskDraft) -> None:
        """Let a task wait for them and for nothing else."""
        draft.depends, draft.after = self.depends, self.after


class Groups:
    """The groups of one spec."""

    def __init__(self) -> None:
        self.members: list[tuple[TaskId, ...]] = []

    def waits_for(self, leaves: Sequence[TaskId]) -> Waits:
        """To wait for all of these: a group, unless there are less than two."""
        if len(leaves) < 2:
            return Waits(tuple(leaves))
        self.members.append(tuple(leaves))
        return Waits((), (len(self.members) - 1,))


@dataclass(slots=True)
class _Lane:
    base: Waits = field(default_factory=Waits)
    """The last leaf that was not parallel, or all of the phase before."""
    parallel: list[TaskId] = field(default_factory=list[TaskId])
    """Parallel leaves since then."""
    known: Waits | None = None
    """For these, as long as none is added."""


class Lanes:
    """The leaves of a list so far, as later ones may wait for them."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._lanes: dict[TaskId | None, _Lane] = {}

    def base(self, draft: TaskDraft) -> Waits:
        """The last leaves that were not parallel."""
        return Waits.all(lane.base for lane in self._seen(draft))

    def parallel(self, draft: TaskDraft) -> Waits:
        """The parallel leaves since then."""
        return Waits.all(self._open(lane) for lane in self._seen(draft))

    def newest(self, draft: TaskDraft) -> Waits:
        """The parallel leaves, in a lane without any the base."""
        return Waits.all(self._open(lane) or lane.base for lane in self._seen(draft))

    def take(self, draft: TaskDraft) -> None:
        """The next leaf of the list."""
        lane = self._lanes.setdefault(draft.context, _Lane())
        if draft.label.parallel:
            lane.parallel.append(draft.id)
            lane.known = None
        else:
            self._lanes[draft.context] = _Lane(Waits((draft.id,)))

    def end_phase(self) -> None:
        """What comes now waits for the parallel leaves too."""
        for context, lane in self._lanes.items():
            self._lanes[context] = _Lane(self._open(lane) or lane.base)

    def _seen(self, draft: TaskDraft) -> list[_Lane]:
        return [self._lanes[context] for context in draft.seen if context in self._lanes]

    def _open(self, lane: _Lane) -> Waits:
        if lane.known is None:
            lane.known = self._groups.waits_for(lane.parallel)
        return lane.known


def mark_parallel(drafts: Sequence[TaskDraft], groups: Groups) -> None:
    """Write down what cc-sdd's `(P)` means where a task states nothing itself."""
    lanes = Lanes(groups)
    for draft in drafts:
        if not draft.is_leaf:
            continue
        if draft.depends is None and draft.label.parallel:
            lanes.base(draft).give(draft)
        elif draft.depends is None and (parallel := lanes.parallel(draft)):
            Waits.all((lanes.base(draft), parallel)).give(draft)
        lanes.take(draft)
