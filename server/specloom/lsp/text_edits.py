"""A change of a whole text as few edits of its lines, so that cursor, marks and folds of an editor stay.

Refuses to reach into a line end: each edit starts and ends at the start of a line (or at the end of the text), except
that lines are added at the end of a text behind the content of its last line. Neovim 0.10 puts what is inserted after
the last line's end on lines of its own, with an empty one too many.
"""

from itertools import accumulate

from lsprotocol import types

from specloom.domain.lines import Line, join_lines, split_lines
from specloom.domain.merge import diff
from specloom.lsp.positions import TextLines


def line_edits(before: TextLines, after: str) -> list[types.TextEdit]:
    """Edits that make `after` of `before`, from top to bottom, none overlapping another."""
    old = split_lines(before.text)
    starts = list(accumulate((len(line.whole) for line in old), initial=0))
    return [
        _appended(before, old[-1].eol, hunk.lines)
        if old and hunk.start == len(old)
        else types.TextEdit(
            types.Range(before.position(starts[hunk.start]), before.position(starts[hunk.end])), join_lines(hunk.lines)
        )
        for hunk in diff(old, split_lines(after))
    ]


def _appended(before: TextLines, eol: str, added: tuple[Line, ...]) -> types.TextEdit:
    """Lines after a last line that ends with `eol`."""
    start, end = before.position(len(before.text) - len(eol)), before.position(len(before.text))
    text = eol + join_lines(added)
    if text.endswith(eol):
        return types.TextEdit(types.Range(start, start), text.removesuffix(eol))
    return types.TextEdit(types.Range(start, end), text)
