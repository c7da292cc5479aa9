"""Tells which followed files changed on disk: requirements, specs, settings. Refuses to tell of our own writes.

Folders are watched, not files, because editors and git replace files; each watched folder by itself, so that a large
tree costs nothing. What the operating system reports is only a reason to look: news is what differs from the last look.
"""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from watchfiles import (
    Change,
    awatch,  # pyright: ignore[reportUnknownVariableType] # names trio, which is not installed
)

from specloom.domain.ids import Digest, digest_of
from specloom.workspace.own_writes import OwnWrites
from specloom.workspace.ports import NOTHING
from specloom.workspace.shielding import to_the_end

log = logging.getLogger(__name__)

LONGEST_BATCH_MS = 400
QUIET_MS = 50
"""A burst of changes ends when nothing happened for this long, or after `LONGEST_BATCH_MS`."""
POLLS = (
    "files cannot be watched ({error}): they are looked at again and again instead; "
    "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances, then start Specloom again"
)
ENDED = "changed files are not noticed any more ({error}); start Specloom again"
RETRY = 0.5
"""Seconds until a folder that went away is looked for again."""

FileEventKind: TypeAlias = Literal["changed", "deleted"]
Look: TypeAlias = dict[str, tuple[tuple[int, int, int], Digest]]
"""By path: inode, size and time of change of a file, and the digest of its bytes."""


@dataclass(frozen=True, slots=True)
class FileEvent:
    """A followed file has another content than before, or is gone."""

    path: str
    """Relative to the root."""
    kind: FileEventKind


