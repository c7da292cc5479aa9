"""A folder that was copied with its log is another project; one that was moved stays the one it was."""

import asyncio
import shutil
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


async def test_roots_that_are_told_to_share_a_log_share_the_project(tmp_path: Path, home: dict[str, str]) -> None:
    first = await asyncio.to_thread(greeter, tmp_path / "first")
    shared = {**home, "SPECLOOM_STATE_DIR": str(tmp_path / "log")}
    was = await _opened(first, shared)
    second = await asyncio.to_thread(shutil.copytree, first, tmp_path / "second")
    assert await _opened(second, shared) == was
