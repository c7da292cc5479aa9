"""What git writes back of one file, without a trace in HEAD: no hand ticked or unticked a box by it."""

import asyncio
from pathlib import Path

import pytest

from specloom.domain.events.documents import HeadChanged
from specloom.domain.evidence import EvidenceKind
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from tests.integration.people import Editor
from tests.integration.stage import ONE, TWO, codes, events_of, staged, until, until_event
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


def doubted(runtime: ProjectRuntime) -> None:
    """The first task stays done, and its proof is stale."""
    assert runtime.state.record(ONE).state is TaskState.DONE
    assert codes(runtime) == ["proof-stale"]


async def hand_counts(runtime: ProjectRuntime, root: Path) -> None:
    """Who ticks the first box now vouches for it, and who unticks it takes that back."""
    box(root, 1, ticked=True)
    await runtime.refresh()
    assert runtime.state.record(ONE).state is TaskState.DONE
    assert codes(runtime) == []
    box(root, 1, ticked=False)
    await runtime.refresh()
    assert runtime.state.record(ONE).state is TaskState.PENDING


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
        doubted(runtime)
        assert len(await events_of(runtime, HeadChanged)) == 1, "HEAD is where it was"
        await hand_counts(runtime, root)


@pytest.mark.parametrize("packs", [False, True])
async def test_box_that_comes_back_with_its_file_is_no_hand(tmp_path: Path, packs: bool) -> None:
    root = repository(tmp_path / "p")
    box(root, 1, ticked=True)
    git(root, "commit", "-qam", "ticked")
    async with staged(root, strict=False) as (runtime, _):
        box(root, 1, ticked=False)
        await in_state(runtime, TaskState.PENDING)
        if packs:
            # What stands in a pack is as old as that: only the index tells that git had it before.
            await asyncio.to_thread(git, root, "gc", "-q")
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
        doubted(runtime)


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


SOURCES = {
    "restore": [("restore", "--source", "HEAD~1", SPEC)],
    "checkout": [("checkout", "-q", "HEAD~1", "--", SPEC)],
}
WITHOUT = {**RESTORES, "hard reset": [("reset", "-q", "--hard")], "stash": [("stash", "-q")]}


async def marked(root: Path, *, commits: bool = False) -> None:
    """The first task was ticked by hand while Specloom ran."""
    async with staged(root, strict=False) as (runtime, _):
        box(root, 1, ticked=True)
        await in_state(runtime, TaskState.DONE)
        if commits:
            await asyncio.to_thread(git, root, "commit", "-qam", "ticked")
            await until_event(runtime, HeadChanged, lambda event: event.how.endswith("ticked"))


@pytest.mark.parametrize("verb", WITHOUT)
async def test_box_that_goes_when_git_restores_its_file_while_nobody_runs_is_no_hand(tmp_path: Path, verb: str) -> None:
    root = repository(tmp_path / "p")
    await marked(root)
    for words in WITHOUT[verb]:
        git(root, *words)
    git(root, "status")
    for _ in range(2):
        async with staged(root, strict=False) as (runtime, _):
            assert not ticked(root, 1)
            doubted(runtime)


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("verb", SOURCES)
async def test_box_that_goes_when_git_puts_back_an_earlier_file_is_no_hand(
    tmp_path: Path, verb: str, running: bool
) -> None:
    root = repository(tmp_path / "p")
    await marked(root, commits=True)
    if not running:
        for words in SOURCES[verb]:
            git(root, *words)
    async with staged(root, strict=False) as (runtime, _):
        if running:
            for words in SOURCES[verb]:
                await asyncio.to_thread(git, root, *words)
            await runtime.refresh()
        assert not ticked(root, 1)
        doubted(runtime)
        await hand_counts(runtime, root)


async def test_box_that_comes_with_a_stash_is_no_hand(tmp_path: Path) -> None:
    root = repository(tmp_path / "p")
    await marked(root)
    git(root, "stash", "-q")
    async with staged(root, strict=False) as (runtime, _):
        await hand_counts(runtime, root)
        await asyncio.to_thread(git, root, "stash", "apply", "-q")
        await runtime.refresh()
        assert ticked(root, 1)
        assert runtime.state.record(ONE).state is TaskState.PENDING
        assert "box-differs" in codes(runtime)


async def test_file_that_git_has_packed_and_borrows_is_put_back_by_git(tmp_path: Path) -> None:
    shared = repository(tmp_path / "shared")
    git(shared, "gc", "-q")
    git(tmp_path, "clone", "-q", "--shared", "shared", "p")
    root = tmp_path / "p"
    await marked(root)
    git(root, "restore", SPEC)
    async with staged(root, strict=False) as (runtime, _):
        doubted(runtime)


HANDS = {
    "nothing": [],
    "add": [("add", SPEC)],
    "commit": [("commit", "-qam", "by hand")],
}


@pytest.mark.parametrize("verb", HANDS)
async def test_box_that_a_hand_changes_while_nobody_runs_counts_also_where_the_file_reads_as_it_once_did(
    tmp_path: Path, verb: str
) -> None:
    root = repository(tmp_path / "p")
    await marked(root, commits=True)
    box(root, 1, ticked=False)
    for words in HANDS[verb]:
        git(root, *words)
    async with staged(root, strict=False) as (runtime, _):
        assert runtime.state.record(ONE).state is TaskState.PENDING
        assert codes(runtime) == []


async def test_box_of_which_nobody_can_tell_stays_and_follows_the_next_hand(tmp_path: Path) -> None:
    root = repository(tmp_path / "p")
    await marked(root)
    box(root, 1, ticked=False)
    git(root, "status")
    async with staged(root, strict=False) as (runtime, _):
        doubted(runtime)
        await hand_counts(runtime, root)


@pytest.mark.parametrize("verb", HANDS)
async def test_box_that_a_hand_ticks_while_nobody_runs_is_a_tick(tmp_path: Path, verb: str) -> None:
    root = repository(tmp_path / "p")
    async with staged(root, strict=False):
        pass
    box(root, 1, ticked=True)
    for words in HANDS[verb]:
        git(root, *words)
    async with staged(root, strict=False) as (runtime, _):
        assert [piece.kind for piece in runtime.state.record(ONE).evidence] == [EvidenceKind.USER]
