"""Finds where a key stands in TOML text. Refuses to judge the text: `tomllib` has read it before.

The standard parser tells no positions, and the library that does is no dependency for the sake of one message.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from specloom.domain.problem import NOWHERE, Span

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_PATH = rf"{_PART}(?:\s*\.\s*{_PART})*"
_TABLE = re.compile(rf"\s*\[\[?\s*(?P<path>{_PATH})\s*\]\]?")
_PAIR = re.compile(rf"\s*(?P<path>{_PATH})\s*=\s*(?P<value>.*)")
_TOKEN = re.compile(r'''(?P<fence>"""|\'{3})|"(?:[^"\\]|\\.?)*(?:"|\Z)|'[^']*(?:'|\Z)|#.*''')
"""A string that nothing closes reaches to the end of its line, so that no line is looked through twice."""
_CLOSING = {'"""': re.compile(r'(?:[^"\\]|\\.|"{1,2}(?!"))*"""'), "'''": re.compile(r".*?'''")}


def locate(text: str, path: tuple[str, ...]) -> tuple[Span, Span]:
    """The spans of the last key on the way to `path`, and of what that line gives it.

    A key inside an inline table is found at the table. `NOWHERE` twice if nothing of the path stands in the text.
    """
    places = _places(text)
    for end in range(len(path), 0, -1):
        if spans := places.get(path[:end]):
            return spans
    return NOWHERE, NOWHERE


def dots(text: str) -> int:
    """The most dots outside strings that a line has: a bound on the parts of its keys, cheaper than reading them."""
    return max((_TOKEN.sub("", line).count(".") for line in text.split("\n") if "." in line), default=0)


@lru_cache(maxsize=2)
def _places(text: str) -> Mapping[tuple[str, ...], tuple[Span, Span]]:
    """Where each key stands first. Kept, because a text with one wrong setting has often more of them."""
    places: dict[tuple[str, ...], tuple[Span, Span]] = {}
    for found, key, value in _keys(text):
        places.setdefault(found, (key, value))
    return places


def _keys(text: str) -> Iterator[tuple[tuple[str, ...], Span, Span]]:
    """Each key with its whole path, in order."""
    table: tuple[str, ...] = ()
    fence = ""
    for number, line in enumerate(text.split("\n")):
        inside, fence = bool(fence), _fence_after(line, fence)
        if inside:
            continue
        line = line.rstrip()
        if match := _TABLE.match(line):
            table = _parts(match["path"])
            span = _last_part(match, number)
            yield table, span, span
        elif match := _PAIR.match(line):
            value = Span(number, match.start("value"), number, match.end("value"))
            yield (*table, *_parts(match["path"])), _last_part(match, number), value


def _fence_after(line: str, fence: str) -> str:
    """The multi-line string that is open after this line."""
    start = 0
    while True:
        if fence:
            closing = _CLOSING[fence].match(line, start)
            if closing is None:
                return fence
            start, fence = closing.end(), ""
        token = _TOKEN.search(line, start)
        if token is None:
            return ""
        start, fence = token.end(), token["fence"] or ""


def _last_part(match: re.Match[str], line: int) -> Span:
    """Where the last part of a dotted key stands."""
    *_, last = re.finditer(_PART, match["path"])
    start = match.start("path")
    return Span(line, start + last.start(), line, start + last.end())


def _parts(path: str) -> tuple[str, ...]:
    return tuple(_unquoted(part[0]) for part in re.finditer(_PART, path))


def _unquoted(part: str) -> str:
    if part[0] == "'":
        return part[1:-1]
    return re.sub(r"\\(.)", r"\1", part[1:-1]) if part[0] == '"' else part
