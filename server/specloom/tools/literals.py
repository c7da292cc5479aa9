"""Texts that every match of a regular expression holds, to pass over files that cannot match.

Refuses to be clever: a pattern that is not understood gives no texts, and then every file is looked into.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

SHORTEST = 2
"""Characters: a single one passes over next to nothing."""
FOLDED = frozenset("iksIKS")
"""ASCII letters that other characters are equal to when case is ignored: `K` (Kelvin), `ſ`, `İ`."""
UNKNOWN = re.compile(r"\(\?(?!:|P<\w+>|<?[=!])|\[\[|&&|--|~~|\\[^\WdDwWsSbBAZnrtfva]")
"""Flags, comments, conditions, references, class syntax that may change its meaning, escapes with more behind them."""
TOKEN = re.compile(
    r"(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<escape>\\.)|(?P<open>\((?:\?(?::|P<\w+>|<?[=!]))?)|(?P<quantity>[*?]|\{\d*,?\d*\})"
    r"|(?P<plus>\+)|(?P<branch>\|)|(?P<close>\))|(?P<any>[.^$])|(?P<char>.)",
    re.DOTALL,
)


@dataclass(slots=True)
class _Branch:
    """The runs of plain characters in one alternative of the pattern."""

    runs: list[str] = field(default_factory=lambda: [""])

    def add(self, char: str) -> None:
        self.runs[-1] += char

    def cut(self) -> None:
        self.runs.append("")

    def take_back(self) -> None:
        """The last character may be missing from a match."""
        self.runs[-1] = self.runs[-1][:-1]
        self.cut()

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(run for run in self.runs if len(run) >= SHORTEST)


def required(pattern: str, *, ignore_case: bool = False) -> tuple[tuple[str, ...], ...]:
    """Every match of `pattern` holds, in this order, all texts of one of the groups. Empty: not known.

    The texts are ASCII; where case is ignored they may stand there in any case.
    """
    if UNKNOWN.search(pattern):
        return ()
    groups = tuple(branch.texts for branch in _branches(pattern, ignore_case))
    return groups if all(groups) else ()


def _branches(pattern: str, ignore_case: bool) -> Iterator[_Branch]:
    """The alternatives of the pattern itself; what stands in a group is passed over."""
    branch = _Branch()
    depth = 0
    for token in TOKEN.finditer(pattern):
        kind = token.lastgroup
        if kind == "open":
            depth += 1
            branch.cut()
        elif kind == "close":
            depth -= 1
        elif depth == 0 and kind == "branch":
            yield branch
            branch = _Branch()
        elif depth == 0:
            _take(branch, str(kind), token[0], ignore_case)
    if depth == 0:
        yield branch
    else:
        yield _Branch()


def _take(branch: _Branch, kind: str, text: str, ignore_case: bool) -> None:
    if kind == "quantity":
        branch.take_back()
        return
    char = text[-1] if kind == "char" or (kind == "escape" and not text[-1].isalnum()) else ""
    if char.isascii() and char.isprintable() and char and not (ignore_case and char in FOLDED):
        branch.add(char)
    else:
        branch.cut()
