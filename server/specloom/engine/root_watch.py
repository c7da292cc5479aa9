"""Keeps the log of a hosted project in step with its files: documents, settings, and what git does to them.

Refuses to run anything for what it sees.
"""

import asyncio
from collections.abc import Awaitable, Callable

from specloom.engine.context import EngineContext
from specloom.engine.following import Following, GitFollowing
from specloom.engine.put_back import PutBack
from specloom.engine.recovery import recover
from specloom.engine.staleness import mark_stale

TYPING = 2.0
"""Seconds between two events about a document in which only words change; whatever works on it reads it anew."""


class RootWatch:
    """Follows one root from `start` to `stop`."""

    def __init__(self, engine: EngineContext, reload: Callable[[], Awaitable[None]]) -> None:
        self._engine = engine
        library = engine.library
        self._following = Following(
            engine.workspace, self.refresh, reload, engine.options.requirements, lambda: library.on_disk
        )
        self._git = GitFollowing(engine.workspace.root, engine.head.look)
        self._typing: asyncio.Task[None] | None = None
        self.followers = (self._following, self._git)
        """Who may have trouble to tell of."""

    async def start(self) -> None:
        """Settles what an earlier process left, reads the documents, and hears of whatever changes from then on."""
        engine = self._engine
        head, library = engine.head, engine.library
        head.on_files, head.on_restored = self._checked_out, library.restored
        head.documents = lambda: library.shelf.texts
        library.put_back = await PutBack.since(engine.workspace.root, engine.ledger)
        moved = await engine.head.begin()
        await recover(engine, checked_out=moved)
        await engine.head.tell()
        await (engine.library.reread() if moved else engine.library.refresh())
        await mark_stale(engine)
        await self._following.start()
        await self._git.start()

    async def stop(self) -> None:
        """Returns when nothing is read any more."""
        await self._git.stop()
        await self._following.stop()
        if self._typing is not None:
            self._typing.cancel()
            await asyncio.gather(self._typing, return_exceptions=True)

    async def _checked_out(self) -> None:
        """Git wrote files: all documents are read again, and all proofs compared."""
        await self._engine.library.reread()
        await mark_stale(self._engine)

    async def refresh(self, paths: tuple[str, ...] = ()) -> None:
        """As `api.Runtime.refresh`: of words that somebody types the log hears at most every `TYPING` seconds."""
        library = self._engine.library
        if not paths:
            await library.refresh()
        elif await library.look() and (self._typing is None or self._typing.done()):
            self._typing = asyncio.create_task(self._typed())
        await mark_stale(self._engine, frozenset(paths) if paths else None)

    async def look(self) -> None:
        """As `api.Runtime.look`."""
        await self._engine.head.look()
        await self._following.look()

    async def _typed(self) -> None:
        await asyncio.sleep(TYPING)
        await self._engine.library.refresh()
