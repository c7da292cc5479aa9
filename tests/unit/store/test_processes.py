"""Several processes, some of which die."""

import asyncio
import json
import shutil
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from store_samples import REGISTRY, CountingClock, Noted, noted

from specloom.domain.ids import CommandId
from specloom.store.errors import StoreLockedError
from specloom.store.log import EventStore

SCRIPT = Path(__file__).with_name("store_process.py")
DEADLINE = 30.0


@asynccontextmanager
async def process(role: str, state: Path) -> AsyncGenerator[Process]:
    started = await asyncio.create_subprocess_exec(sys.executable, str(SCRIPT), role, str(state), stdout=PIPE)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def facts(started: Process) -> AsyncIterator[dict[str, Any]]:
    assert started.stdout is not None
    while line := await asyncio.wait_for(started.stdout.readline(), DEADLINE):
        if line.endswith(b"\n"):
            yield json.loads(line)


async def kill_after(started: Process, acknowledged: int) -> dict[str, list[int]]:
    """Kills it without warning; what it had acknowledged by then."""
    told: dict[str, list[int]] = {}
    async for fact in facts(started):
        told[fact["command"]] = fact["seqs"]
        if len(told) == acknowledged:
            started.kill()
    return told


@pytest.mark.parametrize("acknowledged", [1, 40, 150])
async def test_a_killed_writer_loses_nothing_acknowledged_and_leaves_nothing_half(
    state: Path, acknowledged: int
) -> None:
    async with process("write", state) as writer:
        told = await kill_after(writer, acknowledged)
    # A reader first: it must cope with the write-ahead log that the dead writer left.
    reader = await EventStore.open(state, REGISTRY, CountingClock(), mode="read")
    seen = await reader.read()
    await reader.close()
    store = await EventStore.open(state, REGISTRY, CountingClock())
    assert await store.read() == seen
    for command, seqs in told.items():
        records = await store.command(CommandId(command))
        assert records is not None
        assert [record.seq for record in records] == seqs
    commands = {record.command_id for record in seen if record.command_id is not None}
    assert len(seen) == 3 * len(commands)
    assert [record.seq for record in seen] == list(range(1, len(seen) + 1))
    for command in commands:
        records = await store.command(command)
        assert records is not None
        assert [record.event for record in records] == [Noted(command), Noted(f"{command} " * 1000), Noted(command)]
    await store.append("next", 0, noted("it goes on"))
    await store.close()


async def test_a_second_process_is_refused_while_the_first_writes_and_reads_live(state: Path) -> None:
    async with process("write", state) as writer:
        told = facts(writer)
        first = await anext(told)
        with pytest.raises(StoreLockedError, match="the other process") as refused:
            await EventStore.open(state, REGISTRY, CountingClock())
        assert refused.value.pid == writer.pid
        reader = await EventStore.open(state, REGISTRY, CountingClock(), mode="read")
        assert await reader.last_seq() >= first["seqs"][-1]
        for _ in range(30):
            fact = await anext(told)
            records = await reader.command(CommandId(fact["command"]))
            assert records is not None
            assert [record.seq for record in records] == fact["seqs"]
        await reader.close()


async def test_a_full_disk_is_told_loses_nothing_and_heals(state: Path) -> None:
    async with process("fill", state) as writer:
        full, end = [fact async for fact in facts(writer)]
    assert (full["error"], full["retryable"]) == ("StoreFullError", True)
    assert "make room" in full["message"]
    store = await EventStore.open(state, REGISTRY, CountingClock())
    records = await store.read()
    assert [record.seq for record in records] == end["acknowledged"]
    assert len(records) > 3
    assert records[-1].event == Noted("room again")
    await store.close()


@pytest.fixture
def shown_state() -> Iterator[Path]:
    """In a place that any user may pass through, which pytest's folders are not."""
    above = Path(tempfile.mkdtemp(prefix="specloom-store-"))
    above.chmod(0o755)
    yield above / ".specloom"
    for path in above.rglob("*"):
        path.chmod(0o700)
    shutil.rmtree(above)


def forbid_writing(state: Path) -> None:
    for path in state.iterdir():
        path.chmod(0o444)
    state.chmod(0o555)


async def what_a_powerless_process_gets(state: Path) -> list[dict[str, Any]]:
    forbid_writing(state)
    async with process("powerless", state) as other:
        return [fact async for fact in facts(other)]


async def test_a_folder_that_cannot_be_written_can_be_read(shown_state: Path) -> None:
    store = await EventStore.open(shown_state, REGISTRY, CountingClock())
    await store.append("task", 0, noted("a", "b"))
    await store.close()
    writing, reading = await what_a_powerless_process_gets(shown_state)
    assert writing["error"] == "StoreReadOnlyError"
    assert "modes of the folder" in writing["message"]
    assert reading == {"mode": "read", "events": 2}


async def test_a_crashed_state_in_a_folder_that_cannot_be_written_is_explained(shown_state: Path) -> None:
    async with process("write", shown_state) as writer:
        await kill_after(writer, 5)
    (shown_state / "state.db-shm").unlink()
    _, reading = await what_a_powerless_process_gets(shown_state)
    assert reading["error"] == "StoreReadOnlyError"
    assert "copy .specloom to a folder of your own" in reading["message"]
