"""What the engine makes of documents that somebody types in: which words wait, and what is told at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from specloom.domain.events.documents import RequirementsRead, SpecRead
from specloom.domain.evidence import EvidenceKind
from specloom.domain.ids import SpecId
from specloom.domain.runs import RunOutcome
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from tests.integration.people import Editor
from tests.integration.stage import (
    ONE,
    TWO,
    attempt,
    ended,
    events_of,
    first_message,
    project,
    says,
    staged,
    start,
    task,
    turn,
    until_event,
    write,
)

SPEC = "specs/01-steps.md"
LONG = 8.0
"""Seconds for which words wait: longer than a busy machine takes for all that comes while they do."""


@asynccontextmanager
async def typing(root: Path) -> AsyncGenerator[tuple[ProjectRuntime, Editor]]:
    """A runtime whose spec and requirements are open in an editor."""
    async with staged(project(root, task(1, "true"), task(2, "true")), strict=False) as (runtime, _):
        editor = Editor(runtime)
        for path in (SPEC, "requirements.md"):
            await asyncio.to_thread(editor.open, path)
        with runtime.attach(editor):
            yield runtime, editor


async def types(runtime: ProjectRuntime, editor: Editor, path: str, old: str, new: str) -> None:
    """A pause in typing after `old` became `new`."""
    assert old in editor.text(path)
    editor.type(path, editor.text(path).replace(old, new))
    await runtime.refresh((path,))


@pytest.mark.parametrize(
    ("path", "words", "kind"), [(SPEC, "Step 1", SpecRead), ("requirements.md", "a greeting", RequirementsRead)]
)
async def test_words_typed_with_many_pauses_are_one_event_with_the_last_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, words: str, kind: type[SpecRead | RequirementsRead]
) -> None:
    monkeypatch.setattr("specloom.engine.root_watch.TYPING", LONG)
    async with typing(tmp_path / "p") as (runtime, editor):
        before = len(await events_of(runtime, kind))
        for length in range(1, 6):
            await types(runtime, editor, path, words + "a" * (length - 1), words + "a" * length)
            assert words + "a" * length in editor.text(path)
        assert runtime.spec_at(SPEC) is not None
        await until_event(runtime, kind, lambda event: words + "aaaaa" in str(event))
        assert len(await events_of(runtime, kind)) == before + 1


async def test_what_is_seen_of_a_document_is_as_new_as_its_last_pause(tmp_path: Path) -> None:
    async with typing(tmp_path / "p") as (runtime, editor):
        await types(runtime, editor, SPEC, "Step 1", "Another step")
        spec = runtime.spec_at(SPEC)
        assert spec is not None
        assert spec.tasks[0].title == "Another step"


async def test_a_box_ticked_while_words_wait_is_taken_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specloom.engine.root_watch.TYPING", LONG)
    async with typing(tmp_path / "p") as (runtime, editor):
        await types(runtime, editor, SPEC, "Step 1", "Another step")
        assert runtime.state.plan.specs[SpecId("01")].tasks[0].title == "Step 1"
        await types(runtime, editor, SPEC, "- [ ] 1", "- [x] 1")
        assert runtime.state.record(ONE).state is TaskState.DONE
        assert [item.kind for item in runtime.evidence(ONE)] == [EvidenceKind.USER]
        assert runtime.state.plan.specs[SpecId("01")].tasks[0].title == "Another step"


@pytest.mark.parametrize(
    ("old", "new"), [("- [ ] 2", "- [ ] 3"), ("`true`", "`false`"), ("- [ ] 2 Step 2", "- [ ]* 2 Step 2")]
)
async def test_what_the_graph_depends_on_is_told_at_once(tmp_path: Path, old: str, new: str) -> None:
    async with typing(tmp_path / "p") as (runtime, editor):
        before = len(await events_of(runtime, SpecRead))
        await types(runtime, editor, SPEC, old, new)
        assert len(await events_of(runtime, SpecRead)) == before + 1


async def test_a_run_works_from_the_words_that_were_typed_a_moment_before(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    async with staged(root, attempt(1, turn(write("a.txt", "a\n")), turn(says()))) as (runtime, server):
        editor = Editor(runtime)
        await asyncio.to_thread(editor.open, SPEC)
        with runtime.attach(editor):
            await types(runtime, editor, SPEC, "Step 1", "Write the letter a")
            await start(runtime)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert "Write the letter a" in first_message(server, "1 at 1")


async def test_a_document_that_was_closed_without_saving_says_what_the_disk_says(tmp_path: Path) -> None:
    async with typing(tmp_path / "p") as (runtime, editor):
        await types(runtime, editor, SPEC, "Step 2", "Another step")
        runtime.documents.closed_owner(editor)
        await runtime.refresh((SPEC,))
        await runtime.refresh()
        assert runtime.state.graph.tasks[TWO].title == "Step 2"
        assert len(await events_of(runtime, SpecRead)) == 1
