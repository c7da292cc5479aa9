"""A change of a whole text as few edits of its lines, so that cursor, marks and folds of an editor stay.

Refuses to reach into a line end: each edit starts and ends at the start of a line (or at the end of the text).
"""

from itertools import accumulate

from lsprotocol import types

from specloom.domain.lines import join_lines, split_lines
from specloom.domain.merge import diff
from specloom.lsp.positions import TextLines


def line_edits(before: TextLines, after: str) -> list[types.TextEdit]:
    """Edits that make `after` of `before`, from top to bottom, none overlapping another."""
    old = split_lines(before.text)
    starts = list(accumulate((len(line.whole) for line in old), initial=0))
    return [
        types.TextEdit(
            types.Range(before.position(starts[hunk.start]), before.position(starts[hunk.end])),
            join_lines(list(hunk.lines)),
        )
        for hunk in diff(old, split_lines(after))
    ]
