"""One thread that owns the write connection and commits in groups. Refuses to tell success before the commit."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias, TypeVar

from specloom.store.errors import StoreClosedError, mapped_errors

T = TypeVar("T")
Work: TypeAlias = Callable[[sqlite3.Connection], T]

_MOST_IN_A_GROUP = 512


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work[Any]
    future: "asyncio.Future[Any]"


@dataclass(frozen=True, slots=True)
class _Outcome:
    future: "asyncio.Future[Any]"
    value: Any = None
    error: Exception | None = None


class GroupCommit:
    """Runs jobs in the order of `submit`, each in a savepoint of a shared transaction.

    A job that raises leaves no trace and fails alone. When SQLite fails, the whole group fails and nothing of it is
    kept. What was submitted is written even if its waiter is cancelled.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        release: Callable[[], None],
        place: Path,
        check: Callable[[], None],
    ) -> None:
        """`connect` and, at the end in any case, `release` are called on the thread; `place` stands in messages.

        `check` is called on the thread before each commit, and what it raises is what the whole group is told.
        """
        self.commits = 0
        """Transactions that changed something: each costs one sync of the disk."""
        self._connect = connect
        self._release = release
        self._place = place
        self._check = check
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._started: asyncio.Future[Any] = self._loop.create_future()
        self._ended: asyncio.Future[Any] = self._loop.create_future()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="specloom-store-writer", daemon=True)

    async def start(self) -> None:
        """Raises what `connect` raises."""
        self._thread.start()
        await asyncio.shield(self._started)

    async def submit(self, work: Work[T]) -> T:
        """What `work` returned, once that is on the disk. Raises what `work` raises, `StoreError`."""
        if self._closing:
            raise StoreClosedError(f"{self._place} was closed; nothing was written")
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Job(work, future))
        return await future

    async def close(self) -> None:
        """Writes what was submitted, then ends the thread. A second call waits for the same end."""
        if not self._closing:
            self._closing = True
            self._queue.put(None)
        await asyncio.shield(self._ended)

    def _run(self) -> None:
        try:
            db = self._connect()
        except Exception as error:  # noqa: BLE001 - goes to whoever waits in `start`
            self._deliver([_Outcome(self._started, error=error)])
        else:
            self._deliver([_Outcome(self._started)])
            with contextlib.closing(db):
                self._serve(db)
        finally:
            self._release()
            self._deliver([_Outcome(self._ended)])

    def _serve(self, db: sqlite3.Connection) -> None:
        going = True
        while going:
            group, going = self._next_group()
            self._deliver(self._commit(db, group))

    def _next_group(self) -> tuple[Sequence[_Job], bool]:
        """All that waits, and whether more may come."""
        group: list[_Job] = []
        job = self._queue.get()
        while job is not None:
            group.append(job)
            if len(group) == _MOST_IN_A_GROUP:
                return group, True
            try:
                job = self._queue.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _commit(self, db: sqlite3.Connection, group: Sequence[_Job]) -> Sequence[_Outcome]:
        if not group:
            return ()
        before = db.total_changes
        try:
            with mapped_errors(self._place):
                db.execute("BEGIN IMMEDIATE")
                outcomes = [_attempt(db, job) for job in group]
                self._check()
                db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - goes to all who wait; the thread lives on for the next group
            _roll_back(db)
            return [_Outcome(job.future, error=error) for job in group]
        self.commits += db.total_changes > before
        return outcomes

    def _deliver(self, outcomes: Sequence[_Outcome]) -> None:
        if outcomes and not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(_settle, outcomes)
            except RuntimeError:
                # The loop ended meanwhile: what was committed stays committed, and nobody waits for it.
                return


def _attempt(db: sqlite3.Connection, job: _Job) -> _Outcome:
    db.execute("SAVEPOINT job")
    try:
        outcome = _Outcome(job.future, job.work(db))
    except sqlite3.Error:
        raise
    except Exception as error:  # noqa: BLE001 - goes to the one who waits
        db.execute("ROLLBACK TO job")
        outcome = _Outcome(job.future, error=error)
    db.execute("RELEASE job")
    return outcome


def _roll_back(db: sqlite3.Connection) -> None:
    # After a full disk or an I/O error SQLite has often rolled back by itself.
    with contextlib.suppress(sqlite3.Error):
        if db.in_transaction:
            db.execute("ROLLBACK")


def _settle(outcomes: Sequence[_Outcome]) -> None:
    for outcome in outcomes:
        if outcome.future.done():
            continue
        if outcome.error is None:
            outcome.future.set_result(outcome.value)
        else:
            outcome.future.set_exception(outcome.error)
