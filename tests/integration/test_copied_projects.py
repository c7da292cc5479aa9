"""A folder that was copied with its log is another project; one that was moved stays the one it was."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from specloom.domain.ids import ProjectId
from specloom.domain.known_projects import find_project
from specloom.domain.rejection import Rejected
from specloom.store.projects import project_registry
from tests.integration.projects import greeter, opened

NOBODY = "http://127.0.0.1:9"
"""No model is asked here."""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "home" / "state")}


async def _opened(root: Path, home: dict[str, str]) -> tuple[ProjectId, str]:
    runtime = await opened(root, NOBODY, environment=home)
    try:
        return runtime.state.id, runtime.state.name
    finally:
        await runtime.close()


async def test_a_copy_is_another_project_from_its_first_opening_on(tmp_path: Path, home: dict[str, str]) -> None:
    first = await asyncio.to_thread(greeter, tmp_path / "first")
    was = await _opened(first, home)
    second = await asyncio.to_thread(shutil.copytree, first, tmp_path / "second")
    copied = await _opened(second, home)
    assert copied[0] != was[0]
    assert copied[1] == "second"
    third = await asyncio.to_thread(shutil.copytree, second, tmp_path / "third")
    again = (await _opened(third, home))[0]
    assert len({was[0], copied[0], again}) == 3
    assert [await _opened(root, home) for root in (third, second, first)] == [(again, "third"), copied, was]
    known = await asyncio.to_thread(project_registry(home).read)
    for project, root in ((was[0], first), (copied[0], second), (again, third)):
        found = find_project(known, project)
        assert not isinstance(found, Rejected)
        assert found.root == str(root)


async def test_a_copy_is_told_apart_while_its_original_is_open(tmp_path: Path, home: dict[str, str]) -> None:
    first = await asyncio.to_thread(greeter, tmp_path / "first")
    runtime = await opened(first, NOBODY, environment=home)
    try:
        second = await asyncio.to_thread(shutil.copytree, first, tmp_path / "second")
        assert (await _opened(second, home))[0] != runtime.state.id
    finally:
        await runtime.close()


@pytest.mark.parametrize("left", ["nothing", "an empty folder", "another project", "a link"])
async def test_what_was_moved_stays_the_project_that_it_was(tmp_path: Path, home: dict[str, str], left: str) -> None:
    first = await asyncio.to_thread(greeter, tmp_path / "first")
    was = await _opened(first, home)
    second = await asyncio.to_thread(first.rename, tmp_path / "second")
    match left:
        case "an empty folder":
            await asyncio.to_thread(first.mkdir)
        case "another project":
            assert await _opened(await asyncio.to_thread(greeter, first), home) != was
        case "a link":
            await asyncio.to_thread(first.symlink_to, second)
        case _:
            pass
    assert await _opened(second, home) == was


async def test_two_ways_to_one_log_lead_to_one_project(tmp_path: Path, home: dict[str, str]) -> None:
    first = await asyncio.to_thread(greeter, tmp_path / "first")
    was = await _opened(first, home)
    linked = await asyncio.to_thread(greeter, tmp_path / "linked")
    await asyncio.to_thread((linked / ".specloom").symlink_to, first / ".specloom")
    for root in (linked, first, linked):
        assert await _opened(root, home) == was
    second = await asyncio.to_thread(shutil.copytree, first, tmp_path / "second")
    shared = {**home, "SPECLOOM_STATE_DIR": str(first / ".specloom")}
    assert await _opened(second, shared) == was


async def test_a_backup_that_was_put_back_is_the_project(tmp_path: Path, home: dict[str, str]) -> None:
    first = await asyncio.to_thread(greeter, tmp_path / "first")
    was = await _opened(first, home)
    backup = await asyncio.to_thread(shutil.copytree, first, tmp_path / "backup")
    await asyncio.to_thread(shutil.rmtree, first)
    await asyncio.to_thread(shutil.copytree, backup, first)
    assert await _opened(first, home) == was


async def test_a_copy_that_was_damaged_and_rebuilt_stays_its_own(tmp_path: Path, home: dict[str, str]) -> None:
    first = await asyncio.to_thread(greeter, tmp_path / "first")
    await _opened(first, home)
    second = await asyncio.to_thread(shutil.copytree, first, tmp_path / "second")
    copied = (await _opened(second, home))[0]
    log = second / ".specloom" / "state.db"
    await asyncio.to_thread(_damage_last_event, log)
    assert (await _opened(second, home))[0] == copied
    assert (second / ".specloom" / "state.db").exists()


def _damage_last_event(log: Path) -> None:
    """That which says that this is another project, and whatever stands behind it."""
    with closing(sqlite3.connect(log)) as db, db:
        (seq,) = db.execute("SELECT max(seq) FROM events WHERE type = 'ProjectOpened'").fetchone()
        assert seq > 1
        db.execute("UPDATE events SET payload = 'x' WHERE seq = ?", (seq,))
        db.execute("DELETE FROM snapshots")
