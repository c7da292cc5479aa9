"""The words of a shell line as the shell would read them: quotes taken off, expansions recognised.

Refuses to expand anything: a word that would be expanded is dynamic (Bash manual, 3.1.2 Quoting, 3.5 Expansions).
"""

import re

from specloom.domain.permissions.line import Word, WordKind

BARE = re.compile(r"(?:[^\s\\'\"`$;&|<>()]|\\[^\n])+", re.ASCII)
"""What a word without quotes may consist of; anything else in it means that somebody misread the line."""
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
IN_QUOTES = re.compile(r"\\([\\$`\"\n])")
"""The escapes that count between double quotes."""
GLOB = re.compile(r"[*?\[]")
BRACES = re.compile(r"\{[^{}]*(?:,|\.\.)[^{}]*\}|\{.*[,{].*\}", re.DOTALL)


def bare(source: str, *, first: bool) -> Word | None:
    """A piece without quotes; `first`: it begins the word. `None` if it cannot be one."""
    if not BARE.fullmatch(source):
        return None
    visible = ESCAPED.sub("", source)
    text = ESCAPED.sub(r"\1", source)
    if (first and source.startswith("~")) or re.search(r"[=:]~", visible):
        return Word(text, WordKind.DYNAMIC)
    if BRACES.search(visible):
        return Word(text, WordKind.DYNAMIC)
    return Word(text, WordKind.GLOB if GLOB.search(visible) else WordKind.LITERAL)


def single_quoted(source: str) -> Word | None:
    """`'…'`."""
    inside = source[1:-1]
    if len(source) < 2 or source[0] + source[-1] != "''" or "'" in inside:
        return None
    return Word(inside)


def double_quoted(source: str) -> Word | None:
    """`"…"` without expansions."""
    inside = source[1:-1]
    if len(source) < 2 or source[0] + source[-1] != '""' or re.search(r'[$`"]', ESCAPED.sub("", inside)):
        return None
    return Word(IN_QUOTES.sub(lambda found: "" if found[1] == "\n" else found[1], inside))


def joined(pieces: tuple[Word, ...], source: str) -> Word:
    """The word that pieces side by side make."""
    kinds = {piece.kind for piece in pieces}
    text = "".join(piece.text for piece in pieces)
    if WordKind.DYNAMIC in kinds or BRACES.search(text):
        return Word(source, WordKind.DYNAMIC)
    return Word(text, WordKind.GLOB if WordKind.GLOB in kinds else WordKind.LITERAL)
