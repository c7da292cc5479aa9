"""A log that was damaged, made by somebody else, or cannot be written: told with the next step, never half believed."""

import asyncio
import contextlib
import json
import os
import random
import re
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from store_samples import BY, REGISTRY, Circle, CountingClock, Drawn, Noted, Shade, Square, noted

from specloom.domain.ids import TaskId
from specloom.store.codec import Codec
from specloom.store.errors import CorruptStoreError, StoreError, StoreFullError, StoreLockedError
from specloom.store.lock import writer_of
from specloom.store.log import EventStore
from specloom.store.record import NewEvent

LONG = "a long text\n" * 1000
DEADLINE = 20


async def opened(state: Path, mode: Any = "write") -> EventStore:
    async with asyncio.timeout(DEADLINE):
        return await EventStore.open(state, REGISTRY, CountingClock(), mode=mode)


async def filled(state: Path, *texts: str) -> None:
    store = await opened(state)
    for text in texts:
        await store.append("task", None, noted(text))
    await store.close()


def change_file(state: Path, statement: str, *values: object) -> None:
    db = sqlite3.connect(state / "state.db")
    db.execute(statement, values)
    db.commit()
    db.close()


def made(state: Path) -> Path:
    state.mkdir(exist_ok=True)
    return state


def a_folder(place: Path) -> None:
    place.mkdir()


def a_pipe(place: Path) -> None:
    os.mkfifo(place)


def a_link_to_a_file(place: Path) -> None:
    target = place.parent.parent / "target"
    target.write_bytes(b"")
    place.symlink_to(target)


def a_link_to_nothing(place: Path) -> None:
    place.symlink_to(place.parent.parent / "made by the link")


@pytest.mark.parametrize("mode", ["write", "read"])
@pytest.mark.parametrize("kind", [a_folder, a_pipe, a_link_to_a_file, a_link_to_nothing])
@pytest.mark.parametrize("name", ["state.db", "state.db-wal", "state.db-shm"])
async def test_what_is_no_plain_file_is_neither_followed_nor_waited_for(
    state: Path, mode: str, kind: Callable[[Path], None], name: str
) -> None:
    if name != "state.db":
        await filled(state, "a")
    kind(made(state) / name)
    with pytest.raises(StoreError, match=rf"{name} is no plain file .* move it aside"):
        await opened(state, mode)
    assert not (state.parent / "made by the link").exists()


async def test_a_link_in_place_of_the_ignore_file_is_not_written_through(state: Path) -> None:
    made(state)
    a_link_to_nothing(state / ".gitignore")
    await filled(state, "a")
    assert not (state.parent / "made by the link").exists()


async def test_a_pipe_in_place_of_the_lock_holds_nobody_up(state: Path) -> None:
    a_pipe(made(state) / "writer.lock")
    async with asyncio.timeout(DEADLINE):
        assert await asyncio.to_thread(writer_of, state) is None


async def test_what_a_crash_left_beside_the_database_is_for_its_owner_only_too(state: Path) -> None:
    await filled(state, "a")
    for name in ("state.db", "state.db-wal"):
        (state / name).touch()
        (state / name).chmod(0o644)
    store = await opened(state)
    await store.append("task", None, noted("b"))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in state.iterdir()}  # noqa: ASYNC240 - a test's own folder
    assert set(modes.values()) == {0o600}, modes
    await store.close()


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux tells which locks are held")
async def test_opening_again_in_one_process_takes_no_lock_from_those_who_read(state: Path) -> None:
    await filled(state, "a")
    reader = await opened(state, "read")
    locks = locks_on(state / "state.db")
    store = await opened(state)
    assert 0 < locks <= locks_on(state / "state.db")
    await store.close()
    await reader.close()


