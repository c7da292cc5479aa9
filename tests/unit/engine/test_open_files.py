"""When a file counts as unchanged without being read, and what a session still knows after a restart."""

import os
from pathlib import Path

import pytest

from specloom.domain.ids import Digest
from specloom.engine.open_files import WorkspaceFiles, recalled
from specloom.store.system import SystemClock
from specloom.workspace.ports import EditResult, FileChange, NotApplied, Refusal
from specloom.workspace.workspace import Workspace

LONG_AGO = 1_700_000_000


class Editor:
    """Has a document open, and changes nothing."""

    async def apply(self, change: FileChange) -> EditResult:
        return NotApplied(Refusal.CLIENT_REFUSED, "no", change.base)

    async def save(self, paths: tuple[str, ...], deadline: float) -> tuple[str, ...]:
        del deadline
        return paths


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("text\n")
        os.utime(tmp_path / name, (LONG_AGO, LONG_AGO))
    return Workspace.at(tmp_path)


async def test_a_stamp_changes_with_the_file_and_not_without(workspace: Workspace) -> None:
    files = WorkspaceFiles(workspace, SystemClock())
    first = await files.stamps(["a.txt"])
    assert await files.stamps(["a.txt"]) == first
    (workspace.root / "a.txt").write_text("TEXT\n")
    os.utime(workspace.root / "a.txt", (LONG_AGO + 1, LONG_AGO + 1))
    assert (await files.stamps(["a.txt"]))["a.txt"] != first["a.txt"]


async def test_a_file_that_changed_just_now_has_no_stamp_to_trust(workspace: Workspace) -> None:
    files = WorkspaceFiles(workspace, SystemClock())
    (workspace.root / "a.txt").write_text("TEXT\n")
    os.utime(workspace.root / "a.txt", (9_999_999_999, 9_999_999_999))
    assert set(await files.stamps(["a.txt", "b.txt", "gone.txt"])) == {"b.txt"}


async def test_typing_in_an_open_document_changes_its_stamp(workspace: Workspace) -> None:
    files = WorkspaceFiles(workspace, SystemClock())
    editor = Editor()
    workspace.documents.open("a.txt", "text\n", 1, editor)
    first = await files.stamps(["a.txt"])
    workspace.documents.change("a.txt", "typed\n", 2, editor)
    assert await files.stamps(["a.txt"]) != first
    assert (await files.read("a.txt")).text == "typed\n"


async def test_after_a_restart_a_session_knows_what_is_still_as_it_was(workspace: Workspace) -> None:
    shown = {path: (await workspace.read(path)).digest for path in ("a.txt", "b.txt")}
    (workspace.root / "b.txt").write_text("other\n")
    known = await recalled(workspace, {**shown, "gone.txt": shown["a.txt"], "closed.txt": Digest("")})
    assert set(known.memory.bases) == {"a.txt"}
    assert known.lost == ("b.txt", "gone.txt")
    assert known.closed == {"closed.txt"}
