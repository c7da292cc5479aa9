"""What git writes back of one file, without a trace in HEAD: no hand ticked or unticked a box by it."""

import asyncio
from pathlib import Path

import pytest

from specloom.domain.events.documents import HeadChanged
from specloom.domain.evidence import EvidenceKind
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from tests.integration.people import Editor
from tests.integration.stage import ONE, TWO, codes, events_of, staged, until
from tests.integration.test_head import SPEC, git, repository

RESTORES = {
    "restore": [("restore", SPEC)],
    "checkout of a file": [("checkout", "--", SPEC)],
    "checkout of a file that was added": [("add", SPEC), ("checkout", "HEAD", "--", SPEC)],
    "restore of a file that was added": [("add", SPEC), ("restore", "--staged", "--worktree", SPEC)],
}


def box(root: Path, task: int, *, ticked: bool) -> None:
    """Ticks or unticks as a person does in a file."""
    old, new = (" ", "x") if ticked else ("x", " ")
    text = (root / SPEC).read_text()
    changed = text.replace(f"- [{old}] {task}", f"- [{new}] {task}")
    assert changed != text
    (root / SPEC).write_text(changed)


def ticked(root: Path, task: int) -> bool:
    """What the file says."""
    return f"- [x] {task}" in (root / SPEC).read_text()


async def in_state(runtime: ProjectRuntime, state: TaskState) -> None:
    """Returns when the first task is."""
    await until(runtime, lambda now: now.record(ONE).state is state)


@pytest.mark.parametrize("verb", RESTORES)
async def test_box_that_goes_when_git_restores_its_file_is_no_hand(tmp_path: Path, verb: str) -> None:
    root = repository(tmp_path / "p")
    async with staged(root, strict=False) as (runtime, _):
        box(root, 1, ticked=True)
        await in_state(runtime, TaskState.DONE)
        for words in RESTORES[verb]:
            await asyncio.to_thread(git, root, *words)
        await runtime.refresh()
        assert not ticked(root, 1)
        assert runtime.state.record(ONE).state is TaskState.DONE
        assert codes(runtime) == ["proof-stale"]
        assert len(await events_of(runtime, HeadChanged)) == 1, "HEAD is where it was"
        box(root, 1, ticked=True)
        await runtime.refresh()
        assert codes(runtime) == []
        box(root, 1, ticked=False)
        await runtime.refresh()
        assert runtime.state.record(ONE).state is TaskState.PENDING


async def test_box_that_comes_back_with_its_file_is_no_hand(tmp_path: Path) -> None:
    root = repository(tmp_path / "p")
    box(root, 1, ticked=True)
    git(root, "commit", "-qam", "ticked")
    async with staged(root, strict=False) as (runtime, _):
        box(root, 1, ticked=False)
        await in_state(runtime, TaskState.PENDING)
        await asyncio.to_thread(git, root, "restore", SPEC)
        await runtime.refresh()
        assert ticked(root, 1)
        assert runtime.state.record(ONE).state is TaskState.PENDING
        assert "box-differs" in codes(runtime)


async def test_box_in_an_open_editor_that_reads_a_restored_file_again_is_no_hand(tmp_path: Path) -> None:
    root = repository(tmp_path / "p")
    async with staged(root, strict=False) as (runtime, _):
        box(root, 1, ticked=True)
        await in_state(runtime, TaskState.DONE)
        editor = Editor(runtime)
        editor.open(SPEC)
        await asyncio.to_thread(git, root, "restore", SPEC)
        await runtime.refresh()
        assert codes(runtime) == [], "the editor still shows the box as it was"
        editor.type(SPEC, (root / SPEC).read_text())
        await runtime.refresh()
        assert runtime.state.record(ONE).state is TaskState.DONE
        assert codes(runtime) == ["proof-stale"]


async def test_hand_that_ticks_and_commits_in_one_go_is_a_hand(tmp_path: Path) -> None:
    root = repository(tmp_path / "p")

    def scripted() -> None:
        box(root, 1, ticked=True)
        git(root, "commit", "-qam", "done by hand")
        box(root, 2, ticked=True)
        git(root, "add", SPEC)

    async with staged(root, strict=False) as (runtime, _):
        await asyncio.to_thread(scripted)
        await runtime.refresh()
        for task in (ONE, TWO):
            assert [piece.kind for piece in runtime.state.record(task).evidence] == [EvidenceKind.USER]
        await asyncio.to_thread(git, root, "update-index", "-q", "--refresh")
        box(root, 1, ticked=False)
        await in_state(runtime, TaskState.PENDING)
