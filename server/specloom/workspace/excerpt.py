"""Head and tail of a text that is too long to keep. Refuses to cut without saying how much is missing."""

from collections import deque
from dataclasses import dataclass, field

NOTE = "\n… {count:,} characters left out …\n"


@dataclass(slots=True)
class Excerpt:
    """Takes a text in pieces and keeps at most `limit` characters: a third from its head, the rest from its tail."""

    limit: int
    left_out: int = 0
    """Characters that neither head nor tail holds."""
    _head: list[str] = field(default_factory=list[str])
    _head_size: int = 0
    _tail: deque[str] = field(default_factory=deque[str])
    _tail_size: int = 0

    def add(self, text: str) -> None:
        """Appends a piece."""
        room = self.limit // 3 - self._head_size
        if room > 0:
            self._head.append(text[:room])
            self._head_size += len(text[:room])
            text = text[room:]
        if text:
            self._tail.append(text)
            self._tail_size += len(text)
            self._shrink()

    def text(self) -> str:
        """What was kept, with a line in the middle when something is missing."""
        gap = NOTE.format(count=self.left_out) if self.left_out else ""
        return "".join((*self._head, gap, *self._tail))

    def _shrink(self) -> None:
        surplus = self._tail_size - (self.limit - self.limit // 3)
        while surplus > 0:
            first = self._tail.popleft()
            if len(first) > surplus:
                self._tail.appendleft(first[surplus:])
            gone = min(len(first), surplus)
            self.left_out += gone
            self._tail_size -= gone
            surplus -= gone


def excerpt(text: str, limit: int) -> str:
    """The text itself, or its head and tail with a note between them."""
    kept = Excerpt(limit)
    kept.add(text)
    return kept.text()
