"""Notices when open files change under a session, and by whom. Refuses to read what cannot have changed."""

from collections.abc import AsyncGenerator, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from specloom.tools.ports import ReadMemory
from specloom.workspace.ports import TextSnapshot, WorkspaceError

USER = "the user"
LONGEST = 80
"""Characters of a command in a note."""


class OpenFiles(Protocol):
    """The workspace, as far as a session looks after its open files."""

    async def stamps(self, paths: Sequence[str]) -> Mapping[str, Hashable]:
        """What differs as soon as a text may: cheap to get. `None` or left out: read the file to know."""
        ...

    async def read(self, path: str) -> TextSnapshot:
        """The text as it stands. Raises `WorkspaceError`."""
        ...


@dataclass(slots=True)
class Watch:
    """Over the files that a session has open, which are those in its memory."""

    files: OpenFiles
    memory: ReadMemory
    others: str = USER
    """To whom a change is put down of which nothing is known."""
    _stamps: dict[str, Hashable] = field(default_factory=dict[str, Hashable])
    _present: dict[str, TextSnapshot | None] = field(default_factory=dict[str, TextSnapshot | None])
    _by: dict[str, dict[str, None]] = field(default_factory=dict[str, dict[str, None]])

    async def look(self, by: str = "") -> None:
        """Compares each open file with what is known of it; what is another text now was changed by `by`, or others."""
        paths = tuple(self.memory.bases)
        if not paths:
            return
        stamps = await self.files.stamps(paths)
        for path in paths:
            stamp = stamps.get(path)
            if stamp is None or self._stamps.get(path) != stamp:
                await self._read(path, by or self.others)
                self._stamps[path] = stamp

    @asynccontextmanager
    async def during(self, command: str) -> AsyncGenerator[None]:
        """Puts what changes meanwhile down to a command of the session."""
        await self.look()
        yield
        words = " ".join(command.split())
        await self.look(f"your command `{words if len(words) <= LONGEST else f'{words[: LONGEST - 1]}…'}`")

    def present(self, path: str) -> TextSnapshot | None:
        """An open file when it was looked at last; `None`: it cannot be read any more."""
        return self._present.get(path)

    def by(self, path: str) -> str:
        """Who has changed it since the session was last told."""
        return " and ".join(self._by.get(path, {self.others: None}))

    def saw(self, path: str) -> bool:
        """Whether anybody was seen to change it since the session was last told."""
        return path in self._by

    def told(self) -> None:
        """The session knows all by now; what is not open any more is forgotten."""
        self._by.clear()
        for path in [path for path in self._present if path not in self.memory.bases]:
            del self._present[path]
            self._stamps.pop(path, None)

    async def _read(self, path: str, by: str) -> None:
        base = self.memory.bases.get(path)
        before = self._present.get(path, base)
        try:
            now = await self.files.read(path)
        except WorkspaceError:
            now = None
        self._present[path] = now
        if _digest(now) not in {_digest(before), _digest(base)}:
            self._by.setdefault(path, {})[by] = None


def _digest(snapshot: TextSnapshot | None) -> str:
    return "" if snapshot is None else snapshot.digest
