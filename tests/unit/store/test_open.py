"""Opening: modes, versions, damage, and who may write."""

import os
import sqlite3
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from store_samples import BY, REGISTRY, CountingClock, Noted, noted

from specloom import __version__
from specloom.domain.ids import CommandId
from specloom.store.database import connect_writer, prepare_directory
from specloom.store.errors import (
    CorruptStoreError,
    NewerVersionError,
    StoreError,
    StoreLockedError,
    StoreMissingError,
)
from specloom.store.log import EventStore
from specloom.store.record import NewEvent, UnknownEvent

LESS: Mapping[str, type[Any]] = {"Noted": Noted}


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes_in(folder: Path) -> dict[str, int]:
    return {path.name: mode_of(path) for path in folder.iterdir()}


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def loosen(state: Path) -> None:
    state.chmod(0o755)
    (state / "state.db").chmod(0o644)


@pytest.fixture
def empty(state: Path) -> Path:
    state.mkdir()
    return state


def change_file(state: Path, *statements: str) -> None:
    db = sqlite3.connect(state / "state.db")
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


async def test_the_state_is_for_its_owner_only_and_ignored_by_git(store: EventStore, state: Path) -> None:
    await store.append("task", 0, noted("a"))
    modes = modes_in(state)
    assert set(modes) == {".gitignore", "state.db", "state.db-shm", "state.db-wal", "writer.lock"}
    assert mode_of(state) == 0o700
    assert set(modes.values()) == {0o600}
    assert (state / ".gitignore").read_text() == "*\n"


async def test_loose_modes_are_tightened(state: Path) -> None:
    await (await EventStore.open(state, REGISTRY, CountingClock())).close()
    loosen(state)
    await (await EventStore.open(state, REGISTRY, CountingClock())).close()
    assert (mode_of(state), mode_of(state / "state.db")) == (0o700, 0o600)


def linked(link: Path, target: Path) -> Path:
    link.symlink_to(target)
    return link


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    (home / ".gitignore").touch()
    (home / "letter").touch()
    return home


@pytest.mark.parametrize("by_link", [False, True])
async def test_a_folder_of_other_files_is_left_alone(home: Path, state: Path, by_link: bool) -> None:
    place = linked(state, home) if by_link else home
    with pytest.raises(StoreError, match="holds other files; set SPECLOOM_STATE_DIR"):
        await EventStore.open(place, REGISTRY, CountingClock())
    assert mode_of(home) == 0o755
    assert sorted(names_in(home)) == [".gitignore", "letter"]


@pytest.mark.parametrize("left", [(), (".gitignore",), (".gitignore", "writer.lock", "sessions")])
async def test_a_folder_of_another_name_may_hold_the_state(tmp_path: Path, left: tuple[str, ...]) -> None:
    for name in left:
        (tmp_path / name).touch()
    for _ in range(2):
        await (await EventStore.open(tmp_path, REGISTRY, CountingClock())).close()


def test_a_commit_is_on_the_disk_and_beside_readers(state: Path) -> None:
    prepare_directory(state)
    db = connect_writer(state)
    answers = {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
    assert answers == {"journal_mode": "wal", "synchronous": 2}
    assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)
    db.close()


async def test_a_state_that_lost_its_name_is_damaged(store: EventStore, state: Path) -> None:
    await store.close()
    change_file(state, "DELETE FROM meta WHERE key = 'projectId'")
    with pytest.raises(CorruptStoreError, match="whose it is"):
        await EventStore.open(state, REGISTRY, CountingClock(), mode="read")


async def test_a_link_in_place_of_the_database_is_not_followed(empty: Path, tmp_path: Path) -> None:
    state = empty
    (state / "state.db").symlink_to(tmp_path / "target")
    with pytest.raises(StoreError, match=r"state\.db"):
        await EventStore.open(state, REGISTRY, CountingClock())
    assert not (tmp_path / "target").exists()


async def test_a_second_writer_is_refused_and_told_who_holds_it(store: EventStore, state: Path) -> None:
    holder = rf"the test \(pid {os.getpid()}, since 2026-\d\d-\d\d \d\d:\d\d UTC\)"
    with pytest.raises(StoreLockedError, match=holder) as refused:
        await EventStore.open(state, REGISTRY, CountingClock())
    assert (refused.value.pid, refused.value.what) == (os.getpid(), "the test")
    await store.append("task", 0, noted("the first goes on"))
    await store.close()
    await (await EventStore.open(state, REGISTRY, CountingClock())).close()


@pytest.mark.parametrize("left", ["", '{"pid": 1, "since": "1999", "what": "long dead"}', "[]", "\x00\xff"])
async def test_the_lock_file_of_a_dead_writer_is_taken_over_silently(empty: Path, left: str) -> None:
    state = empty
    (state / "writer.lock").write_text(left, encoding="latin-1")
    await (await EventStore.open(state, REGISTRY, CountingClock())).close()
    assert str(os.getpid()) in (state / "writer.lock").read_text()


