"""The machine loses its power at any moment: what was synced is there, of what was not any part, and never garbage.

The disk is modelled: files are kept as of each commit, which is when SQLite has synced the write-ahead log. What was
written after that may have come to the disk in any part, in any order, and torn: by sectors.
"""

import os
import random
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from specloom.domain.events import REGISTRY, agents
from specloom.domain.ids import SessionId
from specloom.domain.origin import Origin
from specloom.store.errors import CorruptStoreError
from specloom.store.log import EventStore
from specloom.store.record import NewEvent
from specloom.store.system import SystemClock
from tests.conftest import TIER

VARIANTS = {"test": 240, "soak": 6000}[TIER]
COMMITS = 40
SECTOR = 512
HEAD = 32
"""Bytes of the head of a write-ahead log."""
CHECKPOINT = 12
"""Pages after which SQLite moves the write-ahead log into the file: often, so that every phase of that is cut too."""


@dataclass(frozen=True, slots=True)
class Disk:
    """What is on it."""

    file: bytes
    log: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """What a power cut left, and how many events were synced by then."""

    disk: Disk
    synced: int


async def written(state: Path) -> list[Disk]:
    """The disk after each of `COMMITS` commits, of one event each; of none before the first."""
    store = await EventStore.open(state, REGISTRY, SystemClock())
    await store._write(lambda db: db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}").fetchone())  # pyright: ignore[reportPrivateUsage] - so that a short log has many checkpoints
    disks = [seen(state)]
    for number in range(COMMITS):
        await store.append("task", None, said(text_of(number)))
        disks.append(seen(state))
    await store.close()
    return disks


def said(text: str) -> list[NewEvent]:
    """One event."""
    return [NewEvent(agents.MessageAdded(SessionId("session"), text), Origin("agent"))]


def text_of(number: int) -> str:
    """Short ones, and some that become blobs of many pages."""
    noise = random.Random(number).randbytes(9_000).hex() if number % 5 == 4 else ""
    return f"event {number} {noise}"


def seen(state: Path) -> Disk:
    """The files as they are."""
    return Disk((state / "state.db").read_bytes(), (state / "state.db-wal").read_bytes())


def torn(before: bytes, after: bytes, chance: random.Random) -> bytes:
    """The file when some of the sectors that were written have come to the disk, one of them half."""
    size = max(len(before), len(after))
    result = bytearray(before.ljust(size, b"\0"))
    changed = [at for at in range(0, size, SECTOR) if before[at : at + SECTOR] != after[at : at + SECTOR]]
    share = chance.random()
    for at in changed:
        if chance.random() < share:
            result[at : at + SECTOR] = after[at : at + SECTOR].ljust(min(SECTOR, size - at), b"\0")
    if changed:
        at = chance.choice(changed)
        half = chance.randrange(SECTOR)
        result[at : at + half] = after[at : at + half].ljust(min(half, size - at), b"\0")
    # A file that has grown by writes has any length in between.
    return bytes(result[: chance.choice([size, len(before), chance.randint(min(len(before), len(after)), size)])])


def cuts(disks: list[Disk], chance: random.Random) -> list[Cut]:
    """Moments of a power cut, between any two commits."""
    steps = list(enumerate(pairwise(disks)))
    return [cut_in(*chance.choice(steps), chance) for _ in range(VARIANTS)]


def cut_in(number: int, step: tuple[Disk, Disk], chance: random.Random) -> Cut:
    """While the log takes a commit; or, where that was followed by a checkpoint, while the file takes that."""
    before, after = step
    if before.file != after.file and chance.random() < 0.5:
        return Cut(Disk(torn(before.file, after.file, chance), after.log), number + 1)
    return Cut(Disk(before.file, torn_log(before.log, after.log, chance)), number)


def torn_log(before: bytes, after: bytes, chance: random.Random) -> bytes:
    """A log that begins anew has its head synced before anything else of it is written.

    Else frames of the old log that stand behind new ones would count: https://sqlite.org/src/info/ff5be73dee
    """
    if before[:HEAD] == after[:HEAD]:
        return torn(before, after, chance)
    if chance.random() < 0.2:
        half = chance.randint(0, HEAD)
        return after[:half] + before[half:]
    return torn(after[:HEAD] + before[HEAD:], after, chance)


def lay(place: Path, disk: Disk) -> None:
    """Puts the files of a disk into a folder of their own."""
    place.mkdir(mode=0o700)
    (place / "state.db").write_bytes(disk.file)
    (place / "state.db-wal").write_bytes(disk.log)


async def restored(place: Path, disk: Disk) -> list[str]:
    """What is in the log after the power has come back."""
    lay(place, disk)
    store = await EventStore.open(place, REGISTRY, SystemClock())
    try:
        await store.append("task", None, said("it goes on"))
        events = [record.event for record in await store.read()]
        fault = await store._write(lambda db: db.execute("PRAGMA integrity_check").fetchone()[0])  # pyright: ignore[reportPrivateUsage] - SQLite's own word
        assert fault == "ok"
        return [event.content for event in events if isinstance(event, agents.MessageAdded)]
    finally:
        await store.close()


@pytest.mark.timeout(600)
async def test_a_power_cut_leaves_what_was_synced_and_nothing_half(tmp_path: Path) -> None:
    seed = int(os.environ.get("SPECLOOM_CUT_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
    texts = [text_of(number) for number in range(COMMITS)]
    disks = await written(tmp_path / "written" / ".specloom")
    assert sum(before.file != after.file for before, after in pairwise(disks)) > 5, "checkpoints are among it"
    kept: set[int] = set()
    for number, cut in enumerate(cuts(disks, random.Random(seed))):
        found = await restored(tmp_path / str(number), cut.disk)
        count = len(found) - 1
        assert found == [*texts[:count], "it goes on"], f"seed {seed}, variant {number}"
        assert count in (cut.synced, cut.synced + 1), f"seed {seed}, variant {number}: {count} of {cut.synced}"
        kept.add(count - cut.synced)
    assert kept == {0, 1}, "cuts before and after a commit was whole are among it"


async def test_a_disk_that_forgets_what_it_had_synced_is_found_out_or_gives_back_an_older_log(tmp_path: Path) -> None:
    """Promised by nobody: such a disk lies. But garbage is never taken for a log."""
    chance = random.Random(1)
    texts = [text_of(number) for number in range(COMMITS)]
    disks = await written(tmp_path / "written" / ".specloom")
    told = 0
    for number in range(VARIANTS // 8):
        older, newer = sorted(chance.sample(range(1, len(disks)), 2))
        mixed = Disk(torn(disks[older].file, disks[newer].file, chance), disks[newer].log)
        try:
            found = await restored(tmp_path / str(number), mixed)
        except CorruptStoreError:
            told += 1
        else:
            assert found == [*texts[: len(found) - 1], "it goes on"], number
    assert told
