"""Lines of a command's log by number. Refuses to load more of it than the page that was asked for."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from specloom.workspace.excerpt import excerpt


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines of a log."""

    first: int
    """Number of the first line shown, from 1; 0: none is."""
    last: int
    total: int
    text: str


def page(path: Path, first: int | None, count: int, limit: int) -> LogPage:
    """`count` lines from `first` on, or the last ones; at most `limit` characters, cut in the middle. Blocking.

    A log that was never written reads as empty. Raises `OSError`.
    """
    try:
        with path.open("rb") as file:
            if first is None:
                total, lines = _tail(file, count)
                first = total - len(lines) + 1
            else:
                skipped = sum(1 for _ in islice(file, first - 1))
                lines = list(islice(file, count))
                total = skipped + len(lines) + sum(1 for _ in file)
    except FileNotFoundError:
        return LogPage(0, 0, 0, "")
    text = excerpt(b"".join(lines).decode("utf-8", "replace"), limit)
    return LogPage(first if lines else 0, first + len(lines) - 1 if lines else 0, total, text)


def _tail(file: Iterable[bytes], count: int) -> tuple[int, list[bytes]]:
    kept: deque[bytes] = deque(maxlen=count)
    total = 0
    for line in file:
        kept.append(line)
        total += 1
    return total, list(kept)
