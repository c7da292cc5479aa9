"""Append, or collapse from where on: what it would cost now against what it saves over the turns to come.

Refuses to know the future and the clock: all that it weighs is passed in, so that equal values give equal decisions.
A change at some block makes everything behind it new to the cache, assistant turns included; so the cut between what
stays and what is rewritten lies before an answer, and each cut is weighed with all that can be collapsed behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from specloom.agent.context.entry import Entry, Kind
from specloom.agent.context.prices import PromptPrices

LISTED = PromptPrices()


@dataclass(frozen=True, slots=True)
class Rules:
    """What was tuned on generated sessions, seeds 1 to 6 (`benchmarks/context_cost.py` measures it)."""

    growth: float = 0.7
    """Turns still expected, as a multiple of those done: a session that has lasted is likely to last."""
    margin: float = 0.5
    """Share of its cost that a collapse must earn beyond its cost."""
    debt: float = 0.018
    """Share of what appending alone would have cost so far that collapses may have cost and not yet earned."""
    short: int = 60
    """Turns up to which that share holds; afterwards it grows."""
    loosening: float = 2.0
    """Power of the turns over `short` by which it grows."""
    least: int = 400
    """Tokens that a collapse must save at least."""
    keep_turns: int = 6
    """Turns for which an output stands as it is."""
    smallest: int = 150
    """Tokens of the smallest output that is elided."""
    fresh: int = 1000
    """Tokens of new results after which it is worth to look over the conversation."""
    rest: int = 8
    """Turns after which it is worth to look whatever came."""
    elide: bool = True
    """Whether outputs are elided at all."""
    relief: float = 0.2
    """Share of the request that a collapse must free to be made for the sake of a window that is nearly full."""


RULES = Rules()


@dataclass(frozen=True, slots=True)
class Occasion:
    """When a decision is made."""

    sent: int
    """Entries that the model has seen; those behind are never collapsed."""
    turns: int
    """Answers so far."""
    most_turns: int
    """Of the session."""
    prices: PromptPrices = LISTED
    head: int = 0
    """Tokens before the first entry: tools and system."""
    cold: bool = False
    """The cached prefix has outlived its life."""
    crowded: bool = False
    """The window is nearly full: to end the session and begin another costs more than any collapse."""
    allowance: float = inf
    """Units that a collapse may cost now at most."""
    left: float | None = None
    """Turns still to come, where somebody knows (an oracle does); else they are estimated."""

    def expected(self, rules: Rules) -> float:
        """Requests after this one that would carry what is collapsed now."""
        if self.left is not None:
            return self.left
        return max(0.0, min(self.most_turns - self.turns - 1, self.turns * rules.growth))


@dataclass(frozen=True, slots=True)
class Plan:
    """What to collapse."""

    cost: float
    """Units more than appending costs now."""

    cut: int
    """Entries before it stay as they are, and cached."""
    views: tuple[int, ...]
    """Views that become one line."""
    outputs: tuple[int, ...]
    """Outputs that become one line."""
    show: tuple[str, ...]
    """Files to show as they are now, in the order in which they were seen last."""
    saved: int
    """Tokens that the request is smaller by."""


@dataclass(slots=True)
class _File:
    """The views of one file behind a cut, from the newest back."""

    anchored: bool = False
    """A whole view has been met: those before it are superseded without another one."""
    late: int = 0
    early: int = 0
    turn: int = -1
    """Of the view that follows."""

    def add(self, entry: Entry, *, seen: bool) -> None:
        gain = max(entry.gain, 0) if seen else 0
        if self.anchored:
            self.early += gain
        else:
            self.late += gain
            self.anchored = self.anchors(entry)

    def anchors(self, entry: Entry) -> bool:
        """Whether it supersedes those before it; an edit of the same turn still means what stood before that turn."""
        followed, self.turn = entry.turn == self.turn, entry.turn
        return entry.whole and not followed

    def show_again(self, view: int) -> bool:
        return self.late > view

    def gain(self, view: int | None) -> int:
        """`view`: tokens of the file as it is now, `None` when it is closed."""
        if view is None:
            return self.early + self.late
        return self.early + max(self.late - view, 0)


@dataclass(slots=True)
class _Scan:
    """All that lies behind a cut, as the cut moves back."""

    size: int = 0
    outputs: int = 0
    files: dict[str, _File] = field(default_factory=dict[str, _File])
    gain: int = 0


@dataclass(frozen=True, slots=True)
class _Scene:
    """Everything that a decision looks at."""

    entries: Sequence[Entry]
    views: Mapping[str, int | None]
    occasion: Occasion
    rules: Rules

    def seen(self, place: int) -> bool:
        return place < self.occasion.sent

    def is_view(self, place: int) -> bool:
        entry = self.entries[place]
        return entry.kind is Kind.VIEW and entry.path in self.views

    def is_old_output(self, place: int) -> bool:
        entry, rules = self.entries[place], self.rules
        if entry.kind is not Kind.OUTPUT or not rules.elide or not self.seen(place):
            return False
        return entry.tokens >= rules.smallest and self.occasion.turns - entry.turn >= rules.keep_turns


def decide(
    entries: Sequence[Entry], views: Mapping[str, int | None], occasion: Occasion, rules: Rules = RULES
) -> Plan | None:
    """The best collapse, or `None`: append.

    `views`: tokens of each open file as it would be shown now; `None` for one that was closed. Views of other paths
    (a link's, say) are left alone.
    """
    scene = _Scene(entries, views, occasion, rules)
    best: tuple[float, int, float] | None = None
    prefix = sum(entry.tokens for entry in entries[: occasion.sent]) + occasion.head
    relief = prefix * rules.relief if occasion.crowded else inf
    scan = _Scan()
    for place in range(len(entries) - 1, -1, -1):
        _take(scan, scene, place)
        if entries[place].kind is not Kind.ANSWER and place:
            continue
        if scan.gain < rules.least:
            continue
        cost = _cost(scan, prefix - scan.size, occasion)
        worth = scan.gain if scan.gain >= relief else _worth(scan, cost, occasion, rules)
        if worth > 0 and (best is None or worth > best[0]):
            best = worth, place, cost
    return None if best is None else _plan(scene, best[1], best[2])


def _take(scan: _Scan, scene: _Scene, place: int) -> None:
    entry = scene.entries[place]
    scan.size += entry.tokens if scene.seen(place) else 0
    if scene.is_view(place):
        known, view = scan.files.setdefault(entry.path, _File()), scene.views[entry.path]
        before = known.gain(view)
        known.add(entry, seen=scene.seen(place))
        scan.gain += known.gain(view) - before
    elif scene.is_old_output(place):
        scan.gain += entry.gain


def _worth(scan: _Scan, cost: float, occasion: Occasion, rules: Rules) -> float:
    """Units won by a collapse, beyond what it must earn; not above 0: leave it."""
    if cost > occasion.allowance:
        return 0.0
    later = occasion.prices.read * scan.gain * occasion.expected(rules)
    return later - cost * (1 + rules.margin) if cost > 0 else later - cost


def _cost(scan: _Scan, before: int, occasion: Occasion) -> float:
    """Units more than appending now, for a collapse behind `before` tokens."""
    prices = occasion.prices
    if occasion.cold:
        return -prices.write * scan.gain
    cost = prices.write * (scan.size - scan.gain) - prices.read * scan.size
    return cost + (prices.plain - prices.read) * before if before < prices.smallest else cost


def _plan(scene: _Scene, cut: int, cost: float) -> Plan:
    show = _shown_again(scene, cut)
    collapsed, outputs = _chosen(scene, cut, show)
    entries = scene.entries
    saved = sum(entries[place].gain for place in (*collapsed, *outputs))
    saved -= sum(scene.views[path] or 0 for path in show)
    order = tuple(path for path in dict.fromkeys(entry.path for entry in reversed(entries)) if path in show)[::-1]
    return Plan(cost, cut, collapsed, outputs, order, saved)


def _shown_again(scene: _Scene, cut: int) -> set[str]:
    files: dict[str, _File] = {}
    for place in range(len(scene.entries) - 1, cut - 1, -1):
        if scene.is_view(place):
            entry = scene.entries[place]
            files.setdefault(entry.path, _File()).add(entry, seen=scene.seen(place))
    return {path for path, file in files.items() if (view := scene.views[path]) is not None and file.show_again(view)}


def _chosen(scene: _Scene, cut: int, show: set[str]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Views and outputs behind the cut that become one line."""
    collapsed: list[int] = []
    outputs: list[int] = []
    over = {path for path, view in scene.views.items() if path in show or view is None}
    files: dict[str, _File] = {}
    for place in range(len(scene.entries) - 1, cut - 1, -1):
        entry = scene.entries[place]
        if scene.is_view(place):
            if entry.path in over and scene.seen(place) and entry.gain > 0:
                collapsed.append(place)
            if files.setdefault(entry.path, _File()).anchors(entry):
                over.add(entry.path)
        elif scene.is_old_output(place):
            outputs.append(place)
    return tuple(collapsed[::-1]), tuple(outputs[::-1])