@dataclass(slots=True)
class Watcher:
    """Follows files of one root while it runs; may be started again after it was stopped."""

    root: Path
    """The real path."""
    follows: Callable[[str], bool]
    """Whether a path relative to the root is of interest. Called on several threads; must be pure."""
    folders: tuple[str, ...]
    """Folders below the root that are watched with all theirs, now or when they appear, for example `specs`."""
    deliver: Callable[[tuple[FileEvent, ...]], Awaitable[None]]
    """Called on the loop, one batch at a time."""
    own_writes: OwnWrites = field(default_factory=OwnWrites)
    read: Callable[[], Mapping[str, Digest]] = dict[str, Digest]
    """What others read on disk at their last look, by path; `NOTHING`: they found no file. Of the rest nobody knows."""
    _known: Look = field(default_factory=Look)
    polls: str = ""
    """Why the system tells of no changes, so that the files are looked at again and again; empty: it does."""
    _task: asyncio.Task[None] | None = None
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> None:
        """What stands on disk when this returns is known; whatever changes later is delivered."""
        self._known = await asyncio.to_thread(self._look, {})
        watching = asyncio.Event()
        self._task = asyncio.create_task(self._run(watching))
        self._task.add_done_callback(_tell_fault)
        waiting = asyncio.create_task(watching.wait())
        await asyncio.wait((waiting, self._task), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    async def stop(self) -> None:
        """Returns when nothing is delivered any more. Raises what `deliver` raised."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))
            if not task.cancelled():
                task.result()

    @property
    def trouble(self) -> str:
        """What is wrong and what to do, for people; empty: nothing."""
        task = self._task
        fault = task.exception() if task is not None and task.done() and not task.cancelled() else None
        return ENDED.format(error=fault) if fault is not None else self.polls

    async def look(self) -> None:
        """Looks now, for somebody else heard of a change; what was told before is not told again."""
        if self._task is not None:
            await self._deliver_news()

    async def _run(self, watching: asyncio.Event) -> None:
        """Watches the folders that exist; begins again when there are others."""
        while True:
            folders = await asyncio.to_thread(self._existing)
            changes = awatch(
                *folders,
                recursive=False,
                watch_filter=self._concerns,
                debounce=LONGEST_BATCH_MS,
                step=QUIET_MS,
                force_polling=bool(self.polls) or None,
            )
            try:
                await self._follow(changes, folders, watching)
            except FileNotFoundError:
                # A folder went away before it could be watched; the root itself may come back.
                await asyncio.sleep(RETRY)
            except (OSError, RuntimeError) as error:
                # No watches are left (ENOSPC), or no watchers (EMFILE); a network file system may know of none.
                if not self.polls:
                    self.polls = POLLS.format(error=error)
                    log.warning("%s", self.polls)
                await asyncio.sleep(RETRY)
            finally:
                await changes.aclose()

    async def _follow(
        self, changes: AsyncGenerator[set[tuple[Change, str]]], folders: tuple[Path, ...], watching: asyncio.Event
    ) -> None:
        """Until the folders are no longer the same."""
        batch = asyncio.create_task(_next(changes))
        try:
            # The watch is set up in the first step of the generator, before its first wait.
            await asyncio.sleep(0)
            await self._deliver_news()
            watching.set()
            while await asyncio.to_thread(self._existing) == folders:
                found = await batch
                await self._deliver_news()
                if not frozenset(map(str, folders)).isdisjoint(_gone(found)):
                    # What stands in its place, under the same name, is another folder, which nobody watches.
                    return
                batch = asyncio.create_task(_next(changes))
        finally:
            await to_the_end(_dropped(batch))

    async def _deliver_news(self) -> None:
        async with self._looking:
            await self._deliver_what_differs()

    async def _deliver_what_differs(self) -> None:
        now = await asyncio.to_thread(self._look, self._known)
        before, self._known = self._known, now
        # Who read a text that was taken back before this look must hear of it, though nothing changed since the last.
        read = {path: digest for path, digest in self.read().items() if self.follows(path) and self._is_below(path)}
        events: list[FileEvent] = []
        for path in sorted({*before, *now, *read}):
            was, digest = _digest(before, path), _digest(now, path)
            if digest == was == read.get(path, digest):
                continue
            if digest == NOTHING:
                events.append(FileEvent(path, "deleted"))
            elif not self.own_writes.is_echo(path, digest):
                events.append(FileEvent(path, "changed"))
        if events:
            await self.deliver(tuple(events))

    def _is_below(self, path: str) -> bool:
        """Whether the folder of a file is one that is looked into."""
        return "/" not in path or path.startswith(tuple(f"{folder}/" for folder in self.folders))

    def _concerns(self, change: Change, path: str) -> bool:
        """Followed files, folders of interest with all that is in them, the folders above those, and the root."""
        if path == str(self.root):
            return change is not Change.modified
        relative = path[len(str(self.root)) + 1 :]
        return self.follows(relative) or any(
            f"{relative}/".startswith(f"{folder}/") or folder.startswith(f"{relative}/") for folder in self.folders
        )

    def _existing(self) -> tuple[Path, ...]:
        """The root and all folders of interest that are there. Blocking."""
        found = {self.root}
        for folder in self.folders:
            parts = folder.split("/")
            above = [self.root.joinpath(*parts[:count]) for count in range(1, len(parts))]
            found.update(path for path in above if path.is_dir())
            found.update(Path(path) for path, _, _ in os.walk(self.root / folder))
        return tuple(sorted(found))

    def _look(self, before: Look) -> Look:
        """All followed files as they are; a file that seems untouched is not read again. Blocking."""
        found: Look = {}
        for folder in self._existing():
            for entry in _entries(folder):
                path = entry.path[len(str(self.root)) + 1 :]
                if self.follows(path) and (seen := _seen(entry, before.get(path))) is not None:
                    found[path] = seen
        return found


async def folder_changes(folder: Path, *, polls: bool = False) -> AsyncGenerator[None]:
    """Something happened right in a folder. Raises `OSError`, `RuntimeError`; one that `polls` needs no watches.

    A folder that goes away is watched no more, whatever comes in its place: that is a `FileNotFoundError`.
    """
    changes = awatch(
        folder,
        recursive=False,
        watch_filter=None,
        debounce=LONGEST_BATCH_MS,
        step=QUIET_MS,
        force_polling=polls or None,
    )
    try:
        async for found in changes:
            yield
            if str(folder) in _gone(found):
                raise FileNotFoundError(f"{folder} was removed or replaced")
    finally:
        await changes.aclose()


def _gone(found: set[tuple[Change, str]]) -> frozenset[str]:
    return frozenset(path for change, path in found if change is Change.deleted)


async def _dropped(batch: asyncio.Task[set[tuple[Change, str]]]) -> None:
    """Ends the wait for a batch; the generator can be closed afterwards."""
    batch.cancel()
    await asyncio.wait((batch,))
    if not batch.cancelled():
        batch.exception()


async def _next(changes: AsyncGenerator[set[tuple[Change, str]]]) -> set[tuple[Change, str]]:
    return await anext(changes)


def _digest(look: Look, path: str) -> Digest:
    return look[path][1] if path in look else NOTHING


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _seen(
    entry: os.DirEntry[str], before: tuple[tuple[int, int, int], Digest] | None
) -> tuple[tuple[int, int, int], Digest] | None:
    try:
        found = entry.stat()
        mark = (found.st_ino, found.st_size, found.st_mtime_ns)
        if before is not None and before[0] == mark:
            return before
        return mark, digest_of(Path(entry.path).read_bytes())
    except OSError:
        return None


def _tell_fault(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("the watcher ended", exc_info=task.exception())
