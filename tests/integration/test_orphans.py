"""Nothing that a command started outlives its owner, and nobody else's process is touched."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from specloom.workspace import marked
from specloom.workspace.orphans import FirstProcess, Orphans, boot_id, is_same, start_of
from specloom.workspace.process import run

DEADLINE = 60.0
PATH = {"PATH": "/usr/bin:/bin"}
HERE = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not marked.is_supported(), reason="needs /proc and pidfd, so Linux")


@pytest.fixture
def owner(tmp_path: Path) -> Orphans:
    """The commands of a state folder."""
    return Orphans.at(tmp_path)


@asynccontextmanager
async def process(*argv: str, env: Mapping[str, str]) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A process that is certainly gone at the end."""
    started = await asyncio.create_subprocess_exec(*argv, env=env, cwd=HERE, start_new_session=True)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def until_pid(file: Path) -> int:
    """The number that a command writes down."""
    async with asyncio.timeout(DEADLINE):
        while not (text := await asyncio.to_thread(_text, file)).endswith("\n"):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
    return int(text)


def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""


async def gone(pid: int) -> bool:
    """Whether the process ends within the deadline."""
    try:
        async with asyncio.timeout(DEADLINE):
            while await asyncio.to_thread(start_of, pid):  # noqa: ASYNC110 - nobody tells us of another's child
                await asyncio.sleep(0.01)
    except TimeoutError:
        return False
    return True


async def test_what_left_the_session_of_its_command_is_ended(owner: Orphans, tmp_path: Path) -> None:
    inner = f"setsid bash -c 'echo $$ > {tmp_path}/pid; exec sleep 300' & wait"
    async with process("bash", "-c", inner, env=PATH | owner.environment("check-1")):
        pid = await until_pid(tmp_path / "pid")
        assert os.getsid(pid) == pid
        assert await owner.end("check-1")
        assert await gone(pid)
        assert not await owner.end("check-1")


async def test_what_cleared_its_environment_too_is_ended(owner: Orphans, tmp_path: Path) -> None:
    inner = (
        f"setsid env -i bash -c 'echo $$ > {tmp_path}/pid; exec sleep 300' & until [ -s {tmp_path}/pid ]; do :; done"
    )
    await run(inner, tmp_path, PATH | owner.environment("check-1"), DEADLINE)
    pid = await until_pid(tmp_path / "pid")
    assert b"SPECLOOM" not in await asyncio.to_thread(Path(f"/proc/{pid}/environ").read_bytes)
    assert not await owner.end("check-10")
    assert await asyncio.to_thread(start_of, pid)
    assert await owner.end("check-1")
    assert await gone(pid)


async def test_what_cleared_its_environment_is_ended_by_the_next_owner_of_its_folder_alone(
    owner: Orphans, tmp_path: Path
) -> None:
    other = await asyncio.to_thread(Orphans.at, tmp_path / "other")
    async with process("sleep", "300", env=PATH) as mine, process("sleep", "300", env=PATH) as theirs:
        marked.tag(mine.pid, f"{owner.key}/check-1")
        marked.tag(theirs.pid, f"{other.key}/check-1")
        assert await owner.end_all() == frozenset()
        assert await mine.wait() == -15
        assert await asyncio.to_thread(start_of, theirs.pid)


async def test_other_commands_and_other_folders_are_left_alone(owner: Orphans, tmp_path: Path) -> None:
    other = await asyncio.to_thread(Orphans.at, tmp_path / "other")
    marks = [owner.environment("check-10"), owner.environment("check"), other.environment("check-1"), {}]
    async with AsyncExitStack() as stack:
        sleeping = [await stack.enter_async_context(process("sleep", "300", env=PATH | mark)) for mark in marks]
        assert not await owner.end("check-1")
        assert await owner.end_all() == {"check-10", "check"}
        alive = [await asyncio.to_thread(start_of, item.pid) != "" for item in sleeping]
        assert alive == [False, False, True, True]


async def test_a_process_that_ignores_the_polite_signal_is_ended_all_the_same(owner: Orphans, tmp_path: Path) -> None:
    script = f"trap '' TERM; echo $$ > {tmp_path}/pid; while true; do sleep 0.1; done"
    async with process("bash", "-c", script, env=PATH | owner.environment("check-1")):
        pid = await until_pid(tmp_path / "pid")
        assert await owner.end("check-1", grace=0.1)
        assert await gone(pid)


async def test_who_looks_is_never_among_those_found(owner: Orphans) -> None:
    code = f"from specloom.workspace import marked; print(marked.end({owner.key!r}, 0.1), flush=True)"
    environment = PATH | owner.environment("check-1")
    asked = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env=environment, cwd=HERE, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asked.communicate()
    assert (asked.returncode, said) == (0, b"frozenset()\n")


