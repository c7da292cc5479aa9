"""Lets a text grow in a file while it streams in, block by block, until somebody else edits the file.

Refuses to write over an edit: the finished text is merged with it where both are apart, and offered otherwise.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from specloom.domain.lines import adapted
from specloom.domain.merge import Merged, merge
from specloom.tools.ports import Files
from specloom.workspace.ports import (
    Applied,
    FileChange,
    MissingFileError,
    Refusal,
    TextSnapshot,
    WorkspaceError,
)

MERGES = 3
"""A person may be typing at the moment of the merge; the newest text is read again that often."""
_FATAL = (Refusal.NOT_WRITABLE, Refusal.NO_SPACE)


@dataclass(frozen=True, slots=True)
class Finished:
    """The text as it stands in the file, or as it is offered."""

    text: str
    offered: bool


@dataclass(frozen=True, slots=True)
class Target:
    """The file that a text goes to."""

    path: str
    label: str
    """For the editor's undo history."""
    base: TextSnapshot | None
    """What stands there; `None`: nothing yet."""
    interval_s: float = 0.125
    """Seconds between two writes."""


class SpecWriter:
    """Writes one file while its context is open. Leaving it stops the writing; whole blocks stay."""

    def __init__(
        self,
        files: Files,
        target: Target,
        draft: Callable[[], str] | None = None,
        seen: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`draft` gives the whole text as far as it should be seen; `None`: nothing is written before `finish`.

        `seen` hears what was added at the end of the file.
        """
        self._seen = seen
        self._files = files
        self._target = target
        self._draft = draft
        self._base = target.base
        self._touched = asyncio.Event()
        self._closing = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._on_disk: list[str] = []
        """Our texts that went to the disk, since the last one that went to a buffer."""
        self.yielded = False
        """Somebody else changed the file: nothing more is written before `finish`."""

    @property
    def written(self) -> str:
        """Our newest text of the file."""
        return "" if self._base is None else self._base.text

    async def __aenter__(self) -> Self:
        if self._draft is not None:
            text = self._draft()
            # What an interrupted planner came to stays in sight until it is outgrown.
            if not self.written.startswith(text):
                await self._apply(text)
            self._pump = asyncio.create_task(self._write_drafts(self._draft))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self._stop()
        else:
            # What ends the work matters more than a write that failed on the way.
            with contextlib.suppress(WorkspaceError):
                await self._stop()

    def touch(self) -> None:
        """The draft has grown."""
        self._touched.set()

    async def finish(self, text: str) -> Finished:
        """Puts the whole text into the file, or offers it. Raises `WorkspaceError` if the file cannot be written."""
        await self._stop()
        if self._base is not None:
            text = adapted(text, self._base.text)
        if not self.yielded and await self._apply(text):
            return Finished(text, offered=False)
        return await self._merge(text)

    async def leave(self) -> None:
        """Puts the draft as it now is into the file, unless somebody else changed it. Raises as `finish`."""
        await self._stop()
        if self._draft is not None and not self.yielded:
            await self._apply(self._draft())

    async def _write_drafts(self, draft: Callable[[], str]) -> None:
        while not self._closing.is_set() and not self.yielded:
            await self._touched.wait()
            self._touched.clear()
            text = draft()
            # A second answer starts from nothing; what is seen of the first stays until it is outgrown.
            if len(text) > len(self.written) and not self._closing.is_set():
                await self._apply(text)
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._target.interval_s):
                await self._closing.wait()
        except TimeoutError:
            return

    async def _stop(self) -> None:
        self._closing.set()
        self._touched.set()
        if self._pump is not None:
            pump, self._pump = self._pump, None
            await pump

    async def _apply(self, text: str) -> bool:
        if self._base is not None and text == self._base.text:
            return True
        before = self.written
        result = await self._files.apply(FileChange(self._target.path, text, self._base, self._target.label))
        if not isinstance(result, Applied) and self._lags(result.present):
            self._base = result.present
            result = await self._files.apply(FileChange(self._target.path, text, self._base, self._target.label))
        if isinstance(result, Applied):
            self._base = result.snapshot
            self._on_disk = [] if result.in_buffer else [*self._on_disk, result.snapshot.text]
            if self.written.startswith(before):
                self._seen(self.written[len(before) :])
            return True
        if result.refusal in _FATAL:
            raise WorkspaceError(result.message)
        self.yielded = True
        return False

    def _lags(self, present: TextSnapshot | None) -> bool:
        """An editor read the file just before we wrote to the disk: its text is no edit, but ours and older."""
        return present is not None and present.version is not None and present.text in self._on_disk

    async def _merge(self, text: str) -> Finished:
        for _ in range(MERGES):
            present = await self._present()
            merged = merge(self.written, text, present.text) if present is not None else None
            if not isinstance(merged, Merged):
                break
            result = await self._files.apply(FileChange(self._target.path, merged.text, present, self._target.label))
            if isinstance(result, Applied):
                return Finished(merged.text, offered=False)
        return Finished(text, offered=True)

    async def _present(self) -> TextSnapshot | None:
        try:
            return await self._files.read(self._target.path)
        except MissingFileError:
            return None
