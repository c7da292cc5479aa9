"""A project whose log was damaged opens all the same: it is told what was kept and lost, and its work goes on."""

import asyncio
import sqlite3
from pathlib import Path

from specloom.domain.events import REGISTRY
from specloom.domain.events.documents import LogRebuilt
from specloom.domain.evidence import EvidenceKind
from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunOutcome, Scope
from specloom.domain.states import TaskState
from specloom.llm.scripted.server import ScriptedServer
from specloom.store.errors import CorruptStoreError
from specloom.store.log import EventStore
from specloom.store.system import SystemClock
from tests.integration.people import Person, agrees
from tests.integration.projects import USER, hosted
from tests.integration.stage import (
    DEADLINE,
    ONE,
    THREE,
    TWO,
    attempt,
    ended,
    events_of,
    project,
    says,
    script,
    start,
    task,
    turn,
    write,
)

STORY = script(
    attempt(1, turn(write("a.txt", "a\n")), turn(says())), attempt(2, turn(write("b.txt", "b\n")), turn(says()))
)


def damage(root: Path) -> int:
    """Makes the event after the first finished task unreadable; its number."""
    seq = changed(root, "SELECT min(seq) FROM events WHERE type = 'TaskDone'") + 1
    changed(root, f"UPDATE events SET payload = '[' WHERE seq = {seq}")
    return seq


def changed(root: Path, statement: str) -> int:
    """Does this to the log; the first number that it gives back, else 0."""
    db = sqlite3.connect(root / ".specloom" / "state.db")
    row = db.execute(statement).fetchone()
    db.commit()
    db.close()
    return int(row[0]) if row else 0


def aside(root: Path) -> str:
    """The folder with the damaged log."""
    [found] = (root / ".specloom").glob("damaged-*")
    return found.name


def reason_in(message: str) -> str:
    return message.partition("damaged (")[2].partition(") and was rebuilt")[0]


async def carry_out_one(root: Path, server: ScriptedServer) -> None:
    """The first task, in a process that ends in order."""
    async with hosted(root, server) as runtime:
        await start(runtime, Scope("task", ONE))
        await ended(runtime)


async def test_boxes_that_are_ticked_after_a_rebuild_are_the_hand_of_a_person(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"), task(2, "test -f b.txt"), task(3, "true"))
    spec = root / "specs" / "01-steps.md"
    async with ScriptedServer(STORY, keep=None) as server:
        await carry_out_one(root, server)
        damage(root)
        spec.write_text(spec.read_text().replace("- [ ] 2", "- [x] 2"))
        async with hosted(root, server) as runtime:
            spec.write_text(spec.read_text().replace("- [ ] 3", "- [x] 3"))
            await runtime.refresh()
            kinds = {name: [item.kind for item in runtime.evidence(name)] for name in (TWO, THREE)}
    assert kinds == {TWO: [EvidenceKind.IMPORTED], THREE: [EvidenceKind.USER]}


async def test_a_rebuild_that_was_killed_before_it_was_told_is_told_by_the_next_process(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"), task(2, "test -f b.txt"))
    async with ScriptedServer(STORY, keep=None) as server:
        await carry_out_one(root, server)
        seq = damage(root)
        damaged = CorruptStoreError(f"event {seq}: it cannot be read; restore it")
        rebuilt = await EventStore.rebuild(root / ".specloom", REGISTRY, SystemClock(), damaged)
        spec = root / "specs" / "01-steps.md"
        spec.write_text(spec.read_text().replace("- [ ] 2", "- [x] 2"))
        for _ in range(2):
            async with hosted(root, server) as runtime:
                [told] = await events_of(runtime, LogRebuilt)
                assert told == LogRebuilt(seq - 1, rebuilt.lost, aside(root), rebuilt.reason)
                assert runtime.health(0.0).status == "warning"
                assert [item.kind for item in runtime.evidence(TWO)] == [EvidenceKind.IMPORTED]


async def test_a_log_that_is_damaged_twice_tells_of_both(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"), task(2, "test -f b.txt"))
    async with ScriptedServer(STORY, keep=None) as server:
        await carry_out_one(root, server)
        for count in (1, 2):
            changed(root, "UPDATE events SET at = x'ff' WHERE seq = (SELECT max(seq) FROM events)")
            async with hosted(root, server) as runtime:
                found = await events_of(runtime, LogRebuilt)
            assert len(found) == count
            assert len({event.aside for event in found}) == count
        changed(root, "UPDATE events SET payload = '[' WHERE seq = 5")
        async with hosted(root, server) as runtime:
            [last] = await events_of(runtime, LogRebuilt)
        assert last.kept == 4


async def told(person: Person) -> tuple[str, str]:
    """The first message that somebody gets."""
    async with asyncio.timeout(DEADLINE):
        while not person.told:  # noqa: ASYNC110 - it comes from a task of the desk's
            await asyncio.sleep(0.01)
    return person.told[0]


async def test_a_project_with_a_damaged_log_goes_on_from_what_is_left_of_it(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"), task(2, "test -f b.txt"))
    async with ScriptedServer(STORY, keep=None) as server:
        async with hosted(root, server) as runtime:
            await start(runtime)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
            last = runtime.state.seq
        seq, person = damage(root), Person(agrees)
        async with hosted(root, server) as runtime:
            with runtime.attach(person):
                level, message = await told(person)
                assert level == "warning"
                assert f"(event {seq}: an event of type" in message
                assert f"{seq - 1:,} events were kept, {last - seq + 1:,} were lost" in message
                [rebuilt] = await runtime.events(seq - 1, 1)
                assert rebuilt.event == LogRebuilt(seq - 1, last - seq + 1, aside(root), reason_in(message))
                assert (runtime.health(0.0).status, runtime.health(0.0).message) == ("warning", message)
                assert [item.kind for item in runtime.evidence(TWO)] == [EvidenceKind.IMPORTED], (
                    "nobody knows of a hand"
                )
                assert not isinstance(await runtime.resume(USER, unattended=True), Rejected), "its run was under way"
                assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
                assert runtime.health(0.0).status == "ok"
            assert [runtime.state.state_of(name) for name in (ONE, TWO)] == [TaskState.DONE] * 2
        later = Person(agrees)
        async with hosted(root, server) as runtime:
            with runtime.attach(later):
                assert (await start(runtime)).id
                await ended(runtime)
            assert later.told == [], "it is told once"
        assert len(list((root / ".specloom").glob("damaged-*/state.db"))) == 1
        assert (root / "specs" / "01-steps.md").read_text().count("- [x]") == 2
