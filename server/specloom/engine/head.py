"""Follows what git has checked out, and holds back whatever must not happen in between. Refuses to start git.

Whoever is about to cause an effect looks here first: on return a change is in the log, and a run told to pause.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from specloom.domain import commands as c
from specloom.domain.events.documents import HeadChanged
from specloom.domain.project import HeadRecord
from specloom.engine.git_head import (
    GitHead,
    Passage,
    Stamp,
    Step,
    count_steps,
    look,
    steps_from,
    steps_since,
    wrote_files,
)
from specloom.engine.git_index import Indexes, read_index, restored
from specloom.engine.mailbox import Mailbox

STEP = 0.03
QUIET = 0.2
"""Seconds without a change after which git has ended what it did: it moves HEAD a moment after its files."""
REBASING = 3.0
"""As `QUIET`, between two commits of a rebase; one that stopped for a person stays so."""
LONGEST = 20.0
"""Seconds that git is waited for; a lock that stays is one that a killed git left."""
HOW_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found, with the length of the reflog."""

    head: GitHead = field(default_factory=GitHead)
    steps: int = 0


@dataclass(slots=True)
class HeadWatch:
    """What is checked out around one root."""

    root: Path
    mailbox: Mailbox
    changes: int = 0
    """Of HEAD, for which git wrote files, since this process looked first."""
    newest: HeadChanged | None = None
    """Of these."""
    on_files: Callable[[], Awaitable[None]] = field(default=lambda: asyncio.sleep(0))
    """Called after a change for which git wrote files."""
    documents: Callable[[], Collection[str]] = tuple
    """Files of which one wants to know whether git wrote them alone."""
    on_restored: Callable[[frozenset[str]], Awaitable[None]] = field(default=lambda _: asyncio.sleep(0))
    """Called with those that it did."""
    _known: Seen | None = None
    _index: bytes = b""
    _committed: bytes = b""
    """The index as it was when HEAD came to where it is."""
    _stuck: Stamp | None = None
    """A lock that nobody takes away."""
    _away: HeadChanged | None = None
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def begin(self) -> bool:
        """Looks for the first time; returns whether git wrote files while no Specloom looked. `tell` makes it known."""
        seen = await asyncio.to_thread(self._look)
        if seen.head.lock is not None or seen.head.begun == "rebase":
            seen = await self._settled(seen)
        record = self.mailbox.state.head or HeadRecord("", "")
        self._keep(seen, await self._index_of(seen))
        if (record.branch, record.commit) == (seen.head.branch, seen.head.commit):
            return False
        steps = await asyncio.to_thread(steps_since, self.root, record.commit)
        known = record.commit != ""
        files = known and await asyncio.to_thread(wrote_files, self.root, Passage(None, seen.head, steps, b""))
        self._away = _change(record, seen.head, steps, files=files)
        self.changes += files
        return files

    async def tell(self) -> None:
        """What `begin` found goes into the log."""
        change, self._away = self._away, None
        if change is not None:
            await self.mailbox.submit(c.ChangeHead(change))

    async def look(self) -> None:
        """Returns once git does nothing, and what it did is in the log. Costs next to nothing where it did nothing."""
        if self._known is None or await self.is_settled():
            return
        async with self._looking:
            if not await self.is_settled():
                await self._take(self._known)

    async def is_settled(self) -> bool:
        """Whether all is as it was when one last looked."""
        seen = await asyncio.to_thread(self._look)
        return self._known is None or seen == self._known

    async def _take(self, before: Seen) -> None:
        seen = await self._settled(before)
        steps = await asyncio.to_thread(steps_from, self.root, before.steps)
        passage = Passage(before.head, seen.head, steps, self._index)
        files = await asyncio.to_thread(wrote_files, self.root, passage)
        index = await self._index_of(seen)
        if not files:
            await self._look_for_restored(index)
        record = HeadRecord(before.head.branch, before.head.commit)
        moved = (record.branch, record.commit) != (seen.head.branch, seen.head.commit)
        # Before it is kept: who looks meanwhile waits until the change is in the log.
        change = _change(record, seen.head, steps, files=files)
        if moved or files:
            await self.mailbox.submit(c.ChangeHead(change))
        self._keep(seen, index)
        if files:
            self.changes, self.newest = self.changes + 1, change
            await self.on_files()

    async def _index_of(self, seen: Seen) -> bytes:
        """The one that is known where its stamp is the same."""
        if self._known is not None and self._known.head.index == seen.head.index:
            return self._index
        return await asyncio.to_thread(read_index, self.root)

    async def _look_for_restored(self, index: bytes) -> None:
        if index == self._index:
            return
        indexes = Indexes(self._committed, self._index, index)
        found = await asyncio.to_thread(restored, self.root, self.documents(), indexes)
        if found:
            await self.on_restored(found)

    def _keep(self, seen: Seen, index: bytes) -> None:
        if self._known is None or self._known.head.commit != seen.head.commit:
            self._committed = index
        self._index, self._known = index, seen

    async def _settled(self, last: Seen) -> Seen:
        """What there is once git has ended."""
        clock = asyncio.get_running_loop().time
        began = since = clock()
        while True:
            seen = await asyncio.to_thread(self._look)
            if seen != last:
                last, since = seen, clock()
            patience = REBASING if seen.head.begun == "rebase" else QUIET
            if seen.head.lock is None and clock() - since >= patience:
                return seen
            if clock() - began >= LONGEST:
                self._stuck = seen.head.lock
                return await asyncio.to_thread(self._look)
            await asyncio.sleep(STEP)

    def _look(self) -> Seen:
        head = look(self.root)
        if head.lock is not None and head.lock == self._stuck:
            head = GitHead(head.branch, head.commit, head.begun, head.stash, head.index)
        return Seen(head, count_steps(self.root))


def _change(before: HeadRecord, now: GitHead, steps: tuple[Step, ...] | None, *, files: bool) -> HeadChanged:
    how = steps[-1].message if steps else f"{now.begun} under way" if now.begun else ""
    return HeadChanged(before.commit, now.commit, now.branch, before.branch, how[:HOW_LENGTH], files)
