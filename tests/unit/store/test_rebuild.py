"""A damaged log is put aside as it is, and what stands before the damage is a log again."""

import asyncio
import random
import sqlite3
import stat
import sys
from pathlib import Path

import pytest
from store_samples import REGISTRY, CountingClock, Noted, noted

from specloom.domain.ids import CommandId
from specloom.store.errors import CorruptStoreError, ForeignStoreError, NewerVersionError
from specloom.store.log import EventStore
from specloom.store.rebuild import Rebuilt

LONG = "a long text\n" * 1000
TEXTS = [f"{number} {LONG if number % 3 == 0 else ''}" for number in range(1, 21)]
DEADLINE = 60


async def filled(state: Path) -> str:
    """A log of twenty events, a command each; its project id."""
    store = await EventStore.open(state, REGISTRY, CountingClock())
    for number, text in enumerate(TEXTS, 1):
        await store.append("task", None, noted(text), CommandId(f"c{number}"))
    await store.save_snapshot("project", 20, 1, b"state")
    await store.close()
    return store.project_id


def change_file(state: Path, *statements: str) -> None:
    db = sqlite3.connect(state / "state.db")
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


async def rebuilt(state: Path, reason: str = "event 12: bad; do this") -> Rebuilt:
    return await EventStore.rebuild(state, REGISTRY, CountingClock(), CorruptStoreError(reason))


async def texts_in(state: Path) -> list[str]:
    """All of a log, which takes more."""
    store = await EventStore.open(state, REGISTRY, CountingClock())
    try:
        records = await store.read()
        await store.append("task", None, noted("it goes on"))
    finally:
        await store.close()
    return [record.event.text for record in records if isinstance(record.event, Noted)]


def asides(state: Path) -> list[Path]:
    return sorted(state.glob("damaged-*"))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("damage", "kept"),
    [
        ("UPDATE events SET payload = '[' WHERE seq = 12", 11),
        ("DELETE FROM events WHERE seq = 12", 11),
        ("UPDATE blobs SET data = x'00' WHERE digest IN (SELECT digest FROM blobs)", 2),
        ("DELETE FROM meta", 20),
        ("DELETE FROM types", 20),
        ("UPDATE types SET type = 'Notef'", 20),
        ("UPDATE types SET v = 0", 20),
        ("UPDATE events SET v = 0 WHERE seq = 12", 11),
        ("UPDATE events SET type = 'Notef' WHERE seq = 12", 11),
        ("DELETE FROM events", 0),
        ("DROP TABLE events", 0),
        ("PRAGMA user_version = -1", 20),
    ],
)
async def test_what_stands_before_the_damage_is_kept_and_the_rest_counted(state: Path, damage: str, kept: int) -> None:
    project = await filled(state)
    change_file(state, damage)
    before = (state / "state.db").read_bytes()
    found = await rebuilt(state)
    assert (found.kept, found.lost, found.reason) == (kept, 20 - kept, "event 12: bad")
    assert asides(state) == [found.aside]
    assert (found.aside / "state.db").read_bytes() == before
    assert (mode_of(found.aside), mode_of(state / "state.db")) == (0o700, 0o600)
    assert await texts_in(state) == TEXTS[:kept]
    store = await EventStore.open(state, REGISTRY, CountingClock())
    assert (store.project_id == project) == ("meta" not in damage)
    assert await store.load_snapshot("project", 1) is None
    assert (await store.command(CommandId("c5")) is not None) == (kept > 5)
    assert await store.command(CommandId("c20")) is None or kept == 20
    await store.close()


async def test_a_file_that_is_no_database_is_put_aside_and_a_new_log_begins(state: Path) -> None:
    await filled(state)
    (state / "state.db").write_bytes(b"no database at all" * 1000)
    found = await rebuilt(state, "no database")
    assert (found.kept, found.lost) == (0, None)
    assert await texts_in(state) == []
    again = await EventStore.rebuild(state, REGISTRY, LaterClock(), CorruptStoreError("again"))
    assert (again.kept, len(asides(state))) == (1, 2)


class LaterClock(CountingClock):
    """A day after."""

    def now(self) -> str:
        return "2026-01-02T00:00:00.000Z"


async def test_what_crashed_beside_the_damage_is_read_too(state: Path) -> None:
    """The newest events stand in the write-ahead log alone."""
    store = await EventStore.open(state, REGISTRY, CountingClock())
    await store.append("task", None, noted("a", "b"))
    left = {name: (state / name).read_bytes() for name in ("state.db", "state.db-wal")}
    await store.close()
    for name, data in left.items():
        (state / name).write_bytes(data)
    found = await rebuilt(state)
    assert (found.kept, found.lost) == (2, 0)
    assert not (state / "state.db-wal").exists()
    assert await texts_in(state) == ["a", "b"]


async def test_what_is_not_ours_or_of_a_newer_version_is_left_alone(state: Path) -> None:
    await filled(state)
    with pytest.raises(ForeignStoreError):
        await EventStore.rebuild(state, REGISTRY, CountingClock(), ForeignStoreError("another program's"))
    change_file(
        state, "UPDATE events SET type = 'Foretold' WHERE seq = 3", "INSERT INTO types VALUES ('Foretold',1,'9')"
    )
    with pytest.raises(NewerVersionError):
        await rebuilt(state)
    assert asides(state) == []
    assert names_in(state) == [".gitignore", "state.db", "writer.lock"]


async def test_a_rebuilding_that_is_killed_at_any_step_loses_nothing_more(state: Path, tmp_path: Path) -> None:
    await filled(state)
    change_file(state, "DELETE FROM events WHERE seq = 12")
    script = Path(__file__).with_name("rebuild_process.py")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(script), str(state), str(tmp_path / "cut")), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(DEADLINE):
        steps = int((await process.communicate())[0])
    assert steps > 10
    for step in range(1, steps + 1):
        cut = tmp_path / "cut" / str(step)
        try:
            found = await texts_in(cut)
        except CorruptStoreError:
            assert (await EventStore.rebuild(cut, REGISTRY, LaterClock(), CorruptStoreError("again"))).kept == 11
            found = await texts_in(cut)
        assert ["state.db" in names_in(aside) for aside in asides(cut)] == [True], step
        assert found == TEXTS[:11], step
        assert not any((cut / name).exists() for name in ("rebuilding.db", "rebuilt.db"))


@pytest.mark.parametrize("seed", range(8))
async def test_a_torn_file_gives_back_a_beginning_of_the_log(state: Path, seed: int) -> None:
    await filled(state)
    chance = random.Random(seed)
    data = bytearray((state / "state.db").read_bytes())
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(0, len(data) - 512)
        data[start : start + 512] = chance.randbytes(512)
    (state / "state.db").write_bytes(bytes(data))
    try:
        found = await texts_in(state)
        assert found == TEXTS
    except CorruptStoreError:
        kept = (await rebuilt(state)).kept
        assert await texts_in(state) == TEXTS[:kept]