@pytest.mark.parametrize("clears", ["", "env -i"])
async def test_commands_end_with_an_owner_that_is_killed(tmp_path: Path, clears: str) -> None:
    arguments = ("-m", "tests.integration.orphan_owner", str(tmp_path), str(tmp_path / "pid"), clears)
    async with process(sys.executable, *arguments, env=dict(os.environ)) as owner:
        pid = await until_pid(tmp_path / "pid")
        owner.kill()
        assert await gone(pid)


async def test_the_watchdog_goes_when_its_owner_has_no_more_use_for_it(owner: Orphans) -> None:
    await owner.watched()
    await owner.watched()
    children = await asyncio.to_thread(watchdogs_of, os.getpid())
    await owner.close()
    await owner.close()
    assert len(children) == 1
    assert await gone(children[0])


def watchdogs_of(parent: int) -> list[int]:
    """Live children that run the watchdog."""
    listed = (folder for folder in Path("/proc").iterdir() if folder.name.isdecimal())
    return [int(folder.name) for folder in listed if _is_watchdog(folder, parent)]


def _is_watchdog(folder: Path, parent: int) -> bool:
    try:
        is_watchdog = marked.__file__.encode() in (folder / "cmdline").read_bytes()
    except OSError:
        return False
    return is_watchdog and marked.parent_of(int(folder.name)) == parent


@pytest.fixture
def without_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS: a system that shows no environments."""
    monkeypatch.setattr(marked, "is_supported", lambda: False)


@pytest.mark.usefixtures("without_marks")
async def test_a_recorded_process_is_ended_where_no_mark_can_be_read(owner: Orphans, tmp_path: Path) -> None:
    async with process("sleep", "300", env=PATH) as left:
        await owner.register("check-1", left.pid)
        assert await owner.end_all() == {"check-1"}
        assert await left.wait() == -15
        assert await asyncio.to_thread(records, tmp_path) == []


@pytest.mark.usefixtures("without_marks")
async def test_all_of_one_agent_is_ended_and_no_other_agents(owner: Orphans, tmp_path: Path) -> None:
    async with process("sleep", "300", env=PATH) as mine, process("sleep", "300", env=PATH) as other:
        await owner.register(f"agent-1.{mine.pid}", mine.pid)
        await owner.register(f"agent-10.{other.pid}", other.pid)
        assert await owner.end("agent-1")
        assert await mine.wait() == -15
        assert await asyncio.to_thread(start_of, other.pid)
        assert [file.stem for file in await asyncio.to_thread(records, tmp_path)] == [f"agent-10.{other.pid}"]


@pytest.mark.usefixtures("without_marks")
@pytest.mark.parametrize("field", ["started", "boot"])
async def test_a_process_that_only_has_the_same_number_is_spared(owner: Orphans, tmp_path: Path, field: str) -> None:
    async with process("sleep", "300", env=PATH) as other:
        await owner.register("check-1", other.pid)
        await asyncio.to_thread(falsify, tmp_path, other.pid, field)
        assert await owner.end_all() == frozenset()
        assert await asyncio.to_thread(start_of, other.pid)
        assert await asyncio.to_thread(records, tmp_path) == []


def records(state: Path) -> list[Path]:
    """What is written down."""
    return list((state / "commands").iterdir())


def falsify(state: Path, pid: int, field: str) -> None:
    """The record is of an earlier process with this number."""
    (record,) = records(state)
    known = FirstProcess(pid, start_of(pid), boot_id())
    assert is_same(known)
    record.write_text(record.read_text().replace(getattr(known, field), "1"))


async def test_a_record_that_was_cut_short_is_nobodys_process(owner: Orphans, tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "commands").mkdir)
    await asyncio.to_thread((tmp_path / "commands" / "check-1.json").write_text, '{"pid": 1')
    assert await owner.end_all() == frozenset()
    assert await asyncio.to_thread(records, tmp_path) == []


async def test_a_folder_that_takes_no_record_stops_no_command(owner: Orphans, tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "commands").write_text, "a file where the folder should be")
    async with process("sleep", "300", env=PATH | owner.environment("check-1")) as left:
        await owner.register("check-1", left.pid)
        assert await owner.end("check-1")


async def test_a_command_is_written_down_while_it_runs(owner: Orphans, tmp_path: Path) -> None:
    found: list[str] = []

    async def started(leader: int) -> None:
        await owner.register("check-1", leader)
        found.extend(file.name for file in await asyncio.to_thread(records, tmp_path))
        await asyncio.to_thread((tmp_path / "go").touch)

    await run("until [ -e go ]; do :; done", tmp_path, PATH, DEADLINE, on_start=started)
    await owner.end("check-1")
    assert found == ["check-1.json"]
    assert await asyncio.to_thread(records, tmp_path) == []
