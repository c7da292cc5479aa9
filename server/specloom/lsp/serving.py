"""What answers a client once its root is opened: a runtime that takes orders, or why there is none.

Refuses protocol shapes: features translate.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TypeAlias

from specloom.domain.origin import Origin
from specloom.domain.problem import Problem
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.engine.api import Published, Runtime
from specloom.lsp.client_port import ClientPort
from specloom.lsp.connection import Connection
from specloom.lsp.disk import text_on_disk
from specloom.lsp.hosting import Reader
from specloom.lsp.positions import TextLines
from specloom.lsp.uris import Places


class Hosted:
    """A runtime that takes orders."""

    def __init__(self, connection: Connection, places: Places, runtime: Runtime) -> None:
        self.connection = connection
        self.places = places
        self.runtime = runtime
        self.port = ClientPort(connection.name, connection.outgoing, connection.buffers, places)
        self.by = Origin("user", connection.name)
        self.announce: Callable[[], None] = _nothing
        """Asks for a look at diagnostics, lenses and hints."""
        self.subscription = ExitStack()
        """Of this client to events and output; empty when it has none."""
        self.subscribed = False

    @property
    def state(self) -> ProjectState:
        """The projection as of now."""
        return self.runtime.state

    async def refreshed(self) -> ProjectState:
        """The same; it is always fresh."""
        return self.runtime.state

    @property
    def problems(self) -> Mapping[str, tuple[Problem, ...]]:
        """All problems by path."""
        return self.runtime.problems

    async def events(self, since: int, limit: int) -> tuple[Published, ...]:
        """Committed events."""
        return await self.runtime.events(since, limit)

    def path_of(self, uri: str) -> str | None:
        """The path below the root."""
        return self.places.path_of(uri)

    def answers_for(self, uri: str) -> bool:
        """Whether no other root of the client, deeper than this one, holds the file."""
        return self.connection.answering(uri) in (None, self.places)

    def lines_of(self, uri: str) -> TextLines | None:
        """The text that this client has open."""
        buffer = self.connection.buffers.get(uri)
        return None if buffer is None else buffer.lines

    async def text_at(self, path: str) -> TextLines | None:
        """The text of a document as it stands: this client's buffer, else the disk; `None` when it is unreadable."""
        opened = self.lines_of(self.places.uri_of(path))
        if opened is not None:
            return opened
        text = await asyncio.to_thread(text_on_disk, self.places.root / path)
        return None if text is None else TextLines(text, self.connection.buffers.encoding)


class Unhosted:
    """Orders are refused, and why; the projection may still be read."""

    def __init__(
        self,
        connection: Connection,
        places: Places | None,
        refusal: Rejected,
        problems: tuple[Problem, ...] = (),
        reader: Reader | None = None,
    ) -> None:
        self.connection = connection
        self.places = places
        self.refusal = refusal
        self.reported = problems
        self._reader = reader

    def answers_for(self, uri: str) -> bool:
        """Whether no other root of the client, deeper than this one, holds the file."""
        return self.connection.answering(uri) in (None, self.places)

    @property
    def state(self) -> ProjectState | None:
        """The projection as the log had it; `None` when there is none to read."""
        return None if self._reader is None else self._reader.state

    async def refreshed(self) -> ProjectState | None:
        """The projection with what the other process committed since."""
        return None if self._reader is None else await self._reader.refresh()

    @property
    def problems(self) -> Mapping[str, tuple[Problem, ...]]:
        """What kept the root from being opened, by path."""
        paths = dict.fromkeys(problem.path for problem in self.reported)
        return {path: tuple(problem for problem in self.reported if problem.path == path) for path in paths}

    async def events(self, since: int, limit: int) -> tuple[Published, ...]:
        """Committed events, also those of the process that hosts the root."""
        return () if self._reader is None else await self._reader.events(since, limit)


Serving: TypeAlias = Hosted | Unhosted


def _nothing() -> None:
    return
