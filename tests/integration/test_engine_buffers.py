"""Open buffers are the truth: what the agent reads, where its edits land, when verification may run."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from specloom.domain.events import planning, proof
from specloom.domain.events.tasks import ProofRenewed, ProofStale
from specloom.domain.ids import PlanId
from specloom.domain.runs import RunOutcome, RunState
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from specloom.engine.saving import LOOK_AGAIN
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.people import Editor
from tests.integration.projects import USER
from tests.integration.stage import (
    DEADLINE,
    ONE,
    attempt,
    codes,
    ended,
    events_of,
    newest_message,
    project,
    read,
    replace_line,
    run_of,
    says,
    staged,
    start,
    task,
    turn,
    until,
    until_file,
    write,
)

GOOD = "grep -q good a.txt"
READS, EDITS, CLAIMS = turn(read("a.txt")), turn(replace_line("a.txt", 2, "bad", "good")), turn(says())
UNSAVED = "typed\nbad\nend\n"


@asynccontextmanager
async def edited(
    tmp_path: Path, *turns: dict[str, Any], saves: bool = True, at: int = 1, **settings: Any
) -> AsyncGenerator[tuple[ProjectRuntime, ScriptedServer, Editor]]:
    """A project whose `a.txt` is open in an editor, modified and not saved."""
    root = project(tmp_path / "p", task(1, GOOD))
    (root / "a.txt").write_text("bad\nend\n")
    async with staged(root, attempt(1, *turns, at=at), **settings) as (runtime, server):
        editor = Editor(runtime, saves=saves)
        await asyncio.to_thread(editor.open, "a.txt")
        editor.type("a.txt", UNSAVED)
        with runtime.attach(editor):
            yield runtime, server, editor


async def test_a_read_sees_what_is_typed_and_an_edit_lands_in_the_buffer(tmp_path: Path) -> None:
    async with edited(tmp_path, READS, EDITS, CLAIMS) as (runtime, server, editor):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert "typed" in newest_message(server, "1 at 1", 2)
        assert "in the user's open editor, not saved yet" in newest_message(server, "1 at 1", 3)
        assert editor.text("a.txt") == "typed\ngood\nend\n"
        assert editor.undo == [("a.txt", UNSAVED)]
        assert (runtime.root / "a.txt").read_text() == "typed\ngood\nend\n", "the editor saved when it was asked"
        settled = [event for event in await events_of(runtime, proof.EditSettled) if event.path == "a.txt"]
        assert [(event.applied, event.in_buffer) for event in settled] == [(True, True)]
        assert settled[0].diff == "@@ -2,1 +2,1 @@\n-bad\n+good"


async def test_verification_waits_for_a_save_that_nobody_makes_and_goes_on_by_itself(tmp_path: Path) -> None:
    async with edited(tmp_path, READS, EDITS, CLAIMS, saves=False, limits={"save_timeout_s": 1}) as (
        runtime,
        _,
        editor,
    ):
        await start(runtime)
        await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        assert editor.saving.is_set()
        assert run_of(runtime.state).reason == "save 1 file: a.txt"
        assert (runtime.root / "a.txt").read_text() == "bad\nend\n"
        assert [event.phase for event in await events_of(runtime, proof.CheckRequested)] == [proof.CheckPhase.BEFORE]
        await asyncio.to_thread(editor.write, "a.txt")
        await until(runtime, lambda state: run_of(state).state is RunState.FINISHED)
        assert run_of(runtime.state).outcome is RunOutcome.COMPLETED
        assert runtime.state.record(ONE).state is TaskState.DONE


async def test_a_run_that_waits_for_a_save_does_not_go_on_beside_a_plan(tmp_path: Path) -> None:
    async with edited(tmp_path, READS, EDITS, CLAIMS, saves=False, limits={"save_timeout_s": 1}) as (
        runtime,
        _,
        editor,
    ):
        await start(runtime)
        await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        plan = PlanId("plan-1")
        await runtime.engine.mailbox.record(planning.PlanStarted(plan, "requirements.md", planning.PlanStage.SPECS, ""))
        await asyncio.to_thread(editor.write, "a.txt")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(LOOK_AGAIN * 3):
                await until(runtime, lambda state: run_of(state).state is not RunState.PAUSED)
        await runtime.engine.mailbox.record(planning.PlanFailed(plan, "cancelled by the user"))
        await until(runtime, lambda state: run_of(state).state is RunState.FINISHED)
        assert run_of(runtime.state).outcome is RunOutcome.COMPLETED


async def test_a_run_that_waits_for_a_save_is_cancelled(tmp_path: Path) -> None:
    async with edited(tmp_path, READS, EDITS, CLAIMS, saves=False, limits={"save_timeout_s": 1}) as (
        runtime,
        _,
        editor,
    ):
        await start(runtime)
        await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        await runtime.cancel(USER)
        assert run_of(runtime.state).outcome is RunOutcome.CANCELLED
        assert runtime.state.state_of(ONE) is TaskState.READY
        assert editor.text("a.txt") == "typed\ngood\nend\n", "what stands in the buffer is the person's to undo"


async def test_who_resumes_without_saving_is_asked_again(tmp_path: Path) -> None:
    async with edited(tmp_path, READS, EDITS, CLAIMS, saves=False, limits={"save_timeout_s": 1}) as (
        runtime,
        _,
        editor,
    ):
        await start(runtime)
        await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        await runtime.resume(USER)
        await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        assert run_of(runtime.state).reason == "save 1 file: a.txt"
        await asyncio.to_thread(editor.write, "a.txt")
        await until(runtime, lambda state: run_of(state).state is RunState.FINISHED)


async def test_what_two_editors_typed_apart_is_verified_only_once_a_person_has_joined_it(tmp_path: Path) -> None:
    async with edited(tmp_path, READS, EDITS, CLAIMS | {"hold": "apart"}) as (runtime, server, editor):
        other = Editor(runtime)
        await asyncio.to_thread(other.open, "a.txt")
        with runtime.attach(other):
            await start(runtime)
            assert await server.until(lambda known: known.total == 3)
            other.type("a.txt", "bad\nend\nelsewhere\n")
            server.release("apart")
            await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
            assert run_of(runtime.state).reason == "save 1 file: a.txt"
            assert [event.phase for event in await events_of(runtime, proof.CheckRequested)] == [
                proof.CheckPhase.BEFORE
            ]
            assert (runtime.root / "a.txt").read_text() == other.text("a.txt") == "bad\nend\nelsewhere\n"
            assert editor.text("a.txt") == "typed\ngood\nend\n", "nobody's words are gone"
            editor.type("a.txt", "typed\ngood\nend\nelsewhere\n")
            await asyncio.to_thread(editor.write, "a.txt")
            other.type("a.txt", editor.text("a.txt"))
            await until(runtime, lambda state: run_of(state).state is RunState.FINISHED)
            assert run_of(runtime.state).outcome is RunOutcome.COMPLETED


async def test_typing_elsewhere_while_the_model_thinks_is_kept(tmp_path: Path) -> None:
    held = EDITS | {"hold": "edit"}
    async with edited(tmp_path, READS, held, CLAIMS) as (runtime, server, editor):
        await start(runtime)
        assert await server.until(lambda known: known.total == 2)
        editor.type("a.txt", "typed\nbad\nend\nmore by hand\n")
        server.release("edit")
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert editor.text("a.txt") == "typed\ngood\nend\nmore by hand\n"


async def test_typing_at_the_same_line_refuses_the_edit_and_shows_the_model_what_stands_there(tmp_path: Path) -> None:
    held = EDITS | {"hold": "edit"}
    again = turn(replace_line("a.txt", 2, "bad, I typed", "good"), expect="was changed by others")
    async with edited(tmp_path, READS, held, again, CLAIMS) as (runtime, server, editor):
        await start(runtime)
        assert await server.until(lambda known: known.total == 2)
        editor.type("a.txt", "typed\nbad, I typed\nend\n")
        server.release("edit")
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert editor.text("a.txt") == "typed\ngood\nend\n"


async def test_an_edit_that_the_editor_refuses_is_a_problem_until_the_next_proof(tmp_path: Path) -> None:
    again = EDITS | {"expect": "the editor said no", "hold": "again"}
    async with edited(tmp_path, READS, EDITS, again, CLAIMS) as (runtime, server, editor):
        editor.refuses = 1
        await start(runtime)
        assert await server.until(lambda known: known.total == 3)
        await until(runtime, lambda state: bool(state.record(ONE).refused))
        assert codes(runtime) == ["edit-refused"]
        assert editor.text("a.txt") == UNSAVED
        server.release("again")
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert codes(runtime) == []
        settled = [event for event in await events_of(runtime, proof.EditSettled) if event.path == "a.txt"]
        assert [event.applied for event in settled] == [False, True]


async def test_undoing_an_edit_makes_the_proof_stale(tmp_path: Path) -> None:
    async with edited(tmp_path, READS, EDITS, CLAIMS) as (runtime, _, editor):
        await start(runtime)
        await ended(runtime)
        assert runtime.state.record(ONE).stale == ()
        editor.undo_last()
        await runtime.refresh(("a.txt",))
        assert runtime.state.record(ONE).stale == ("a.txt",)
        assert codes(runtime) == ["proof-stale"]


async def test_the_box_of_an_open_spec_is_ticked_in_its_buffer(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f b.txt"))
    spec = "specs/01-steps.md"
    async with staged(root, attempt(1, turn(write("b.txt", "b\n")), CLAIMS)) as (runtime, _):
        editor = Editor(runtime)
        await asyncio.to_thread(editor.open, spec)
        editor.type(spec, editor.text(spec) + "\nA note of mine.\n")
        with runtime.attach(editor):
            await start(runtime)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert "- [x] 1" in editor.text(spec)
        assert editor.text(spec).endswith("A note of mine.\n")
        assert "- [x] 1" not in (root / spec).read_text(), "a buffer is saved by its owner"


async def test_a_proof_counts_for_what_was_on_disk_when_its_command_ran(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "grep -q good b.txt && grep -q fine notes.txt"))
    (root / "notes.txt").write_text("fine\n")
    async with staged(root, attempt(1, turn(write("b.txt", "good\n")), CLAIMS), strict=False) as (runtime, _):
        editor = Editor(runtime)
        await asyncio.to_thread(editor.open, "notes.txt")
        editor.type("notes.txt", "not saved\n")
        with runtime.attach(editor):
            await start(runtime)
            async with asyncio.timeout(DEADLINE):
                await runtime.wait_idle()
        assert runtime.state.record(ONE).state is TaskState.DONE
        await runtime.refresh()
        assert runtime.state.record(ONE).stale == ("notes.txt",)
        assert await events_of(runtime, ProofStale)


async def test_proof_whose_file_was_undone_and_not_saved_stays_stale_at_the_end_of_the_run(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, GOOD), task(2, "grep -q b b.txt"))
    (root / "a.txt").write_text("bad\nend\n")
    first = attempt(1, READS, turn(replace_line("a.txt", 1, "bad", "good")), CLAIMS)
    second = attempt(2, turn(write("b.txt", "b\n"), hold="undone"), CLAIMS)
    async with staged(root, first, second) as (runtime, server):
        editor = Editor(runtime)
        await asyncio.to_thread(editor.open, "a.txt")
        with runtime.attach(editor):
            await start(runtime)
            await until(runtime, lambda state: state.record(ONE).state is TaskState.DONE)
            editor.undo_last()
            server.release("undone")
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
            assert runtime.state.record(ONE).stale == ("a.txt",)
            assert not await events_of(runtime, ProofRenewed)
            assert (root / "a.txt").read_text() == "good\nend\n", "nobody saved what the person has not"


async def test_verifying_again_asks_for_what_is_not_saved_and_finds_what_was_undone(tmp_path: Path) -> None:
    async with edited(tmp_path, READS, EDITS, CLAIMS) as (runtime, _, editor):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        editor.undo_last()
        await runtime.refresh(("a.txt",))
        assert codes(runtime) == ["proof-stale"]
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.INCOMPLETE
        assert (runtime.root / "a.txt").read_text() == UNSAVED
        assert runtime.state.record(ONE).state is TaskState.FAILED


async def test_typing_while_a_proof_is_verified_again_leaves_it_stale(tmp_path: Path) -> None:
    waits = "if [ -e hold ]; then touch held; while [ -e hold ]; do sleep 0.02; done; fi; " + GOOD
    root = project(tmp_path / "p", task(1, waits))
    (root / "a.txt").write_text("bad\nend\n")
    async with staged(root, attempt(1, READS, turn(replace_line("a.txt", 1, "bad", "good")), CLAIMS)) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        editor = Editor(runtime)
        (root / "a.txt").write_text("good\nend of it\n")
        await asyncio.to_thread(editor.open, "a.txt")
        with runtime.attach(editor):
            (root / "hold").touch()
            await start(runtime)
            await until_file(root / "held")
            editor.type("a.txt", "bad again\n")
            (root / "hold").unlink()
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
            assert len(await events_of(runtime, ProofRenewed)) == 1
            assert runtime.state.record(ONE).stale == ("a.txt",)
