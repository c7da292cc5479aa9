"""One edit of a text as people read it: what was removed and what stands there now. Refuses to be applied again."""

from collections.abc import Sequence

from specloom.domain.lines import Line, split_lines
from specloom.domain.merge import diff

MOST_TEXT = 8_000
"""Characters after which no further hunk begins."""
MOST_LINES = 40
"""Of what one hunk removes, and of what it adds."""
LONGEST_LINE = 200


def shown_edit(before: str, after: str) -> str:
    """Hunks of a unified diff without context; a line that begins with a backslash says how much is left out."""
    old = split_lines(before)
    hunks = diff(old, split_lines(after))
    shown: list[str] = []
    shift = size = 0
    for number, hunk in enumerate(hunks):
        if size > MOST_TEXT:
            return "\n".join([*shown, f"\\ {len(hunks) - number} more places"])
        removed = old[hunk.start : hunk.end]
        at = f"@@ -{_span(hunk.start, removed)} +{_span(hunk.start + shift, hunk.lines)} @@"
        lines = [at, *_signed("-", removed), *_signed("+", hunk.lines)]
        shown += lines
        size += sum(len(line) + 1 for line in lines)
        shift += len(hunk.lines) - len(removed)
    return "\n".join(shown)


def _span(start: int, lines: Sequence[Line]) -> str:
    """As diffs write it: of no lines, the one before."""
    return f"{start + 1 if lines else start},{len(lines)}"


def _signed(sign: str, lines: Sequence[Line]) -> list[str]:
    shown = [f"{sign}{_short(line.text)}" for line in lines[:MOST_LINES]]
    left = len(lines) - MOST_LINES
    return [*shown, f"\\ {left} more lines"] if left > 0 else shown


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]} …"