async def test_a_failed_opening_leaves_the_lock_free(empty: Path) -> None:
    state = empty
    (state / "state.db").write_bytes(b"no database at all" * 100)
    for _ in range(2):
        with pytest.raises(CorruptStoreError, match="a run here, which rebuilds it"):
            await EventStore.open(state, REGISTRY, CountingClock())
    (state / "state.db").unlink()
    await (await EventStore.open(state, REGISTRY, CountingClock())).close()


async def test_a_database_of_another_program_is_refused(empty: Path) -> None:
    state = empty
    change_file(state, "CREATE TABLE recipes(name)", "PRAGMA user_version = 1")
    with pytest.raises(CorruptStoreError, match="another program"):
        await EventStore.open(state, REGISTRY, CountingClock())
    with pytest.raises(CorruptStoreError, match="another program"):
        await EventStore.open(state, REGISTRY, CountingClock(), mode="read")


async def test_a_reader_makes_nothing(state: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError, match="specloom plan"):
        await EventStore.open(state, REGISTRY, CountingClock(), mode="read")
    assert names_in(tmp_path) == []


async def test_a_database_that_was_never_filled_is_none(empty: Path) -> None:
    (empty / "state.db").touch()
    with pytest.raises(StoreMissingError):
        await EventStore.open(empty, REGISTRY, CountingClock(), mode="read")


async def test_readers_need_no_lock_and_keep_nobody_out(store: EventStore, state: Path) -> None:
    await store.append("task", 0, noted("a"))
    readers = [await EventStore.open(state, REGISTRY, CountingClock(), mode="read") for _ in range(3)]
    await store.close()
    again = await EventStore.open(state, REGISTRY, CountingClock())
    await again.append("task", 1, noted("b"))
    assert [len(await reader.read()) for reader in readers] == [2, 2, 2]
    assert {reader.project_id for reader in readers} == {again.project_id}
    for opened in (*readers, again):
        await opened.close()


async def test_a_newer_format_is_read_and_not_written(store: EventStore, state: Path) -> None:
    await store.append("task", 0, noted("a"))
    await store.close()
    change_file(state, "PRAGMA user_version = 99", "UPDATE meta SET value = '9.4.0' WHERE key = 'writtenBy'")
    with pytest.raises(NewerVersionError, match=r"version 99 .* install Specloom 9\.4\.0 or later") as refused:
        await EventStore.open(state, REGISTRY, CountingClock())
    assert refused.value.needed == "9.4.0"
    reader = await EventStore.open(state, REGISTRY, CountingClock(), mode="read")
    assert reader.newer is not None
    assert [record.event for record in await reader.read()] == [Noted("a")]
    await reader.close()


async def test_an_unknown_type_is_read_as_such_and_not_written(store: EventStore, state: Path) -> None:
    await store.append("task", 0, noted("a"))
    await store.close()
    change_file(
        state,
        "INSERT INTO events VALUES (NULL, '2026', 'task', 'Foretold', 2, 'c', 'user', NULL, NULL, '{\"a\":1}')",
        "INSERT INTO commands VALUES ('c', 2, 2)",
        "INSERT INTO types VALUES ('Foretold', 2, '0.10.0'), ('Guessed', 1, '0.9.0')",
    )
    with pytest.raises(NewerVersionError, match=r"Foretold version 2 .* Specloom 0\.10\.0 or later"):
        await EventStore.open(state, REGISTRY, CountingClock())
    reader = await EventStore.open(state, REGISTRY, CountingClock(), mode="read")
    assert reader.newer is not None
    assert (reader.newer.type, reader.newer.v, reader.newer.needed) == ("Foretold", 2, "0.10.0")
    assert [record.event for record in await reader.read()] == [Noted("a"), UnknownEvent("Foretold", 2, '{"a":1}')]
    assert await reader.command(CommandId("c")) == tuple(await reader.read(since=1))
    await reader.close()


async def test_a_newer_version_of_a_known_type_names_the_version_that_wrote_it(state: Path) -> None:
    @dataclass(frozen=True, slots=True)
    class NotedBetter:
        V: ClassVar[int] = 2
        text: str

    upcasters = {("Noted", 1): dict[str, Any]}
    newer = await EventStore.open(state, {"Noted": NotedBetter}, CountingClock(), upcasters=upcasters)
    await newer.append("task", 0, [NewEvent(NotedBetter("a"), BY)])
    await newer.close()
    with pytest.raises(NewerVersionError) as refused:
        await EventStore.open(state, LESS, CountingClock())
    assert (refused.value.type, refused.value.v, refused.value.needed) == ("Noted", 2, __version__)
