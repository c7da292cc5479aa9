"""What other processes do with a store: `python store_process.py ROLE DIRECTORY`. Reports JSON lines on stdout."""

import asyncio
import importlib
import json
import os
import resource
import sys
from itertools import count
from pathlib import Path

from store_samples import BY, REGISTRY, CountingClock, Noted

from specloom.domain.ids import CommandId
from specloom.store.errors import StoreError
from specloom.store.log import EventStore
from specloom.store.record import NewEvent

NOBODY = 65534


def say(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


async def write_forever(directory: Path) -> None:
    """Several writers at once, three events a command, one of them long; tells each command that was acknowledged."""
    store = await EventStore.open(directory, REGISTRY, CountingClock(), holder="the other process")

    async def write(stream: str) -> None:
        for number in count():
            name = f"{stream}-{number}"
            long = f"{name} " * 1000
            new = [NewEvent(Noted(text), BY) for text in (name, long, name)]
            records = await store.append(stream, None, new, CommandId(name))
            say(command=name, seqs=[record.seq for record in records])

    await asyncio.gather(*(write(f"stream{index}") for index in range(8)))


async def fill_the_disk(directory: Path) -> None:
    """Writes until the disk (a limit on file size) is full, then once more when there is room again."""
    store = await EventStore.open(directory, REGISTRY, CountingClock())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, hard))
    acknowledged: list[int] = []
    try:
        for _ in range(1000):
            noise = os.urandom(20_000).hex()
            acknowledged += [r.seq for r in await store.append("s", None, [NewEvent(Noted(noise), BY)])]
    except StoreError as error:
        say(error=type(error).__name__, message=str(error), retryable=error.retryable)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    acknowledged += [r.seq for r in await store.append("s", len(acknowledged), [NewEvent(Noted("room again"), BY)])]
    say(acknowledged=acknowledged)
    await store.close()


async def try_without_rights(directory: Path) -> None:
    """Opens as somebody who may read and not write."""
    if os.geteuid() == 0:
        os.setuid(NOBODY)
    for mode in ("write", "read"):
        try:
            store = await EventStore.open(directory, REGISTRY, CountingClock(), mode=mode)
            say(mode=mode, events=len(await store.read()))
            await store.close()
        except StoreError as error:
            say(mode=mode, error=type(error).__name__, message=str(error))


ROLES = {"write": write_forever, "fill": fill_the_disk, "powerless": try_without_rights}

if __name__ == "__main__":
    # What a role needs is imported before it gives up its rights.
    importlib.import_module("cattrs.preconf.json")
    asyncio.run(ROLES[sys.argv[1]](Path(sys.argv[2])))
