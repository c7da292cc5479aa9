"""The log and the projection as one: append, fold, tell. Refuses to tell of an event that is not committed."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from specloom.domain.events import Event
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import CommandId
from specloom.domain.origin import Origin
from specloom.domain.redact import Redactor
from specloom.engine import snapshots
from specloom.engine.api import EventListener, Published
from specloom.engine.lanes import Lane, Lanes
from specloom.engine.listeners import Listeners
from specloom.engine.precedence import Precedence
from specloom.engine.state_guard import StateGuard
from specloom.engine.unkeyed import without_keys
from specloom.store.database import FILE_NAME
from specloom.store.errors import ConcurrencyConflict, StoreError
from specloom.store.log import EventStore
from specloom.store.record import EventRecord, NewEvent
from specloom.workspace.shielding import to_the_end

log = logging.getLogger(__name__)
PAGE = 1000
"""Events that are read at a time on the way back."""

PROJECT = "project"
"""The stream that decisions are made on."""


class Ledger:
    """The only way to the log for the engine. Belongs to one event loop."""

    def __init__(self, store: EventStore, redact: Redactor) -> None:
        self._store = store
        self._redact = redact
        self.lanes = Lanes()
        """Of readings of the log, which share one thread."""
        self.orders = Precedence()
        self.guard = StateGuard(store.directory / FILE_NAME)
        self.state = EMPTY
        """The projection of everything that is committed."""
        self._early: dict[int, EventRecord] = {}
        self._listeners = Listeners[EventListener]()
        self._appending: set[asyncio.Task[Any]] = set()
        self.fault = ""
        """Why the newest append failed; empty: it did not."""
        self._kept = 0
        """Sequence number of the newest snapshot."""
        self._keeping: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Folds the log as it stands, from the newest snapshot on; call once, before anything else."""
        await self.guard.remember()
        self.state = await snapshots.load(self._store)
        self._kept = self.state.seq
        async for page in self._store.iterate(self.state.seq):
            for record in page:
                self.state = evolve(self.state, as_event(record), record.at, record.seq)

    def redacted(self, text: str) -> str:
        """The text as it may be shown, each line at its place."""
        return self._redact.in_place(text)

    async def append(
        self,
        stream: str,
        events: Sequence[Event],
        by: Origin,
        *,
        expected: int | None = None,
        command_id: str | None = None,
        in_turn: bool = False,
    ) -> tuple[EventRecord, ...]:
        """Commits events, folds them and tells the listeners. A cancellation waits until they are folded.

        What the engine commits gives way to orders, but not `in_turn`: who holds up others waits for none of them.

        Nothing but a `command_id` is kept too: that order was carried out. Raises `ConcurrencyConflict` when `expected`
        is not the stream's last sequence number, and `StoreError`.
        """
        if not events and command_id is None:
            return ()
        return await to_the_end(self._append(_Batch(stream, events, by, expected, command_id, in_turn)))

    async def _append(self, batch: "_Batch") -> tuple[EventRecord, ...]:
        known = None if batch.command_id is None else CommandId(batch.command_id)
        task = asyncio.current_task()
        assert task is not None
        self._appending.add(task)
        try:
            if not batch.in_turn:
                await self.orders.give_way(batch.by)
            new = [NewEvent(event, batch.by) for event in without_keys(batch.events, self._redact)]
            records = await self._store.append(batch.stream, batch.expected, new, known)
            self.fault = ""
            self._take(records)
        except ConcurrencyConflict:
            raise
        except StoreError as error:
            self.fault = str(error)
            raise
        finally:
            self._appending.discard(task)
        return records

    def _take(self, records: Sequence[EventRecord]) -> None:
        # Appends of several streams may be answered in another order than they were committed in.
        self._early.update({record.seq: record for record in records if record.seq > self.state.seq})
        while (record := self._early.pop(self.state.seq + 1, None)) is not None:
            self.state = evolve(self.state, as_event(record), record.at, record.seq)
            self._tell(record)
        if self.state.seq - self._kept >= snapshots.EVERY and (self._keeping is None or self._keeping.done()):
            self._kept = self.state.seq
            self._keeping = asyncio.create_task(snapshots.save(self._store, self.state))

    def tell_unkept(self, events: Sequence[Event], at: str) -> None:
        """Says how it ended where the log is gone: listeners hear it, and it is kept nowhere."""
        for event in without_keys(events, self._redact):
            seq = self.state.seq + 1
            self.state = evolve(self.state, event, at, seq)
            self._tell(EventRecord(seq, at, PROJECT, type(event).__name__, event.V, None, Origin("engine"), event))

    def _tell(self, record: EventRecord) -> None:
        published = as_published(record)
        for listener in self._listeners:
            try:
                listener(published, self.state)
            except Exception:  # what a client makes of an event must not stop the work, nor the other clients
                log.exception("a listener failed at event %d", record.seq)

    @contextmanager
    def listen(self, listener: EventListener) -> Generator[int]:
        """Tells `listener` each event after the yielded sequence number."""
        with self._listeners.present(listener):
            yield self.state.seq

    async def command(self, command_id: str | None) -> int | None:
        """The last sequence number of an earlier command with this id, or `None`."""
        if command_id is None:
            return None
        async with self.lanes.turn(Lane.INTERACTIVE):
            records = await self._store.command(CommandId(command_id))
        if records is None:
            return None
        return records[-1].seq if records else self.state.seq

    async def first_of(self, command_id: str) -> Event | None:
        """The first event of an earlier command, if it led to any."""
        async with self.lanes.turn(Lane.INTERACTIVE):
            records = await self._store.command(CommandId(command_id))
        return as_event(records[0]) if records else None

    async def read(
        self, since: int, limit: int | None = None, streams: Sequence[str] | None = None
    ) -> tuple[Published, ...]:
        """Committed events after `since`, in order."""
        async with self.lanes.turn(Lane.WORK):
            records = await self._store.read(since, limit, streams)
        return tuple(as_published(record) for record in records)

    async def pages_back(self) -> AsyncGenerator[tuple[Published, ...]]:
        """The log from its end to its beginning, in pages; each of them in order."""
        upper = self.state.seq
        while upper > 0:
            lower = max(upper - PAGE, 0)
            yield await self.read(lower, upper - lower)
            upper = lower

    async def drain(self) -> None:
        """Waits until every append that was begun is committed and folded; call before the store is closed."""
        while self._appending:
            await asyncio.gather(*self._appending, return_exceptions=True)
        if self._keeping is not None:
            await self._keeping
        if self.state.seq - self._kept >= snapshots.WORTH:
            self._kept = self.state.seq
            await snapshots.save(self._store, self.state)


@dataclass(frozen=True, slots=True)
class _Batch:
    """One order to append."""

    stream: str
    events: Sequence[Event]
    by: Origin
    expected: int | None
    command_id: str | None
    in_turn: bool


def as_event(record: EventRecord) -> Event:
    """The event of a record; the registry holds no other classes."""
    return record.event  # pyright: ignore[reportReturnType] - the codec decodes into the classes of the registry only


def as_published(record: EventRecord) -> Published:
    """A record as subscribers see it."""
    return Published(record.seq, record.at, record.by, as_event(record), record.command_id)
