"""A folder that was copied with its state while a command of its agent was running: that command is the original's."""

import asyncio
import shutil
from pathlib import Path

import pytest

from specloom.workspace import marked
from specloom.workspace.orphans import Orphans, start_of
from tests.integration.test_orphans import PATH, process, records

pytestmark = pytest.mark.skipif(not marked.is_supported(), reason="needs /proc and pidfd, so Linux")


@pytest.mark.parametrize("moved", [False, True])
async def test_what_a_copied_folder_says_of_another_ones_commands_ends_none_of_them(
    tmp_path: Path, moved: bool
) -> None:
    state, other = tmp_path / "state", tmp_path / "other"
    await asyncio.to_thread(state.mkdir)
    async with process("sleep", "300", env=PATH) as left:
        await (await asyncio.to_thread(Orphans.at, state)).register("check-1", left.pid)
        if moved:
            await asyncio.to_thread(state.rename, other)
        else:
            await asyncio.to_thread(shutil.copytree, state, other)
        owner = await asyncio.to_thread(Orphans.at, other)
        assert await owner.end_all() == (frozenset({"check-1"}) if moved else frozenset())
        assert bool(await asyncio.to_thread(start_of, left.pid)) != moved
        assert await asyncio.to_thread(records, other) == []
