"""Puts together an answer that came in pieces, because it was cut off at its length limit.

Refuses to guess what the planner meant: what the next piece repeats is dropped, everything else stays as it came.
"""

import re

LOOK_BACK = 4000
"""Characters of the end of a piece in which a repeat is looked for."""
SURE = 24
"""Characters that do not come twice in a row by chance."""
_NEW_BLOCK = re.compile(r"[ \t]*(?:#{1,6}[ \t]|(?:[-*+]|[0-9]+[.)])[ \t]|```)")
_AGAIN = "Answer again, with less thought before it."
_CONTINUE = (
    "What came of it is kept. Go on where it stopped, without a word of introduction. The last line that came is\n\n"
    "{line}\n\nBegin with this line, whole, then write what follows it; repeat nothing that stands before it."
)


def joined(before: str, after: str) -> str:
    """Both pieces as one text, neither with a repeat nor a gap; a second piece that starts anew stands alone."""
    if not before.strip() or not after.strip():
        return before if before.strip() else after
    if _starts_anew(before, after):
        return after
    overlap = _overlap(before, after)
    if overlap:
        return before + after[overlap:]
    start, last = _last_line(before)
    told = after.lstrip()
    if told.startswith(last.strip()):
        return before[:start] + last[: len(last) - len(last.lstrip())] + told
    whole_line = before.endswith("\n") or not _NEW_BLOCK.match(after)
    return before + after if whole_line else f"{before}\n{after}"


def go_on(so_far: str) -> str:
    """How the planner is told to continue a text that was cut off."""
    return _CONTINUE.format(line=_last_line(so_far)[1]) if so_far.strip() else _AGAIN


def _starts_anew(before: str, after: str) -> bool:
    first, _, rest = before.strip().partition("\n")
    return bool(rest) and not first.startswith(("```", "~~~")) and after.strip().partition("\n")[0] == first


def _overlap(before: str, after: str) -> int:
    """Characters at the start of `after` that are the end of `before`; 0 for fewer than one can be sure of."""
    longest = min(len(before), len(after), LOOK_BACK)
    return next((size for size in range(longest, SURE - 1, -1) if before.endswith(after[:size])), 0)


def _last_line(text: str) -> tuple[int, str]:
    """Where the last line that is not blank starts, and that line."""
    kept = text.rstrip()
    start = kept.rfind("\n") + 1
    return start, text[start:].partition("\n")[0]
