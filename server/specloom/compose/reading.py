"""Reads a project's log without hosting it, also while somebody else does. Refuses to write anything."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from specloom.compose.errors import ConfigurationError
from specloom.compose.files import SETTINGS, STATE, STATE_DIR, read_root, state_directory
from specloom.domain.events import REGISTRY
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.project import ProjectState
from specloom.engine import snapshots
from specloom.engine.api import Published
from specloom.engine.ledger import as_event, as_published
from specloom.store.errors import NewerVersionError, StoreMissingError
from specloom.store.lock import writer_of
from specloom.store.log import EventStore
from specloom.store.record import UnknownEvent
from specloom.store.system import SystemClock


class Reader:
    """A log that is open for reading, for as many as ask at once."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._turn = asyncio.Lock()
        """Held by whoever reads: two who fold at once would fold the same twice, and nobody closes under a reader."""
        self._closed = False
        self.state: ProjectState = EMPTY
        """The projection as of the last `refresh`."""

    @property
    def newer(self) -> NewerVersionError | None:
        """Set when a newer Specloom wrote the log: what has to be told to the user."""
        return self._store.newer

    async def refresh(self) -> ProjectState:
        """Folds what was committed since; once it is closed, what was folded last."""
        async with self._turn:
            if not self._closed:
                await self._fold()
        return self.state

    async def _fold(self) -> None:
        async for page in self._store.iterate(self.state.seq):
            for record in page:
                if not isinstance(record.event, UnknownEvent):
                    self.state = evolve(self.state, as_event(record), record.at, record.seq)

    async def events(self, since: int, limit: int | None = None) -> tuple[Published, ...]:
        """Committed events after `since`; what a newer Specloom wrote and this one does not know is left out."""
        async with self._turn:
            records = await self._store.read(since, limit)
        return tuple(as_published(record) for record in records if not isinstance(record.event, UnknownEvent))

    async def writer(self) -> str | None:
        """Who holds the lock of the log now; `None`: nobody writes."""
        return await asyncio.to_thread(writer_of, self._store.directory)

    async def close(self) -> None:
        """Lets the files go, once nobody reads."""
        async with self._turn:
            self._closed = True
            await self._store.close()


async def open_reader(root: Path, environment: Mapping[str, str]) -> Reader:
    """Opens the log of `root` for reading.

    Raises `StoreMissingError` where nothing was ever planned or run, `ConfigurationError` where the log lies in a
    folder that the settings propose: a run was granted it, and nobody has granted it to who only reads.
    """
    files = await asyncio.to_thread(read_root, root)
    directory = state_directory(root, environment, None)
    try:
        store = await EventStore.open(directory, REGISTRY, SystemClock(), mode="read")
    except StoreMissingError:
        await asyncio.to_thread(_refuse_elsewhere, root, environment, files.settings)
        raise
    reader = Reader(store)
    try:
        reader.state = await snapshots.load(store)
        await reader.refresh()
    except BaseException:
        await store.close()
        raise
    return reader


def _refuse_elsewhere(root: Path, environment: Mapping[str, str], settings: str | None) -> None:
    if environment.get(STATE_DIR) or settings is None or "state_dir" not in settings:
        return
    # Settings cost more to import than a log to read.
    from specloom.settings.load import Source, checked, parse

    source = Source(SETTINGS, settings)
    proposed = checked(parse(source)[0], source)[0].get("state_dir")
    directory = state_directory(root, environment, proposed)
    if (directory / "state.db").exists():
        raise ConfigurationError(
            f"{root / STATE} holds nothing, and {directory}, which {SETTINGS} proposes, holds a log; "
            f"set {STATE_DIR}={directory} to read it"
        )
