"""The event log of one project. Refuses to decide, to publish, and to touch the disk on the event loop's thread."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, Literal, ParamSpec, TypeAlias, TypeVar

from specloom.domain.ids import CommandId, Digest, ProjectId
from specloom.domain.ports import Clock, Ids
from specloom.store import blobs, events, snapshots
from specloom.store.claims import COPY_OF, claim
from specloom.store.codec import Codec, EventRegistry, Upcasters
from specloom.store.commit import GroupCommit
from specloom.store.database import (
    FILE_NAME,
    REBUILT_META,
    connect_reader,
    connect_writer,
    finish_rebuilding,
    prepare_directory,
)
from specloom.store.errors import (
    CorruptStoreError,
    ForeignStoreError,
    NewerVersionError,
    StoreClosedError,
    StoreReadOnlyError,
    mapped_errors,
)
from specloom.store.lock import WriterLock
from specloom.store.presence import Presence
from specloom.store.record import EventRecord, NewEvent
from specloom.store.schema import migrate, newer_format, read_meta
from specloom.store.system import RandomIds

if TYPE_CHECKING:
    from specloom.store.rebuild import Rebuilt

Mode: TypeAlias = Literal["write", "read"]
P = ParamSpec("P")
T = TypeVar("T")

PAGE = 1000
"""Records that one step of `iterate` delivers at the most."""


class EventStore:
    """Made by `open`. Belongs to the event loop that opened it; every method may be called concurrently.

    An append is committed, also when its caller is cancelled, or it raises. Reads see every append that was answered.
    """

    def __init__(self, directory: Path, codec: Codec, clock: Clock, mode: Mode) -> None:
        self.directory = directory
        self.mode: Mode = mode
        self.newer: NewerVersionError | None = None
        """Set on a store opened for reading when a newer Specloom wrote it: what has to be told to the user."""
        self.project_id = ProjectId("")
        """Given to the project when its state was made; never changes but in a copy of it."""
        self.copy_of = ProjectId("")
        """Where the state is a copy: the id that it had, which stays its original's."""
        self.created_at = ""
        self._rebuilt = ""
        self._codec = codec
        self._clock = clock
        self._path = directory / FILE_NAME
        self._presence = Presence(self._path)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="specloom-store-reader")
        self._reading: sqlite3.Connection | None = None
        self._writer: GroupCommit | None = None
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        directory: Path,
        registry: EventRegistry,
        clock: Clock,
        *,
        mode: Mode = "write",
        upcasters: Upcasters | None = None,
        ids: Ids | None = None,
        holder: str = "specloom",
    ) -> "EventStore":
        """Opens the state in `directory`; `mode="write"` makes it and keeps other writers out until `close`.

        `holder` is what another writer is told. Raises `StoreLockedError`, `NewerVersionError` (writing only: open for
        reading instead), `StoreMissingError` (reading only), `CorruptStoreError`, `StoreReadOnlyError`,
        `StoreFullError`.
        """
        store = cls(directory, Codec(registry, upcasters), clock, mode)
        try:
            if mode == "write":
                await store._start_writing(ids or RandomIds(), holder)
            await store._run_on_reader(store._start_reading)
        except BaseException:
            await store.close()
            raise
        return store

    @classmethod
    async def rebuild(
        cls,
        directory: Path,
        registry: EventRegistry,
        clock: Clock,
        damage: CorruptStoreError,
        *,
        ids: Ids | None = None,
        holder: str = "specloom",
    ) -> "Rebuilt":
        """After `damage` was told by `open` or by reading: puts the log aside, and what can be read in its place.

        Raises `damage` again where the file is another program's, and the errors of `open`.
        """
        from specloom.store.rebuild import rebuild

        if isinstance(damage, ForeignStoreError):
            raise damage
        codec, named = Codec(registry), ((ids or RandomIds()).new("project"), clock.now())
        return await asyncio.to_thread(rebuild, directory, codec, named, holder, str(damage).partition("; ")[0])

    @property
    def rebuilt(self) -> "Rebuilt | None":
        """What came of rebuilding this log, for as long as there is this file; `None`: it was never rebuilt."""
        from specloom.store.rebuild import Rebuilt

        return Rebuilt.of_json(self._rebuilt, self.directory) if self._rebuilt else None

    @property
    def commits(self) -> int:
        """Transactions since the store was opened; each costs one sync of the disk."""
        return self._writer.commits if self._writer else 0

    async def append(
        self, stream: str, expected: int | None, new: Sequence[NewEvent], command_id: CommandId | None = None
    ) -> tuple[EventRecord, ...]:
        """Commits all of `new`, or nothing; answers when they are on the disk.

        `expected` is the last `seq` of this stream as the caller knows it (0: none; `None`: any). A `command_id` that
        is in the log already is not written again: the records of the first time come back, with `repeated` set.
        Raises `ConcurrencyConflict`, `StoreFullError`, `StoreBusyError`, `StoreReadOnlyError`, `StoreLostError`,
        `StoreClosedError`.
        """
        order = events.Append(stream, expected, tuple(new), command_id, self._clock.now())
        return await self._write(lambda db: events.append(db, self._codec, order))

    async def command(self, command_id: CommandId) -> tuple[EventRecord, ...] | None:
        """What this command led to, perhaps nothing; `None` if it was never seen. Delivers and raises as `read`."""
        return await self._read(events.select_command, self._codec, command_id, lenient=self.mode == "read")

    async def read(
        self, since: int = 0, limit: int | None = None, streams: Collection[str] | None = None
    ) -> list[EventRecord]:
        """The records with `seq > since` in order, of the given streams or all.

        A store opened for reading delivers what it does not know as `UnknownEvent`. Raises `CorruptStoreError`.
        """
        most = -1 if limit is None else max(limit, 0)
        page = events.Page(since, most, streams)
        return await self._read(events.select_events, self._codec, page, lenient=self.mode == "read")

    async def iterate(self, since: int = 0, streams: Collection[str] | None = None) -> AsyncIterator[list[EventRecord]]:
        """As `read` without limit, in pages, none empty; ends at the last record there is when it gets there."""
        while page := await self.read(since, PAGE, streams):
            yield page
            since = page[-1].seq

    async def last_seq(self, stream: str | None = None) -> int:
        """Of one stream, or of the whole log; 0 when empty."""
        return await self._read(events.last_seq, stream)

    async def blob(self, digest: Digest) -> bytes | None:
        """The content that an event names by digest; `None` if it was never stored. Raises `CorruptStoreError`."""
        return await self._read(blobs.select_blob, digest)

    async def save_snapshot(self, name: str, seq: int, v: int, data: bytes) -> None:
        """Keeps folded state as of `seq`, in the caller's format `v`, in place of any of the same or an older `v`."""
        await self._write(lambda db: snapshots.insert_snapshot(db, name, seq, v, data))

    async def load_snapshot(self, name: str, v: int) -> tuple[int, bytes] | None:
        """Its `seq` and data; `None` if there is none of exactly this `v`. Raises `CorruptStoreError`."""
        return await self._read(snapshots.select_snapshot, name, v)

    async def close(self) -> None:
        """Commits what was asked for before, then lets the next writer in. Harmless when repeated."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="close the store")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        # The reader goes first: only the last connection folds the write-ahead log into the file, and it must be ours.
        await self._run_on_reader(self._stop_reading)
        self._reader.shutdown(wait=False)
        if self._writer is not None:
            await self._writer.close()

    async def _start_writing(self, ids: Ids, holder: str) -> None:
        now = self._clock.now()
        lock, presence = WriterLock(self.directory), self._presence

        def connect() -> sqlite3.Connection:
            prepare_directory(self.directory)
            lock.acquire(what=holder, since=now)
            with mapped_errors(self._path):
                finish_rebuilding(self.directory)
            db = _connect(self.directory, self._codec, ids.new("project"), now)
            presence.remember()
            return db

        self._writer = GroupCommit(connect, lock.release, self._path, presence.check)
        await self._writer.start()

    async def is_lost(self) -> bool:
        """Whether the file that is written to was removed or replaced, so that nothing is kept any more."""
        return self._writer is not None and await asyncio.to_thread(self._presence.is_lost)

    def _start_reading(self) -> None:
        db = self._reading = connect_reader(self.directory)
        with mapped_errors(self._path):
            self.newer = newer_format(db) or events.newer_type(db, self._codec)
            meta = read_meta(db)
        self.project_id = ProjectId(meta["projectId"])
        self.copy_of = ProjectId(meta.get(COPY_OF, ""))
        self.created_at = meta["createdAt"]
        self._rebuilt = meta.get(REBUILT_META, "")

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._writer is None:
            raise StoreReadOnlyError(f"{self._path} was opened for reading; open it for writing to change it")
        if self._closing is not None:
            raise StoreClosedError(f"{self._path} was closed; nothing was written")
        return await self._writer.submit(work)

    async def _read(
        self, query: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        db = self._reading
        if db is None or self._closing is not None:
            raise StoreClosedError(f"{self._path} was closed; open it again to read")

        def run() -> T:
            with mapped_errors(self._path):
                return query(db, *args, **kwargs)

        return await self._run_on_reader(run)

    async def _run_on_reader(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reader, work)


def _connect(directory: Path, codec: Codec, project_id: str, now: str) -> sqlite3.Connection:
    """The write connection, migrated. Raises `NewerVersionError` rather than write among what we do not know."""
    db = connect_writer(directory)
    try:
        with mapped_errors(directory / FILE_NAME):
            _refuse_newer(newer_format(db))
            migrate(db, project_id=project_id, now=now)
            _refuse_newer(events.newer_type(db, codec))
            claim(db, directory / FILE_NAME, project_id)
    except BaseException:
        db.close()
        raise
    return db


def _refuse_newer(error: NewerVersionError | None) -> None:
    if error is not None:
        raise error
