"""Ways to compare two lines, from strict to loose. Refuses to change a text: it only says what counts as the same."""

import re
import unicodedata
from collections.abc import Callable
from typing import TypeAlias

_QUOTES = str.maketrans("‘’‚‛′‵＇“”„‟″‶＂", "'''''''" + '"""""""')
_DASHES = str.maketrans("‐‑‒–—―−﹣－", "---------")
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufe0f\ufeff"))
LOOK_ALIKES: dict[int, int | None] = {**_QUOTES, **_DASHES, **_UNSEEN}
"""Quotes and dashes of typography by what a keyboard has for them; characters without width by nothing."""

CUT = re.compile(r"… \([\d,]+ more characters in this line\)$")
"""What a viewer puts in place of the rest of a long line."""
LEAST = 80
"""Characters that must stand before that to name a line."""

Fold: TypeAlias = Callable[[str], str]


def _same(text: str) -> str:
    return text


def no_trailing(text: str) -> str:
    """Without white space at the end."""
    return text.rstrip()


def no_blanks(text: str) -> str:
    """Without any white space, no-break spaces included."""
    return "".join(text.split())


def look_alike(text: str) -> str:
    """Without white space, and with characters that look alike made equal (Unicode NFKC, UAX #15, and the table)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(LOOK_ALIKES)).translate(LOOK_ALIKES)
    return "".join(text.split())


FOLDS: tuple[Fold, ...] = (_same, no_trailing, no_blanks, look_alike)


def cut(text: str) -> str:
    """The beginning of a long line that was shown without its end; empty for a whole line."""
    match = CUT.search(text)
    return text[: match.start()] if match is not None and match.start() >= LEAST else ""


def strictness(line: str, stated: str) -> int:
    """How far the comparison must be loosened until two lines are the same; 0 is exact, `len(FOLDS)` is never."""
    beginning = cut(stated)
    if beginning and line.startswith(beginning):
        return 0
    return next((level for level, fold in enumerate(FOLDS) if fold(line) == fold(stated)), len(FOLDS))


def substitutes(stated: str, actual: str) -> dict[str, str]:
    """Characters that somebody writes for those of the actual line, where both lines match one to one."""
    one, other = stated.strip(), actual.strip()
    if one.isascii() or len(one) != len(other) or look_alike(one) != look_alike(other):
        return {}
    pairs = {mine: yours for mine, yours in zip(one, other, strict=True) if mine != yours}
    alike = all(look_alike(mine) == look_alike(yours) for mine, yours in pairs.items())
    return pairs if alike else {}
