"""Which lines of two texts belong together, for lines given as numbers. Refuses more than a bounded effort."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeAlias

MOST_DIFFERENCES = 400
"""Lines deleted and inserted between two unique lines, above which all lines between them count as replaced."""

Numbers: TypeAlias = Sequence[int]
"""One for each line, the same for equal lines."""
Run: TypeAlias = tuple[int, int, int]
"""Start in the base, start in the new text, and how many lines are equal from there on."""


def matches(base: Numbers, new: Numbers) -> Iterator[Run]:
    """Equal runs in order, none empty: between lines unique on both sides, gap by gap."""
    head = _common(base, new)
    tail = _common(base[: head - 1 if head else None : -1], new[: head - 1 if head else None : -1])
    base_end, new_end = len(base) - tail, len(new) - tail
    if head:
        yield 0, 0, head
    done_base, done_new = head, head
    for base_at, new_at in (*_anchors(base, new, (head, base_end), (head, new_end)), (base_end, new_end)):
        if done_base < base_at and done_new < new_at:
            yield from _gap(base, new, (done_base, base_at), (done_new, new_at))
        size = 1 if base_at < base_end else tail
        if size:
            yield base_at, new_at, size
        done_base, done_new = base_at + size, new_at + size


def _common(one: Numbers, other: Numbers) -> int:
    return next(
        (at for at, (mine, yours) in enumerate(zip(one, other, strict=False)) if mine != yours),
        min(len(one), len(other)),
    )


def _anchors(base: Numbers, new: Numbers, in_base: tuple[int, int], in_new: tuple[int, int]) -> list[tuple[int, int]]:
    """Patience diff: the longest rising run of lines that stand once on each side."""
    once = _unique(new, in_new)
    pairs = [(at, once[line]) for line, at in _unique(base, in_base).items() if line in once]
    tops: list[int] = []
    last: list[tuple[int, int]] = []
    before: dict[tuple[int, int], tuple[int, int] | None] = {}
    for pair in sorted(pairs):
        height = bisect_left(tops, pair[1])
        before[pair] = last[height - 1] if height else None
        tops[height : height + 1] = [pair[1]]
        last[height : height + 1] = [pair]
    chain: list[tuple[int, int]] = []
    pair = last[-1] if last else None
    while pair is not None:
        chain.append(pair)
        pair = before[pair]
    return chain[::-1]


def _unique(lines: Numbers, span: tuple[int, int]) -> dict[int, int]:
    part = lines[span[0] : span[1]]
    counted = Counter(part)
    return {number: at for at, number in enumerate(part, span[0]) if counted[number] == 1}


def _gap(base: Numbers, new: Numbers, in_base: tuple[int, int], in_new: tuple[int, int]) -> Iterator[Run]:
    """Equal runs where no line is unique; none at all where the texts differ too much to compare in time."""
    ours, theirs = base[slice(*in_base)], new[slice(*in_new)]
    if ours == theirs:
        yield in_base[0], in_new[0], len(ours)
        return
    for at_base, at_new in _shortest(ours, theirs):
        yield in_base[0] + at_base, in_new[0] + at_new, 1


def _shortest(one: Numbers, other: Numbers) -> list[tuple[int, int]]:
    """Equal lines on a shortest edit path (E. W. Myers, An O(ND) Difference Algorithm, 1986)."""
    reached = {1: 0}
    steps: list[dict[int, int]] = []
    for cost in range(min(len(one) + len(other), MOST_DIFFERENCES) + 1):
        steps.append(dict(reached))
        for diagonal in range(-cost, cost + 1, 2):
            at = _step(reached, diagonal, cost)
            while at < len(one) and 0 <= at - diagonal < len(other) and one[at] == other[at - diagonal]:
                at += 1
            reached[diagonal] = at
            if at >= len(one) and at - diagonal >= len(other):
                return _walked_back(steps, len(one), len(other))
    return []


def _step(reached: dict[int, int], diagonal: int, cost: int) -> int:
    """How far one difference more leads on a diagonal: one line inserted, or one deleted."""
    inserted, deleted = reached.get(diagonal + 1, -1), reached.get(diagonal - 1, -1)
    return inserted if diagonal == -cost or (diagonal != cost and deleted < inserted) else deleted + 1


def _walked_back(steps: list[dict[int, int]], at: int, other: int) -> list[tuple[int, int]]:
    equal: list[tuple[int, int]] = []
    for cost in range(len(steps) - 1, -1, -1):
        start = _step(steps[cost], at - other, cost)
        while at > start and other > 0:
            at, other = at - 1, other - 1
            equal.append((at, other))
        inserted = at == steps[cost].get(at - other + 1, -1)
        at, other = (at, other - 1) if inserted else (at - 1, other)
    return equal[::-1]
