"""The process behind `grep_search`: reads one JSON job from standard input, writes one JSON answer to standard output.

A process of its own, because Python's `re` holds the interpreter while it matches: a pattern that explodes must be
killed without stopping anything else. Refuses to import anything but the standard library and the workspace's jail.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specloom.domain.lines import END_OF_LINE
from specloom.workspace.encoding import BinaryError, decode
from specloom.workspace.jail import Jail
from specloom.workspace.ports import WorkspaceError

LARGEST = 8 * 1024 * 1024
"""Bytes of the largest file that is searched."""
LONGEST = 400
"""Characters of a line that are shown."""


@dataclass(slots=True)
class Answer:
    """What was found."""

    limit: int
    shown: list[tuple[str, int, str]] = field(default_factory=list[tuple[str, int, str]])
    matches: int = 0
    files: int = 0
    too_large: int = 0

    def add(self, path: str, lines: list[tuple[int, str]]) -> None:
        """All matching lines of one file."""
        self.matches += len(lines)
        self.files += bool(lines)
        room = self.limit - len(self.shown)
        self.shown += [(path, number, line) for number, line in lines[: max(room, 0)]]


def searched(job: Mapping[str, Any]) -> Answer:
    """Searches the files of a job: `root`, `paths`, `buffers` (texts by path), `pattern`, `ignore_case`, `limit`."""
    pattern = re.compile(job["pattern"], re.IGNORECASE if job["ignore_case"] else 0)
    literal = None if job["ignore_case"] or re.escape(job["pattern"]) != job["pattern"] else job["pattern"]
    answer = Answer(job["limit"])
    jail = Jail(Path(job["root"]))
    for path in job["paths"]:
        text = job["buffers"].get(path)
        text = _text(jail, path, answer) if text is None else text
        if text is not None and (literal is None or literal in text):
            answer.add(path, list(_matches(pattern, text)))
    return answer


def _text(jail: Jail, path: str, answer: Answer) -> str | None:
    try:
        with os.fdopen(jail.open_file(path), "rb") as file:
            data = file.read(LARGEST + 1)
        answer.too_large += len(data) > LARGEST
        return None if len(data) > LARGEST else decode(data).text
    except (WorkspaceError, BinaryError, OSError):
        return None


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, str]]:
    lines = END_OF_LINE.split(text)
    if not lines[-1]:
        lines.pop()
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
    json.dump(
        {"shown": answer.shown, "matches": answer.matches, "files": answer.files, "too_large": answer.too_large},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
