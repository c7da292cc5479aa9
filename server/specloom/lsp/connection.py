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


class Connection:
    """One client."""

    def __init__(self, protocol: SpecloomProtocol, outbox: Outbox, host: "Callable[[], Host]", name: str) -> None:
        self.protocol = protocol
        self.host = host
        self.name = name
        """Unique among the clients of this process."""
        self.outgoing = Outgoing(protocol, lambda: outbox.waiting)
        self.until_below = outbox.below
        """Waits until at most so many bytes wait for the client."""
        self.buffers = Buffers()
        self.places: Places | None = None
        """The root, once `initialize` named one."""
        self.settings = EditorSettings()
        self.serving: asyncio.Future[Serving] = asyncio.get_running_loop().create_future()
        """What answers, once the root was opened; replaced when it is opened again."""
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
        self.places = _places_of(params)
        self.settings.given = section_of(params.initialization_options)
        if params.client_info is not None:
            self.name = f"{params.client_info.name} {self.name}".replace("/", "-")
        if params.process_id is not None:
            self.on_client(params.process_id)

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


def _places_of(params: types.InitializeParams) -> Places | None:
    """The first workspace folder, else the root URI, else the root path; `None` without any that is a folder here."""
    folders = [folder.uri for folder in params.workspace_folders or ()]
    named = next((path for uri in (*folders, params.root_uri or "") if (path := to_fs_path(uri))), None)
    named = named or params.root_path
    if not named:
        return None
    stripped = named.rstrip("/") or "/"
    return Places(Path(stripped), stripped)
