"""What people do to documents by hand: each becomes an event or a problem, and no history is lost."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from specloom.domain import commands as c
from specloom.domain.evidence import EvidenceKind
from specloom.domain.ids import RequirementId, TaskId
from specloom.domain.runs import RunOutcome, Scope
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from specloom.workspace.ports import TextSnapshot
from specloom.workspace.workspace import Workspace
from tests.integration.projects import REQUIREMENTS, USER
from tests.integration.stage import (
    ONE,
    TWO,
    attempt,
    codes,
    command,
    ended,
    first_message,
    project,
    says,
    staged,
    start,
    task,
    turn,
    until_file,
    write,
)

SPEC = "specs/01-steps.md"
OTHER = "specs/02-more.md"
HEAD = '---\nid: "02"\ntitle: More\ndepends_on: []\nrequirements: []\n---\n\n# More\n\n## Tasks\n\n'


@asynccontextmanager
async def worked(root: Path) -> AsyncGenerator[ProjectRuntime]:
    """Task 1 is proven, task 2 skipped, task 3 waits; the second spec has a task of its own."""
    project(root, task(1, "test -f a.txt"), task(2, "true"), task(3, "true", requirements="R1.2"))
    (root / OTHER).write_text(HEAD + "- [ ] 1 Another\n")
    script = attempt(1, turn(write("a.txt", "a\n")), turn(says()))
    async with staged(root, script) as (runtime, _):
        await runtime.change_task(c.SkipTask(TWO, "no need"), USER)
        await start(runtime, Scope("task", ONE))
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert runtime.state.record(ONE).state is TaskState.DONE
        yield runtime


async def edited(runtime: ProjectRuntime, path: str, change: Callable[[str], str]) -> None:
    """Somebody changes a file on disk; returns when that was taken in."""
    file = runtime.root / path
    text = await asyncio.to_thread(file.read_text)
    changed = change(text)
    assert changed != text
    await asyncio.to_thread(file.write_text, changed)
    await runtime.refresh()


def lines_of(text: str, number: int) -> str:
    """The lines of a task of `SPEC`."""
    start = text.index(next(line for line in text.splitlines() if line[6:].startswith(f"{number} ")))
    rest = text[start:]
    return rest[: rest.index("\n- ") + 1] if "\n- " in rest else rest


def kinds(runtime: ProjectRuntime, name: TaskId) -> list[EvidenceKind]:
    """What vouches for a task."""
    return [piece.kind for piece in runtime.evidence(name)]


async def test_renumbered_tasks_keep_what_is_known_of_them_and_of_what_they_changed(tmp_path: Path) -> None:
    async with worked(tmp_path / "p") as runtime:
        await edited(runtime, SPEC, lambda text: text.replace("] 1 Step", "] 7 Step"))
        assert runtime.state.record(TaskId("01/7")).state is TaskState.DONE
        assert kinds(runtime, TaskId("01/7")) == [EvidenceKind.COMMAND]
        assert "a.txt" in await runtime.diff(TaskId("01/7"))
        assert runtime.state.record(ONE).state is TaskState.PENDING


async def test_task_that_moves_within_its_spec_keeps_its_history(tmp_path: Path) -> None:
    async with worked(tmp_path / "p") as runtime:
        await edited(runtime, SPEC, lambda text: text.replace(lines_of(text, 1), "") + lines_of(text, 1))
        assert [runtime.state.record(name).state for name in (ONE, TWO)] == [TaskState.DONE, TaskState.SKIPPED]


@pytest.mark.parametrize("first", [SPEC, OTHER])
async def test_task_that_moves_to_another_spec_keeps_its_history(tmp_path: Path, first: str) -> None:
    async with worked(tmp_path / "p") as runtime:
        moved = lines_of(await asyncio.to_thread((runtime.root / SPEC).read_text), 1).replace("] 1 ", "] 2 ")
        steps: dict[str, Callable[[str], str]] = {
            SPEC: lambda text: text.replace(lines_of(text, 1), ""),
            OTHER: lambda text: text + moved,
        }
        for path in (first, OTHER if first == SPEC else SPEC):
            await edited(runtime, path, steps[path])
        assert kinds(runtime, TaskId("02/2")) == [EvidenceKind.COMMAND]
        assert runtime.state.record(TaskId("02/2")).state is TaskState.DONE
        assert ONE not in runtime.state.graph.tasks


async def test_task_that_is_deleted_and_put_back_is_what_it_was(tmp_path: Path) -> None:
    async with worked(tmp_path / "p") as runtime:
        before = await asyncio.to_thread((runtime.root / SPEC).read_text)
        await edited(runtime, SPEC, lambda text: text.replace(lines_of(text, 1), ""))
        assert ONE not in runtime.state.graph.tasks
        await edited(runtime, SPEC, lambda _: before)
        assert kinds(runtime, ONE) == [EvidenceKind.COMMAND]
        assert codes(runtime) == []


async def test_task_that_is_duplicated_keeps_its_history_once_and_the_copy_is_a_problem(tmp_path: Path) -> None:
    async with worked(tmp_path / "p") as runtime:
        await edited(runtime, SPEC, lambda text: text + lines_of(text, 1).replace("- [x]", "- [ ]"))
        assert kinds(runtime, ONE) == [EvidenceKind.COMMAND]
        assert "duplicate-number" in codes(runtime)


async def test_document_that_is_read_while_it_is_written_is_not_taken_for_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with worked(tmp_path / "p") as runtime:
        file, read = runtime.root / SPEC, Workspace.read
        wanted = (await asyncio.to_thread(file.read_text)).replace("- [x] 1 ", "- [ ] 1 ")
        # Once: a reading that the watcher began may last longer than the patch.
        left = [wanted]

        async def just_before(workspace: Workspace, path: str) -> TextSnapshot:
            found = await read(workspace, path)
            if path == SPEC and left and not found.text:
                await asyncio.to_thread(file.write_text, left.pop())
            return found

        monkeypatch.setattr(Workspace, "read", just_before)
        await edited(runtime, SPEC, lambda _: "")
        assert runtime.state.record(ONE).state is TaskState.PENDING
        assert ONE in runtime.state.graph.tasks
        monkeypatch.undo()
        await edited(runtime, SPEC, lambda _: "")
        assert ONE not in runtime.state.graph.tasks, "who empties a document means it"


async def test_done_task_whose_words_are_edited_stays_done(tmp_path: Path) -> None:
    async with worked(tmp_path / "p") as runtime:
        await edited(runtime, SPEC, lambda text: text.replace("1 Step 1", "1 Step 1, said better"))
        assert kinds(runtime, ONE) == [EvidenceKind.COMMAND]
        await edited(runtime, SPEC, lambda text: text.replace("- [x] 1 ", "- [ ] 1 "))
        assert runtime.state.record(ONE).state is TaskState.PENDING


async def test_dependency_that_is_added_is_waited_for(tmp_path: Path) -> None:
    async with worked(tmp_path / "p") as runtime:
        assert runtime.state.state_of(TaskId("01/3")) is TaskState.READY
        await edited(runtime, SPEC, lambda text: text.rstrip("\n") + "\n  - _Depends: 02/1_\n")
        assert runtime.state.state_of(TaskId("01/3")) is TaskState.PENDING


async def test_spec_that_is_deleted_renamed_or_given_another_id_loses_nothing(tmp_path: Path) -> None:
    async with worked(tmp_path / "p") as runtime:
        file, other = runtime.root / SPEC, runtime.root / "specs/01-renamed.md"
        await asyncio.to_thread(file.rename, other)
        await runtime.refresh()
        assert runtime.state.record(ONE).state is TaskState.DONE
        text = await asyncio.to_thread(other.read_text)
        await asyncio.to_thread(other.unlink)
        await runtime.refresh()
        assert ONE not in runtime.state.graph.tasks
        await asyncio.to_thread(other.write_text, text.replace('id: "01"', 'id: "05"'))
        await runtime.refresh()
        assert kinds(runtime, TaskId("05/1")) == [EvidenceKind.COMMAND]
        await asyncio.to_thread(other.write_text, text)
        await runtime.refresh()
        assert kinds(runtime, ONE) == [EvidenceKind.COMMAND]


async def test_changed_requirement_makes_its_done_tasks_stale_until_it_reads_as_before(tmp_path: Path) -> None:
    async with worked(tmp_path / "p") as runtime:
        await edited(runtime, "requirements.md", lambda text: text.replace("SHALL print a greeting", "SHALL be silent"))
        assert runtime.state.record(ONE).outdated == (RequirementId("R1.1"),)
        assert codes(runtime) == ["proof-outdated"]
        await edited(runtime, "requirements.md", lambda _: REQUIREMENTS)
        assert codes(runtime) == []
        await edited(runtime, "requirements.md", lambda text: text.replace("R1.1", "R1.5"))
        assert runtime.state.record(ONE).outdated == ()
        assert "requirement-renumbered" in codes(runtime)
        await asyncio.to_thread((runtime.root / "requirements.md").unlink)
        await runtime.refresh()
        assert runtime.state.record(ONE).outdated == (RequirementId("R1.1"),)
        assert runtime.state.record(ONE).state is TaskState.DONE


async def test_box_of_the_very_task_in_flight_that_is_ticked_in_its_file_is_told_and_not_taken(tmp_path: Path) -> None:
    root, flag = project(tmp_path / "p", task(1, "test -f a.txt")), tmp_path / "flag"
    waits = f"touch {flag}; while ! test -f {flag}.go; do sleep 0.02; done"
    script = attempt(1, turn(command(waits)), turn(write("a.txt", "a\n")), turn(says()))
    async with staged(root, script) as (runtime, _):
        await start(runtime)
        await until_file(flag)
        await edited(runtime, SPEC, lambda text: text.replace("- [ ] 1", "- [x] 1"))
        assert runtime.state.record(ONE).state is TaskState.IN_PROGRESS
        await asyncio.to_thread(Path(f"{flag}.go").touch)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert kinds(runtime, ONE) == [EvidenceKind.COMMAND]


async def test_instructions_that_change_in_the_middle_of_a_run_reach_the_next_session(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "true"), task(2, "true"))
    (root / "AGENTS.md").write_text("Be brief.\n")
    flag = tmp_path / "flag"
    waits = f"touch {flag}; while ! test -f {flag}.go; do sleep 0.02; done"
    async with staged(root, attempt(1, turn(command(waits)), turn(says())), attempt(2, turn(says()))) as (
        runtime,
        server,
    ):
        await start(runtime)
        await until_file(flag)
        await asyncio.to_thread((root / "AGENTS.md").write_text, "Be thorough.\n")
        await asyncio.to_thread(Path(f"{flag}.go").touch)
        await ended(runtime)
        assert "Be brief." in first_message(server, "1 at 1")
        assert "Be thorough." in first_message(server, "2 at 1")
