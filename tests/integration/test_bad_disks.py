"""A disk that is full or read-only, and a clock that jumps: told with the next step, nothing lost, and gone on with."""

import asyncio
import subprocess
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from specloom.domain.events import REGISTRY, agents
from specloom.domain.events.planning import PlanStarted
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import PauseCause, RunOutcome, RunState
from specloom.domain.states import TaskState
from specloom.engine.api import Published
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from specloom.store.errors import StoreReadOnlyError
from specloom.store.log import EventStore
from specloom.store.system import SystemClock
from tests.integration.people import Person, agrees
from tests.integration.projects import USER, hosted
from tests.integration.stage import (
    DEADLINE,
    ONE,
    TWO,
    attempt,
    ended,
    events_of,
    finished,
    project,
    run_of,
    says,
    script,
    start,
    task,
    turn,
    until,
    write,
)
from tests.integration.test_offline import at, free_port, held, paused, served
from tests.integration.test_planning import plan
from tests.integration.test_planning import project as unplanned
from tests.unit.planning.planning_scripts import WHOLE

LONG = "".join(f"{number:06} a line of a file\n" for number in range(4000))
STORY = script(
    attempt(1, turn(write("a.txt", LONG)), turn(write("b.txt", LONG[1:])), turn(write("c.txt", "c\n")), turn(says()))
)
SMALL = 4 * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own, where this user may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SMALL},mode=0700", "tmpfs", place], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no disk can be mounted here: {made.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def remount(disk: Path, how: str) -> None:
    """`ro` or `rw`."""
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


