"""Follows documents and settings of a root on disk while it is hosted. Refuses to follow the code: that is git's."""

import logging
import re
from collections.abc import Awaitable, Callable

from specloom.workspace.ports import WorkspaceError
from specloom.workspace.watcher import FileEvent, Watcher
from specloom.workspace.workspace import Workspace

log = logging.getLogger(__name__)

SETTINGS = frozenset({"specloom.toml", ".env"})
FOLDERS = ("docs", "specs", ".kiro/specs", ".specify")
_DOCUMENT = re.compile(
    r"(docs/)?requirements\.md|specs/([^/]+/)?[^/]+\.md|\.kiro/specs/[^/]+/[^/]+\.md|\.specify/.+\.md|AGENTS\.md"
)


class Following:
    """Owns the watcher of one root."""

    def __init__(
        self,
        workspace: Workspace,
        documents: Callable[[tuple[str, ...]], Awaitable[None]],
        settings: Callable[[], Awaitable[None]],
        also: str | None = None,
    ) -> None:
        self._documents = documents
        self._settings = settings
        self._also = also
        self._watcher = Watcher(workspace.root, self._follows, FOLDERS, self._deliver, workspace.own_writes)

    async def start(self) -> None:
        """Whatever changes after this returns is heard of."""
        await self._watcher.start()

    async def stop(self) -> None:
        """Returns when nothing is delivered any more."""
        await self._watcher.stop()

    def _follows(self, path: str) -> bool:
        return path in SETTINGS or path == self._also or _DOCUMENT.fullmatch(path) is not None

    async def _deliver(self, events: tuple[FileEvent, ...]) -> None:
        paths = tuple(event.path for event in events)
        try:
            if not SETTINGS.isdisjoint(paths):
                await self._settings()
            await self._documents(paths)
        except WorkspaceError as error:
            log.warning("changed documents could not be read: %s", error)
