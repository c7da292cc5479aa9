"""The process behind `grep_search`: reads one JSON job from standard input, writes one JSON answer to standard output.

A process of its own, because Python's `re` holds the interpreter while it matches: a pattern that explodes must be
killed without stopping anything else. Refuses to import anything but the standard library and the workspace's jail.
"""

import codecs
import json
import mmap
import os
import re
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Any, BinaryIO

from specloom.domain.lines import END_OF_LINE
from specloom.workspace.encoding import BinaryError, decode
from specloom.workspace.jail import Jail
from specloom.workspace.ports import WorkspaceError

LARGEST = 8 * 1024 * 1024
"""Bytes of the largest file that is searched."""
LONGEST = 400
"""Characters of a line that are shown."""
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""Starts of files in which ASCII letters are not single bytes; UTF-32 of the other order starts as UTF-16 does."""


@dataclass(slots=True)
class Answer:
    """What was found."""

    limit: int
    around: int = 0
    """Lines that are shown before and after each match."""
    shown: list[tuple[str, int, str, bool]] = field(default_factory=list[tuple[str, int, str, bool]])
    """Path, number, text, and whether the line itself matches."""
    matches: int = 0
    shown_matches: int = 0
    files: int = 0
    too_large: int = 0

    def add(self, path: str, lines: Sequence[str], found: Sequence[tuple[int, str]]) -> None:
        """The lines of one file, and the number and text of those that match."""
        self.matches += len(found)
        self.files += bool(found)
        last = 0
        for (number, line), after in zip_longest(found, found[1:]):
            if len(self.shown) >= self.limit:
                return
            self._add_around(path, lines, max(number - self.around, last + 1), number - 1)
            self.shown.append((path, number, line, True))
            self.shown_matches += 1
            last = min(number + self.around, len(lines) if after is None else after[0] - 1)
            self._add_around(path, lines, number + 1, last)

    def _add_around(self, path: str, lines: Sequence[str], first: int, last: int) -> None:
        self.shown += [(path, number, _cut(lines[number - 1], 0), False) for number in range(first, last + 1)]


def searched(job: Mapping[str, Any]) -> Answer:
    """Searches the files of a job: `root`, `paths`, `buffers` (texts by path), `pattern`, `ignore_case`.

    `limit`: lines that are shown; `around`: how many of them before and after each match.
    `groups`: each match holds all texts of one of them (`literals.required`); empty: not known.
    """
    pattern = re.compile(job["pattern"], re.IGNORECASE if job["ignore_case"] else 0)
    sieve = Sieve.of(job["groups"], ignore_case=job["ignore_case"])
    answer = Answer(job["limit"], job["around"])
    jail = Jail(Path(job["root"]))
    for parent, paths in groupby(job["paths"], key=lambda path: path.rpartition("/")[0]):
        with _folder(jail, parent) as folder:
            for path in paths:
                text = job["buffers"].get(path)
                text = _text(jail, folder, path, sieve, answer) if text is None else text
                if text is not None:
                    lines = _lines(text)
                    answer.add(path, lines, list(_matches(pattern, lines)))
    return answer


@dataclass(frozen=True, slots=True)
class Sieve:
    """Passes over bytes that cannot match, before they are decoded and split into lines."""

    groups: tuple[tuple[bytes, ...], ...]
    ignore_case: bool

    @classmethod
    def of(cls, groups: Sequence[Sequence[str]], *, ignore_case: bool) -> "Sieve":
        """From texts of ASCII characters."""
        folded = [[text.lower() if ignore_case else text for text in texts] for texts in groups]
        return cls(tuple(tuple(text.encode() for text in texts) for texts in folded), ignore_case)

    def passes(self, data: bytes) -> bool:
        """Whether there may be a match."""
        if not self.groups or data.startswith(WIDE):
            return True
        known = data.lower() if self.ignore_case else data
        return any(all(text in known for text in texts) for texts in self.groups)

    def may_hold(self, file: BinaryIO) -> bool:
        """As `passes`, for a file that is too large to be held; the texts must stand in one line, as for ripgrep."""
        if not self.groups:
            return True
        pattern = b"|".join(b"[^\n]*".join(map(re.escape, texts)) for texts in self.groups)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[:4].startswith(WIDE):
                return True
            return re.search(pattern, data, re.IGNORECASE if self.ignore_case else 0) is not None


@contextmanager
def _folder(jail: Jail, parent: str) -> Generator[int | None]:
    """Opened once for its files; `None` if it cannot be."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(jail.folder(parent))
        except (WorkspaceError, OSError):
            folder = None
        yield folder


def _text(jail: Jail, folder: int | None, path: str, sieve: Sieve, answer: Answer) -> str | None:
    if folder is None:
        return None
    try:
        with os.fdopen(jail.open_in(folder, path.rpartition("/")[2], path), "rb") as file:
            data = file.read(LARGEST + 1)
            if len(data) > LARGEST:
                answer.too_large += sieve.may_hold(file)
                return None
        return decode(data).text if sieve.passes(data) else None
    except (WorkspaceError, BinaryError, OSError):
        return None


def _lines(text: str) -> list[str]:
    lines = END_OF_LINE.split(text)
    return lines if lines[-1] else lines[:-1]


def _matches(pattern: re.Pattern[str], lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        match = pattern.search(line)
        if match is not None:
            yield number, _cut(line, match.start())


def _cut(line: str, start: int) -> str:
    """A long line around its match."""
    if len(line) <= LONGEST:
        return line
    first = max(0, min(start - LONGEST // 4, len(line) - LONGEST))
    return ("…" if first else "") + line[first : first + LONGEST] + ("…" if first + LONGEST < len(line) else "")


def main() -> None:
    """One job."""
    answer = searched(json.load(sys.stdin))
    told = ("shown", "matches", "shown_matches", "files", "too_large")
    json.dump({name: getattr(answer, name) for name in told}, sys.stdout)


if __name__ == "__main__":
    main()
