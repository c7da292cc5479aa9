"""Measures the store: commits, replay, opening. Refuses to judge: it prints one line of JSON.

`python benchmarks/store.py [--events N] [--directory D]`; put the directory on a disk, since a commit waits for it.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from specloom.domain.ids import AgentId, AttemptId, TaskId
from specloom.domain.origin import Origin
from specloom.store.log import EventStore
from specloom.store.record import NewEvent
from specloom.store.system import SystemClock


class Ending(StrEnum):
    """How a call ended."""

    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Tokens:
    """A nested value, as most events of the domain hold one."""

    input: int
    output: int
    cost: float | None


@dataclass(frozen=True, slots=True)
class CallEnded:
    """Of the size of a common event of the domain."""

    task: TaskId
    attempt: AttemptId
    name: str
    ending: Ending
    files: tuple[str, ...]
    tokens: Tokens
    text: str


REGISTRY: Mapping[str, type[Any]] = {"CallEnded": CallEnded}
BY = Origin("agent", "neovim", AgentId("agent-1"))
BATCH = 500
CLIENTS = 100


def sample(number: int) -> NewEvent:
    """One event; all differ."""
    tokens = Tokens(number, 250, 0.25)
    task, attempt = TaskId(f"01/{number % 50}"), AttemptId("attempt-0199")
    return NewEvent(CallEnded(task, attempt, "edit_file", Ending.DONE, ("a.py", "b.py"), tokens, "changed 2 lines"), BY)


async def one_client(store: EventStore, n_events: int) -> float:
    """Events a second when each append waits for the one before."""
    start = time.perf_counter()
    for number in range(n_events):
        await store.append("sequential", None, [sample(number)])
    return n_events / (time.perf_counter() - start)


async def many_clients(store: EventStore, n_events: int) -> float:
    """Events a second of 100 clients, each of which waits for its own appends."""
    start = time.perf_counter()
    await asyncio.gather(*(one_client(store, n_events // CLIENTS) for _ in range(CLIENTS)))
    return n_events / (time.perf_counter() - start)


async def fill(store: EventStore, n_events: int) -> None:
    """Brings the log to `n_events`."""
    for first in range(await store.last_seq(), n_events, BATCH):
        new = [sample(number) for number in range(first, min(first + BATCH, n_events))]
        await store.append(f"stream{first % 20}", None, new)


async def replay(store: EventStore) -> float:
    """Events a second, decoded."""
    start = time.perf_counter()
    n_events = 0
    async for page in store.iterate():
        n_events += len(page)
    return n_events / (time.perf_counter() - start)


async def opened(directory: Path) -> tuple[EventStore, float]:
    """A store for writing, and the seconds that took."""
    start = time.perf_counter()
    store = await EventStore.open(directory, REGISTRY, SystemClock(), holder="a benchmark")
    return store, time.perf_counter() - start


async def measure(directory: Path, n_events: int) -> dict[str, float]:
    """All figures."""
    store, empty = await opened(directory)
    sequential = await one_client(store, 500)
    before = store.commits
    concurrent = await many_clients(store, 10_000)
    commits = store.commits - before
    await fill(store, n_events)
    await store.close()
    store, full = await opened(directory)
    replayed = await replay(store)
    n_events = await store.last_seq()
    await store.close()
    return {
        "events": n_events,
        "committed_per_second_one_client": round(sequential),
        "committed_per_second_100_clients": round(concurrent),
        "events_per_commit_100_clients": round(10_000 / commits, 1),
        "replayed_per_second": round(replayed),
        "open_empty_ms": round(empty * 1000, 1),
        "open_full_ms": round(full * 1000, 1),
        "bytes_per_event": round((directory / "state.db").stat().st_size / n_events),
    }


def main() -> None:
    """Parses the arguments, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="size of the log that is opened and replayed")
    parser.add_argument("--directory", type=Path, help="where to make the log (default: the temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="specloom-benchmark-", dir=arguments.directory) as folder:
        print(json.dumps(asyncio.run(measure(Path(folder) / ".specloom", arguments.events))))


if __name__ == "__main__":
    main()