def locks_on(path: Path) -> int:
    """How many advisory locks this process holds on a file, as the kernel tells."""
    inode = str(path.stat().st_ino)
    known = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return sum(line[4] == str(os.getpid()) and line[5].endswith(f":{inode}") for line in known if line[1] == "POSIX")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE events SET payload = '[' WHERE seq = 2", "event 2"),
        ("UPDATE events SET payload = '3' WHERE seq = 2", "event 2"),
        ("UPDATE events SET payload = x'7b7d' WHERE seq = 2", "event 2"),
        ("UPDATE events SET payload = '{}' WHERE seq = 2", "event 2"),
        ('UPDATE events SET payload = \'{"text":{"$blob":[1]}}\' WHERE seq = 2', "event 2"),
        ('UPDATE events SET payload = \'{"text":{"$blob":"x"}}\' WHERE seq = 2', "event 2"),
        ("UPDATE events SET payload = CAST(x'ff' AS TEXT) WHERE seq = 2", "no UTF-8"),
        ("DELETE FROM events WHERE seq = 2", "event 2 of state.db is missing"),
        ("DELETE FROM events WHERE seq = 1", "event 1 of state.db is missing"),
        ("UPDATE events SET seq = 9 WHERE seq = 3", "event 3 of state.db is missing"),
        ("UPDATE events SET seq = -2 WHERE seq = 2", "event 2 of state.db is missing"),
        ("UPDATE events SET v = 0 WHERE seq = 2", "event 2"),
        ("UPDATE events SET v = -7 WHERE seq = 2", "event 2"),
        ("UPDATE events SET v = 8 WHERE seq = 2", "event 2: its type 'Noted' version 8 was never written"),
        ("UPDATE events SET type = 'Notef' WHERE seq = 2", "event 2: its type 'Notef' version 1 was never written"),
        ("DROP TABLE events", "damaged"),
        ("DROP TABLE meta", "damaged"),
        ("PRAGMA user_version = -1", "never was"),
    ],
)
@pytest.mark.parametrize("mode", ["write", "read"])
async def test_a_damaged_row_is_told_and_never_folded(state: Path, damage: str, told: str, mode: str) -> None:
    await filled(state, "a", "b", "c")
    change_file(state, damage)
    with pytest.raises(CorruptStoreError, match=told):
        await everything(state, mode)


async def everything(state: Path, mode: str) -> list[object]:
    store = await opened(state, mode)
    try:
        return [record.event for record in await store.read()]
    finally:
        await store.close()


@pytest.mark.parametrize("damage", ["UPDATE types SET type = 'Notef'", "UPDATE types SET v = -1"])
async def test_list_of_types_that_is_damaged_is_no_newer_version(state: Path, damage: str) -> None:
    await filled(state, "a", "b", "c")
    change_file(state, damage)
    with pytest.raises(CorruptStoreError, match="that no event has"):
        await everything(state, "write")


async def test_a_payload_that_nests_without_end_is_damage(state: Path) -> None:
    await filled(state, "a")
    change_file(state, "UPDATE events SET payload = ?", "[" * 100_000)
    with pytest.raises(CorruptStoreError, match="event 1"):
        await everything(state, "read")


async def test_a_payload_with_a_field_too_many_is_read_for_what_is_known(state: Path) -> None:
    await filled(state, "a")
    change_file(state, "UPDATE events SET payload = ?", '{"text":"a","added later":[1]}')
    assert await everything(state, "read") == [Noted("a")]


async def test_a_page_of_the_log_begins_where_it_was_asked_for(state: Path) -> None:
    await filled(state, "a", "b", "c")
    store = await opened(state, "read")
    assert [record.seq for record in await store.read(-5)] == [1, 2, 3]
    assert [record.seq for record in await store.read(1, 1)] == [2]
    assert [record.seq for record in await store.read(0, streams=["task"])] == [1, 2, 3]
    await store.close()
    change_file(state, "DELETE FROM events WHERE seq = 2")
    store = await opened(state, "read")
    assert [record.seq for record in await store.read(2)] == [3]
    with pytest.raises(CorruptStoreError, match="event 2"):
        await store.read(1)
    await store.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE snapshots SET data = substr(data, 1, length(data) - 3)",
        "UPDATE snapshots SET size = size - 1",
        "UPDATE snapshots SET size = 1 << 60",
        "UPDATE snapshots SET size = -1",
        "UPDATE snapshots SET data = 'text', size = 'many'",
    ],
)
async def test_a_damaged_snapshot_is_told(state: Path, damage: str) -> None:
    store = await opened(state)
    await store.append("task", 0, noted("a"))
    await store.save_snapshot("project", 1, 1, b"state" * 1000)
    await store.close()
    change_file(state, damage)
    store = await opened(state)
    with pytest.raises(CorruptStoreError, match="snapshot 'project'"):
        await store.load_snapshot("project", 1)
    await store.close()


