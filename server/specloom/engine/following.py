"""Follows documents and settings of a root on disk while it is hosted. Refuses to follow the code: that is git's."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from specloom.domain.ids import Digest
from specloom.engine.git_head import git_folder
from specloom.store.errors import StoreError
from specloom.workspace.ports import WorkspaceError
from specloom.workspace.watcher import POLLS, FileEvent, Watcher, folder_changes
from specloom.workspace.workspace import Workspace

log = logging.getLogger(__name__)

SETTINGS = frozenset({"specloom.toml", ".env"})
FOLDERS = ("docs", "specs", ".kiro/specs", ".specify")
_DOCUMENT = re.compile(
    r"(docs/)?requirements\.md|specs/([^/]+/)?[^/]+\.md|\.kiro/specs/[^/]+/[^/]+\.md|\.specify/.+\.md|AGENTS\.md"
)


class GitFollowing:
    """Has HEAD looked at when something happens in the folder that git keeps it in."""

    def __init__(self, root: Path, look: Callable[[], Awaitable[None]]) -> None:
        self._root = root
        self._look = look
        self._watching: asyncio.Task[None] | None = None
        self.trouble = ""
        """Why git is not followed as it should be, for people; empty: it is."""

    async def start(self) -> None:
        """Does nothing where there is no repository; whoever works looks by himself."""
        folder = await asyncio.to_thread(git_folder, self._root)
        if folder is not None:
            self._watching = asyncio.create_task(self._watch(folder))

    async def stop(self) -> None:
        """Returns when nothing is looked at any more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait((self._watching,))

    async def _watch(self, folder: Path) -> None:
        try:
            await self._follow(folder)
        except (OSError, RuntimeError, WorkspaceError) as error:
            self.trouble = f"the repository is not watched: {error}; a checkout is noticed by the next turn alone"
            log.warning("%s", self.trouble)

    async def _follow(self, folder: Path) -> None:
        try:
            async for _ in folder_changes(folder):
                await self._looked()
        except (OSError, RuntimeError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            self.trouble = POLLS.format(error=error)
            async for _ in folder_changes(folder, polls=True):
                await self._looked()

    async def _looked(self) -> None:
        try:
            await self._look()
        except StoreError as error:
            # The next change, or the next turn, tells of it too.
            log.warning("what git did is not in the log yet: %s", error)


class Following:
    """Owns the watcher of one root."""

    def __init__(
        self,
        workspace: Workspace,
        documents: Callable[[tuple[str, ...]], Awaitable[None]],
        settings: Callable[[], Awaitable[None]],
        also: str | None = None,
        read: Callable[[], Mapping[str, Digest]] = dict[str, Digest],
    ) -> None:
        """`read`: as of `Watcher`."""
        self._documents = documents
        self._settings = settings
        self._also = also
        self._unread = ""
        self._watcher = Watcher(workspace.root, self._follows, FOLDERS, self._deliver, workspace.own_writes, read)

    @property
    def trouble(self) -> str:
        """What keeps changes from being noticed as they should be, for people; empty: nothing."""
        return self._watcher.trouble or self._unread

    async def start(self) -> None:
        """Whatever changes after this returns is heard of."""
        await self._watcher.start()

    async def stop(self) -> None:
        """Returns when nothing is delivered any more."""
        await self._watcher.stop()

    async def look(self) -> None:
        """Somebody else heard of a change: takes in whatever there is."""
        await self._watcher.look()

    def _follows(self, path: str) -> bool:
        return path in SETTINGS or path == self._also or _DOCUMENT.fullmatch(path) is not None

    async def _deliver(self, events: tuple[FileEvent, ...]) -> None:
        paths = tuple(event.path for event in events)
        try:
            if not SETTINGS.isdisjoint(paths):
                await self._settings()
            await self._documents(paths)
            self._unread = ""
        except (WorkspaceError, StoreError) as error:
            # Whoever works on them, and the next change, reads them all again.
            how = "be read" if isinstance(error, WorkspaceError) else "get into the log"
            self._unread = f"changed documents could not {how}: {error}"
            log.warning("%s", self._unread)
