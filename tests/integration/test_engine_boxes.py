"""State and box change one after the other; nobody is told of a difference that is about to vanish."""

import asyncio
from pathlib import Path

import pytest

from specloom.domain import commands as c
from specloom.domain.ids import TaskId
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunOutcome
from specloom.domain.states import TaskState
from specloom.engine.api import Published
from specloom.engine.library import Library
from specloom.engine.runtime import ProjectRuntime
from specloom.workspace.ports import EditResult, FileChange, FolderEntry, NotApplied, Refusal
from specloom.workspace.workspace import Workspace
from tests.integration.people import Editor
from tests.integration.projects import USER
from tests.integration.stage import ONE, attempt, codes, ended, project, says, staged, start, task, turn, write

SPEC = "specs/01-steps.md"
FAMILY = "- [x] 1 Both\n  - [x] 1.1 First\n  - [x] 1.2 Second\n- [x] 2 Alone"


class Watch:
    """What a client is shown of the boxes, at each event."""

    def __init__(self, runtime: ProjectRuntime) -> None:
        self.differing: list[str] = []
        self._runtime = runtime

    def heard(self, published: Published, state: ProjectState) -> None:
        del state
        if "box-differs" in codes(self._runtime):
            self.differing.append(type(published.event).__name__)


async def test_a_task_that_is_proven_is_never_shown_as_done_with_an_empty_box(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "test -f a.txt"))
    async with staged(root, attempt(1, turn(write("a.txt", "a\n")), turn(says()))) as (runtime, _):
        watch = Watch(runtime)
        with runtime.listen(watch.heard):
            await start(runtime)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
            assert not isinstance(await runtime.change_task(c.ResetTask(ONE), USER), Rejected)
        assert watch.differing == []
        assert codes(runtime) == []


@pytest.mark.parametrize("name", ["01/1", "01/1.1", "01/2"])
async def test_the_boxes_of_a_task_and_of_all_below_it_follow_a_reset(tmp_path: Path, name: str) -> None:
    root = project(tmp_path / "p", FAMILY)
    async with staged(root) as (runtime, _):
        watch = Watch(runtime)
        with runtime.listen(watch.heard):
            assert not isinstance(await runtime.change_task(c.ResetTask(TaskId(name)), USER), Rejected)
        assert watch.differing == []
        assert codes(runtime) == []
        expected = {"01/1": "   x", "01/1.1": "  xx", "01/2": "xxx "}[name]
        assert "".join(line.strip()[3] for line in (root / SPEC).read_text().splitlines() if "- [" in line) == expected


class ReadOnlyEditor(Editor):
    """Takes no edit of the spec."""

    async def apply(self, change: FileChange) -> EditResult:
        return NotApplied(Refusal.CLIENT_REFUSED, f"{change.path} is locked", None)


async def test_a_box_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    async with staged(project(tmp_path / "p", FAMILY)) as (runtime, _):
        editor = ReadOnlyEditor(runtime)
        await asyncio.to_thread(editor.open, SPEC)
        with runtime.attach(editor):
            await runtime.change_task(c.ResetTask(TaskId("01/2")), USER)
            assert runtime.state.record(TaskId("01/2")).state is TaskState.PENDING
            assert codes(runtime) == ["box-differs"]


async def test_an_order_about_an_unknown_task_is_refused(tmp_path: Path) -> None:
    async with staged(project(tmp_path / "p", FAMILY)) as (runtime, _):
        answer = await runtime.change_task(c.SkipTask(TaskId("01/9"), "no need"), USER)
        assert isinstance(answer, Rejected)
        assert answer.code == "unknown-task"


async def test_a_task_reads_the_documents_twice_for_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, listed = Workspace.list_folder, list[str]()

    async def noted(workspace: Workspace, path: str = "") -> tuple[FolderEntry, ...]:
        listed.append(path)
        return await read(workspace, path)

    async def blind(library: Library) -> bool:
        del library
        return False

    monkeypatch.setattr(Workspace, "list_folder", noted)
    # What the watcher reads, whenever it comes to it, is not the run's.
    monkeypatch.setattr(Library, "look", blind)
    root = project(tmp_path / "p", *(task(number, "true") for number in range(1, 6)))
    sessions = (attempt(number, turn(says())) for number in range(1, 6))
    async with staged(root, *sessions) as (runtime, _):
        listed.clear()
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        # The start of the run twice; then each task before its verdict, and after its box.
        assert listed.count("") <= 2 + 2 * 5
