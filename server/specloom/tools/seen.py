"""Which lines of a file a session has seen. Refuses to forget them when the file changes: they move along."""

from collections.abc import Iterable
from typing import TypeAlias

from specloom.domain.lines import split_lines
from specloom.domain.merge import diff

Seen: TypeAlias = tuple[tuple[int, int], ...]
"""First and last lines (1-based, inclusive), ascending, at least `NEAR` lines apart."""

NEAR = 4
"""Spans with fewer lines between them count as one: to say that lines are left out costs as much as to show them."""


def joined(spans: Iterable[tuple[int, int]]) -> Seen:
    """The spans in order, those that overlap or nearly touch made one; empty ones are dropped."""
    done: list[tuple[int, int]] = []
    for first, last in sorted(span for span in spans if span[0] <= span[1]):
        if done and first - done[-1][1] <= NEAR:
            done[-1] = (done[-1][0], max(done[-1][1], last))
        else:
            done.append((first, last))
    return tuple(done)


def moved(seen: Seen, before: str, after: str) -> Seen:
    """The same lines where they stand now; what is new between them has been shown, since every change is told."""
    hunks = diff(split_lines(before), split_lines(after))
    spans: list[tuple[int, int]] = []
    kept, shift = 0, 0
    for hunk in hunks:
        spans += _shifted(seen, kept + 1, hunk.start, shift)
        spans.append((hunk.start + shift + 1, hunk.start + shift + len(hunk.lines)))
        shift += len(hunk.lines) - (hunk.end - hunk.start)
        kept = hunk.end
    spans += _shifted(seen, kept + 1, max((last for _, last in seen), default=0), shift)
    return joined(spans)


def _shifted(seen: Seen, first: int, last: int, shift: int) -> list[tuple[int, int]]:
    return [(max(start, first) + shift, min(end, last) + shift) for start, end in seen]
