"""Which lines of its open files a session has seen, told from what stands in its conversation.

Refuses to forget lines that moved; where it cannot tell what was seen, it takes the whole file as seen.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from specloom.agent.context.entry import Entry, Kind
from specloom.agent.session import Conversation
from specloom.tools.ports import ReadMemory
from specloom.tools.seen import Seen, joined, moved
from specloom.workspace.ports import TextSnapshot

_NUMBERED = re.compile(r"^(\d+) \| ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _File:
    text: str
    seen: Seen | None


@dataclass(slots=True)
class Known:
    """Follows one conversation."""

    closed: set[str] = field(default_factory=set[str])
    """Files that were open and are not any more."""
    _files: dict[str, _File] = field(default_factory=dict[str, _File])
    _read: int = 0

    def fresh(self, conversation: Conversation) -> Mapping[str, list[tuple[int, Entry]]]:
        """The views that came since the last call, by file."""
        found: dict[str, list[tuple[int, Entry]]] = {}
        entries = conversation.book.entries
        for number in range(self._read, len(entries)):
            if entries[number].kind is Kind.VIEW:
                found.setdefault(entries[number].path, []).append((number, entries[number]))
        self._read = len(entries)
        return found

    def catch_up(
        self, conversation: Conversation, memory: ReadMemory, fresh: Mapping[str, Sequence[tuple[int, Entry]]]
    ) -> None:
        """Follows what was opened, closed, changed and read."""
        self.closed |= self._files.keys() - memory.bases.keys()
        self.closed -= memory.bases.keys()
        files: dict[str, _File] = {}
        for path, base in memory.bases.items():
            known, views = self._files.get(path), fresh.get(path, [])
            if known is not None and not views and known.text is base.text:
                files[path] = known
            else:
                files[path] = _File(base.text, _seen(known, base, conversation, views))
        self._files = files

    def seen(self, path: str) -> Seen | None:
        """The lines of an open file; `None`: all."""
        known = self._files.get(path)
        return None if known is None else known.seen

    def moved(self, snapshot: TextSnapshot) -> Seen | None:
        """The same lines in a text that is not told yet."""
        known = self._files.get(snapshot.path)
        if known is None or known.seen is None:
            return None
        return moved(known.seen, known.text, snapshot.text)


def _seen(
    known: _File | None, base: TextSnapshot, conversation: Conversation, views: Sequence[tuple[int, Entry]]
) -> Seen | None:
    if any(_is_complete(conversation, number, entry) for number, entry in views):
        return None
    reads = [number for number, entry in views if entry.whole or entry.what.startswith("read_file ")]
    spans = [span for number in reads for span in _shown(conversation, number)[0]]
    if known is None:
        return joined(spans) if reads and len(reads) == len(views) else None
    if known.seen is None:
        return None
    return joined([*moved(known.seen, known.text, base.text), *spans, *moved(tuple(spans), known.text, base.text)])


def _is_complete(conversation: Conversation, number: int, entry: Entry) -> bool:
    """Whether no line of the file was left out: read as a whole, or written as a whole."""
    if entry.what.startswith("write_file "):
        return not entry.vague
    return entry.whole and not _shown(conversation, number)[1]


def _shown(conversation: Conversation, number: int) -> tuple[Seen, bool]:
    """The numbered lines of a block, and whether it says that there are others."""
    text = conversation.text_of(number)
    numbers = [int(found) for found in _NUMBERED.findall(text)]
    return joined((at, at) for at in numbers), "\n… lines " in text