def fill(disk: Path) -> Path:
    """Takes all room that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


async def goes_on(runtime: ProjectRuntime, known: tuple[Published, ...]) -> None:
    """From where it was: what was published is there, and no call is made twice."""
    log = await runtime.events(0, 100_000)
    assert [(item.seq, item.event) for item in log[: len(known)]] == [(item.seq, item.event) for item in known]
    assert not isinstance(await runtime.resume(USER, unattended=True), Rejected)
    assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
    calls = [event.call for event in await events_of(runtime, agents.ToolRequested)]
    assert len(calls) == len(set(calls))


@asynccontextmanager
async def staged_at(root: Path, given: dict[str, str]) -> AsyncGenerator[ProjectRuntime]:
    """A runtime that nobody orders anything of."""
    async with ScriptedServer(STORY, keep=None) as server, hosted(root, server, given) as runtime:
        yield runtime


@pytest.mark.parametrize("stays", [True, False])
async def test_a_disk_that_is_full_stops_the_run_and_says_so_and_with_room_it_goes_on(
    tmp_path: Path, disk: Path, stays: bool
) -> None:
    root = project(tmp_path / "p", task(1, "test -f c.txt"))
    person, given = Person(agrees), {"SPECLOOM_STATE_DIR": str(disk / ".specloom")}

    def heard(published: Published, state: ProjectState) -> None:
        del state
        if isinstance(published.event, agents.TurnRequested) and published.event.turn == 2 and not person.told:
            fill(disk)

    async with ScriptedServer(STORY, keep=None) as server:
        async with hosted(root, server, given) as runtime:
            with runtime.attach(person), runtime.listen(heard):
                await start(runtime)
                await ended(runtime)
                assert any("make room" in message for _, message in person.told), person.told
                known = await runtime.events(0, 100_000)
                if stays:
                    await asyncio.to_thread((disk / "filler").unlink)
                    await runtime.pause(USER)
                    await goes_on(runtime, known)
        if not stays:
            await asyncio.to_thread((disk / "filler").unlink)
            async with hosted(root, server, given) as runtime:
                assert run_of(runtime.state).state is RunState.PAUSED
                await goes_on(runtime, known)
        assert server.failures == []
    assert (root / "b.txt").read_text() == LONG[1:]


async def test_a_run_that_a_full_disk_cut_off_is_paused_as_soon_as_there_is_room_though_nobody_asks(
    tmp_path: Path, disk: Path
) -> None:
    root = project(tmp_path / "p", task(1, "test -f c.txt"))
    given = {"SPECLOOM_STATE_DIR": str(disk / ".specloom")}

    def heard(published: Published, state: ProjectState) -> None:
        del state
        if isinstance(published.event, agents.TurnRequested) and published.event.turn == 2 and not full.is_set():
            fill(disk)
            full.set()

    full = asyncio.Event()
    async with ScriptedServer(STORY, keep=None) as server:
        async with hosted(root, server, given) as runtime:
            with runtime.listen(heard):
                await start(runtime)
                await ended(runtime)
            assert full.is_set()
            assert run_of(runtime.state).state is RunState.RUNNING, "the log takes nothing else"
            known = await runtime.events(0, 100_000)
            await asyncio.to_thread((disk / "filler").unlink)
            await paused(runtime, PauseCause.INTERRUPTED)
            assert "resume to go on" in run_of(runtime.state).reason
            await goes_on(runtime, known)
        assert server.failures == []


async def test_a_plan_that_a_full_disk_cut_off_ends_as_soon_as_there_is_room_and_can_be_planned_again(
    tmp_path: Path, disk: Path
) -> None:
    root, given = unplanned(tmp_path / "p"), {"SPECLOOM_STATE_DIR": str(disk / ".specloom")}

    def heard(published: Published, state: ProjectState) -> None:
        del state
        if isinstance(published.event, PlanStarted) and not full.is_set():
            fill(disk)
            full.set()

    full = asyncio.Event()
    async with ScriptedServer(WHOLE) as server, hosted(root, server, given) as runtime:
        with runtime.listen(heard):
            await plan(runtime)
        assert runtime.state.running_plan is not None, "the log takes no end of it"
        await asyncio.to_thread((disk / "filler").unlink)
        await until(runtime, lambda state: state.running_plan is None)
        told = runtime.state.planning
        assert told is not None
        assert "plan again to go on" in told.reason
        await plan(runtime)
        assert runtime.state.planning is not None
        assert runtime.state.planning.state == "finished"
        server.check()


async def test_documents_that_change_while_the_disk_is_full_are_taken_in_with_the_next_change(
    tmp_path: Path, disk: Path
) -> None:
    root = project(tmp_path / "p", task(1), task(2))
    given, spec = {"SPECLOOM_STATE_DIR": str(disk / ".specloom")}, root / "specs/01-steps.md"
    async with staged_at(root, given) as runtime:
        filler = await asyncio.to_thread(fill, disk)
        text = spec.read_text().replace("- [ ] 1", "- [x] 1")
        # More than the disk has kept in reserve.
        await asyncio.to_thread(spec.write_text, text.replace("Step 1", LONG.replace("\n", " ")))
        async with asyncio.timeout(DEADLINE):
            while "make room" not in runtime.health(0.0).message:  # noqa: ASYNC110 - no event tells it
                await asyncio.sleep(0.01)
        await asyncio.to_thread(filler.unlink)
        await asyncio.to_thread(spec.write_text, text.replace("- [ ] 2", "- [x] 2"))
        await until(runtime, lambda state: state.record(ONE).state is TaskState.DONE)
        await until(runtime, lambda state: state.record(TWO).state is TaskState.DONE)


async def test_a_run_that_waits_for_its_endpoint_goes_on_though_the_disk_was_full_when_it_came_back(
    tmp_path: Path, disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port, root = free_port(), project(tmp_path / "p", task(1, "test -f b.txt"))
    before = served(port, held())
    await asyncio.to_thread(before.start)
    async with at(root, port, {"SPECLOOM_STATE_DIR": str(disk / ".specloom")}) as runtime:
        await start(runtime)
        assert await before.until(lambda server: server.total == 2, DEADLINE)
        await asyncio.to_thread(before.stop)
        await paused(runtime, PauseCause.OFFLINE)
        filler = await asyncio.to_thread(fill, disk)
        async with served(port):
            async with asyncio.timeout(DEADLINE):
                while "the run does not go on yet" not in caplog.text:  # noqa: ASYNC110 - nothing gets into the log
                    await asyncio.sleep(0.01)
            await asyncio.to_thread(filler.unlink)
            assert await finished(runtime) is RunOutcome.COMPLETED


async def test_a_folder_that_is_away_for_a_while_is_followed_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root, away = project(tmp_path / "p", task(1)), tmp_path / "away"
    (root / "specloom.toml").write_text("[limits]\nattempts = 1\n")
    async with staged_at(root, {"SPECLOOM_STATE_DIR": str(tmp_path / "state")}) as runtime:
        await asyncio.to_thread(root.rename, away)
        async with asyncio.timeout(DEADLINE):
            while "the settings were not read again" not in caplog.text:  # noqa: ASYNC110 - nothing is in the log
                await asyncio.sleep(0.01)
        assert ONE in runtime.state.graph.tasks
        await asyncio.to_thread(away.rename, root)
        spec = root / "specs/01-steps.md"
        await asyncio.to_thread(spec.write_text, spec.read_text().replace("- [ ] 1", "- [x] 1"))
        await until(runtime, lambda state: state.record(ONE).state is TaskState.DONE)


async def test_a_read_only_disk_is_told_and_can_be_read(tmp_path: Path, disk: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f c.txt"))
    given = {"SPECLOOM_STATE_DIR": str(disk / ".specloom")}
    async with ScriptedServer(STORY, keep=None) as server:
        async with hosted(root, server, given) as runtime:
            await start(runtime)
            await ended(runtime)
            last = runtime.state.seq
        remount(disk, "ro")
        with pytest.raises(StoreReadOnlyError, match="how the disk is mounted"):
            async with hosted(root, server, given):
                pass
        store = await EventStore.open(disk / ".specloom", REGISTRY, SystemClock(), mode="read")
        assert [record.seq for record in await store.read()] == list(range(1, last + 1))
        await store.close()
        remount(disk, "rw")
        async with hosted(root, server, given) as runtime:
            assert runtime.state.seq >= last


JUMPS = {"an hour back": timedelta(hours=-1), "a year ahead": timedelta(days=365), "and back": timedelta(days=-365)}


@pytest.mark.parametrize("jumps", [("an hour back",), ("a year ahead",), ("a year ahead", "and back")])
async def test_a_clock_that_jumps_changes_no_result(
    tmp_path: Path, jumps: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path / "p", task(1, "test -f c.txt"))
    looks = count()

    def jumping(_: SystemClock) -> str:
        step = next(looks) // 8
        moved = sum((JUMPS[name] for name in jumps[:step]), timedelta())
        return (datetime.now(UTC) + moved).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"

    monkeypatch.setattr(SystemClock, "now", jumping)
    async with ScriptedServer(STORY, keep=None) as server:
        for _ in range(2):
            async with hosted(root, server) as runtime:
                if runtime.state.run is None:
                    await start(runtime)
                    assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
                log = await runtime.events(0, 100_000)
                assert [item.seq for item in log] == list(range(1, len(log) + 1))
                assert run_of(runtime.state).spent.seconds >= 0
        assert next(looks) > 8 * len(jumps)
        assert server.failures == []
