"""One client's connection: its buffers, what serves its root, and the tasks that belong to it.

Refuses to know any feature: those are loaded after `initialize` is answered, by `dispatch`.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.uris import to_fs_path

from specloom.lsp.buffers import Buffers
from specloom.lsp.editor_settings import EditorSettings, section_of
from specloom.lsp.frames import Outbox
from specloom.lsp.outgoing import Outgoing
from specloom.lsp.rpc import SpecloomProtocol
from specloom.lsp.uris import Places

if TYPE_CHECKING:
    # These load the domain, which `initialize` must not wait for.
    from specloom.lsp.hosting import Host
    from specloom.lsp.serving import Serving

LOG = logging.getLogger("specloom.lsp")


class ConnectedRoot:
    """One root of a client, or the lack of any."""

    def __init__(self, places: Places | None) -> None:
        self.places = places
        """`None`: the client named no folder."""
        self.named = "" if places is None else places.named
        self.serving: asyncio.Future[Serving] = asyncio.get_running_loop().create_future()
        """What answers, once the root was opened; replaced when it is opened again."""


class Connection:
    """One client."""

    def __init__(self, protocol: SpecloomProtocol, outbox: Outbox, host: "Callable[[], Host]", name: str) -> None:
        self.protocol = protocol
        self.host = host
        self.name = name
        """Unique among the clients of this process."""
        self.outgoing = Outgoing(protocol, outbox)
        self.until_below = outbox.below
        """Waits until at most so many bytes wait for the client."""
        self.buffers = Buffers()
        self.roots: list[ConnectedRoot] = []
        """Those of the client, since `initialize`; one without a place if it named none."""
        self.settings = EditorSettings()
        self.cancellable: dict[str | int, Callable[[], object]] = {}
        """What a progress token's cancel does."""
        self.on_client: Callable[[int], object] = _nobody
        """Called with the number of the client's process, if it names one."""
        self.notice = ""
        """What the person is told once, when the client is ready."""
        self._tasks: set[asyncio.Task[Any]] = set()

    def initialize(self, params: types.InitializeParams) -> None:
        """Takes what `initialize` says."""
        self.buffers.encoding = self.protocol.encoding
        self.roots = [ConnectedRoot(places) for places in _places_of(params) or (None,)]
        self.settings.given = section_of(params.initialization_options)
        if params.client_info is not None:
            self.name = f"{params.client_info.name} {self.name}".replace("/", "-")
        if params.process_id is not None:
            self.on_client(params.process_id)

    def root_at(self, uri: str) -> "ConnectedRoot | None":
        """The deepest root that holds a file; `None` if none does."""
        holding = [root for root in self.roots if root.places is not None and root.places.path_of(uri) is not None]
        return max(holding, key=lambda root: len(root.named), default=None)

    def answering(self, uri: str) -> Places | None:
        """Where the deepest root that holds a file stands."""
        root = self.root_at(uri)
        return None if root is None else root.places

    def change_roots(
        self, event: types.WorkspaceFoldersChangeEvent
    ) -> "tuple[list[ConnectedRoot], list[ConnectedRoot]]":
        """Takes other folders; the roots that are gone, and those that came."""
        dropped = {places.named for folder in event.removed if (places := places_at(folder.uri)) is not None}
        kept = [root for root in self.roots if root.places is not None and root.named not in dropped]
        known = {root.named for root in kept}
        added = (places_at(folder.uri) for folder in event.added)
        fresh = {places.named: places for places in added if places is not None and places.named not in known}
        come = [ConnectedRoot(places) for places in fresh.values()]
        if not kept and not come:
            come = [ConnectedRoot(None)]
        gone = [root for root in self.roots if root not in kept]
        self.roots = [*kept, *come]
        return gone, come

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Runs a task that ends with the connection; a failure is logged and goes no further."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def close(self) -> None:
        """Cancels every task and waits for it."""
        while self._tasks:
            tasks = tuple(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._tasks.difference_update(tasks)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.error("%s failed", task.get_name(), exc_info=error)


def _nobody(_: int) -> None:
    return


def _places_of(params: types.InitializeParams) -> list[Places]:
    """The workspace folders, else the root URI, else the root path; those that are folders here."""
    named = [folder.uri for folder in params.workspace_folders or ()]
    found = [places for uri in named if (places := places_at(uri)) is not None]
    if not found and (single := places_at(params.root_uri or "") or _stripped(params.root_path or "")) is not None:
        found.append(single)
    return list({places.named: places for places in found}.values())


def places_at(uri: str) -> Places | None:
    """The folder of a URI; `None` for one that is no file."""
    return _stripped(to_fs_path(uri) or "")


def _stripped(path: str) -> Places | None:
    stripped = path.rstrip("/") or path[:1]
    return Places(Path(stripped), stripped) if stripped else None