@pytest.mark.parametrize("seed", range(4))
async def test_torn_pages_are_told_or_leave_the_log_as_it_was(state: Path, seed: int) -> None:
    texts = [f"event {number} {LONG if number % 10 == 0 else ''}{number}" for number in range(60)]
    await filled(state, *texts)
    chance = random.Random(seed)
    data = bytearray((state / "state.db").read_bytes())
    start = chance.randrange(0, len(data) - 600)
    data[start : start + 512] = chance.randbytes(512)
    (state / "state.db").write_bytes(bytes(data))
    for mode in ("read", "write"):
        told, found = await outcome(state, mode)
        if told is None:
            # What is free or belongs to an index may be torn; no event goes missing unsaid.
            assert len(found) == len(texts)
        else:
            assert "state.db" in told
            assert re.search("the file is damaged|backup|move it aside", told)


async def outcome(state: Path, mode: str) -> tuple[str | None, list[object]]:
    """What is told of a log that cannot be read, or all that is in it."""
    try:
        return None, await everything(state, mode)
    except StoreError as error:
        return str(error), []


DRAWN = Drawn(
    TaskId("01/1.1"), Circle(1.0), Square(2, (Shade.DARK,)), Shade.PALE, (1, 2), (("a", TaskId("t")),), (Circle(2.0),),
    0.5, True, 3, {"k": [1]},
)  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_no_payload_raises_anything_but_damage(seed: int) -> None:
    chance = random.Random(seed)
    codec = Codec({"Drawn": Drawn}, {("Drawn", 1): dict[str, Any], ("Drawn", 2): dict[str, Any]})
    for _ in range(100):
        payload = json.loads(codec.encode(DRAWN).payload)
        mutate(payload, chance)
        with contextlib.suppress(CorruptStoreError):
            codec.decode("Drawn", chance.choice([1, 3]), json.dumps(payload), lambda _: b"\xff")


ODD: list[Any] = [None, True, -1, 10**40, "", "x", [], [[]], {}, {"$type": "Nobody"}, {"$type": []}, {"$blob": 1}]


def mutate(value: Any, chance: random.Random) -> None:
    """Puts something else somewhere into a JSON value."""
    places = cast("list[Any]", [*value] if isinstance(value, dict) else [*range(len(cast("list[Any]", value)))])
    key = chance.choice(places)
    inner = cast("Any", value[key])
    if chance.random() < 0.5 or not inner or not isinstance(inner, dict | list):
        value[key] = chance.choice(ODD)
    else:
        mutate(value[key], chance)


async def test_a_disk_that_is_full_at_any_statement_leaves_all_or_nothing(store: EventStore) -> None:
    await store.append("task", None, noted("a"))
    limited = store._write  # pyright: ignore[reportPrivateUsage] - SQLite's own limit of pages stands in for the disk
    pages = await limited(lambda db: int(db.execute("PRAGMA page_count").fetchone()[0]))
    refused, known, texts = 0, 0, list[str]()
    for room in range(60):
        await limited(lambda db, most=pages + room: db.execute(f"PRAGMA max_page_count = {most}").fetchone())
        known = await store.last_seq()
        texts = [os.urandom(3000).hex() for _ in range(12)]
        try:
            await store.append("task", known, noted(*texts))
            break
        except StoreFullError:
            refused += 1
        assert await store.last_seq() == known
        assert len(await store.read()) == known
    assert refused > 10
    assert [record.event for record in await store.read(known)] == [Noted(text) for text in texts]
    assert await limited(lambda db: db.execute("PRAGMA integrity_check").fetchone()[0]) == "ok"


async def test_of_many_who_open_at_once_one_writes_and_the_others_are_told_who(state: Path) -> None:
    answers = await asyncio.gather(*(opened(state) for _ in range(8)), return_exceptions=True)
    writers = [answer for answer in answers if isinstance(answer, EventStore)]
    assert len(writers) == 1
    assert all(isinstance(answer, EventStore | StoreLockedError) for answer in answers)
    await writers[0].append("task", 0, [NewEvent(Noted("a"), BY)])
    await writers[0].close()
    assert await everything(state, "read") == [Noted("a")]
