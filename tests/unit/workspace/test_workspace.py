"""The workspace: buffer over disk, edits recorded before and after, honest answers from editors."""

import asyncio
import os
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from specloom.domain.ids import Digest, EditId, digest_of
from specloom.workspace.ports import (
    Applied,
    BufferOwner,
    EditResult,
    FileChange,
    MissingFileError,
    NotApplied,
    OutsideRootError,
    Refusal,
    TextSnapshot,
)
from specloom.workspace.workspace import Workspace


@dataclass
class Journal:
    """Keeps what was recorded, in order."""

    lines: list[tuple[str, object]] = field(default_factory=list[tuple[str, object]])

    async def requested(self, path: str, before: TextSnapshot | None, after: Digest, label: str) -> EditId:
        self.lines.append(("requested", (path, before and before.text, after, label)))
        return EditId(f"edit-{len(self.lines)}")

    async def settled(self, edit: EditId, result: EditResult) -> None:
        self.lines.append((edit, type(result)))


@dataclass
class Editor:
    """An editor with buffers: applies changes to them as a client does."""

    workspace: Workspace
    silent: bool = False
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    saves: bool = True

    def open(self, path: str, text: str) -> None:
        self.workspace.documents.open(path, text, 1, self)

    def type(self, path: str, text: str) -> None:
        known = self.workspace.documents.find(path)
        assert known is not None
        self.workspace.documents.change(path, text, known.version + 1, self)

    async def apply(self, change: FileChange) -> EditResult:
        self.asked.set()
        if self.silent:
            await self.go_on.wait()
        known = self.workspace.documents.find(change.path)
        assert known is not None
        assert change.base is not None
        if known.version != change.base.version:
            return NotApplied(Refusal.CLIENT_REFUSED, "another version", None)
        self.type(change.path, change.new_text)
        return Applied(await self.workspace.read(change.path), in_buffer=True)

    async def save(self, paths: tuple[str, ...], deadline: float) -> tuple[str, ...]:
        if not self.saves:
            await asyncio.sleep(deadline)
            return paths
        for path in paths:
            known = self.workspace.documents.find(path)
            assert known is not None
            await asyncio.to_thread((self.workspace.root / path).write_text, known.text)
            self.workspace.documents.saved(path, self)
        return ()


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def workspace(tmp_path: Path, journal: Journal) -> Workspace:
    (tmp_path / "a.txt").write_text("disk\n")
    return Workspace.at(tmp_path, journal)


@pytest.fixture
def editor(workspace: Workspace) -> Editor:
    return Editor(workspace)


async def test_open_buffer_hides_the_disk(workspace: Workspace, editor: Editor) -> None:
    on_disk = await workspace.read("a.txt")
    assert (on_disk.text, on_disk.version, on_disk.dirty) == ("disk\n", None, False)
    editor.open("a.txt", "disk\n")
    assert not (await workspace.read("a.txt")).dirty
    editor.type("a.txt", "typed\n")
    typed = await workspace.read("a.txt")
    assert (typed.text, typed.version, typed.dirty, typed.digest) == ("typed\n", 2, True, digest_of("typed\n"))
    assert await workspace.dirty_paths() == ("a.txt",) == workspace.documents.dirty_paths()
    assert workspace.documents.closed_owner(editor) == ("a.txt",)
    assert (await workspace.read("a.txt")).text == "disk\n"


async def test_buffer_keeps_encoding_and_mark_of_its_file(workspace: Workspace, editor: Editor, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes("grün".encode("utf-16"))
    editor.open("b.txt", "grün")
    snapshot = await workspace.read("b.txt")
    assert (snapshot.bom, snapshot.dirty, snapshot.digest) == (True, False, digest_of("grün".encode("utf-16")))


async def test_buffer_of_a_file_that_is_not_saved_yet_is_dirty(workspace: Workspace, editor: Editor) -> None:
    editor.open("new.txt", "text")
    assert (await workspace.read("new.txt")).dirty
    result = await workspace.apply(FileChange("new.txt", "other", None))
    assert isinstance(result, NotApplied)
    assert result.refusal is Refusal.CHANGED_MEANWHILE


async def test_edit_of_a_closed_file_goes_to_disk_between_two_records(
    workspace: Workspace, journal: Journal, tmp_path: Path
) -> None:
    result = await workspace.apply(FileChange("./a.txt", "new\n", await workspace.read("a.txt"), "Specloom: 01/1"))
    assert isinstance(result, Applied)
    assert not result.in_buffer
    assert (tmp_path / "a.txt").read_bytes() == b"new\n"
    assert journal.lines == [
        ("requested", ("a.txt", "disk\n", digest_of("new\n"), "Specloom: 01/1")),
        ("edit-1", Applied),
    ]
    assert workspace.own_writes.is_echo("a.txt", digest_of("new\n"))


async def test_edit_of_an_open_file_goes_through_its_editor(
    workspace: Workspace, editor: Editor, journal: Journal, tmp_path: Path
) -> None:
    editor.open("a.txt", "typed\n")
    result = await workspace.apply(FileChange("a.txt", "edited\n", await workspace.read("a.txt")))
    assert isinstance(result, Applied)
    assert (result.in_buffer, result.snapshot.text, result.snapshot.dirty) == (True, "edited\n", True)
    assert (tmp_path / "a.txt").read_bytes() == b"disk\n"
    assert [kind for kind, _ in journal.lines] == ["requested", "edit-1"]


async def test_typing_between_read_and_edit_refuses_the_edit(
    workspace: Workspace, editor: Editor, journal: Journal
) -> None:
    editor.open("a.txt", "one\n")
    base = await workspace.read("a.txt")
    editor.type("a.txt", "two\n")
    result = await workspace.apply(FileChange("a.txt", "edited\n", base))
    assert isinstance(result, NotApplied)
    assert result.present is not None
    assert (result.refusal, result.present.text) == (Refusal.CHANGED_MEANWHILE, "two\n")
    assert journal.lines == []


async def test_same_text_in_a_newer_version_is_the_same_base(workspace: Workspace, editor: Editor) -> None:
    editor.open("a.txt", "one\n")
    base = await workspace.read("a.txt")
    editor.type("a.txt", "two\n")
    editor.type("a.txt", "one\n")
    assert isinstance(await workspace.apply(FileChange("a.txt", "edited\n", base)), Applied)


async def test_silent_editor_ends_in_a_refusal(workspace: Workspace, editor: Editor, journal: Journal) -> None:
    editor.silent = True
    workspace = replace(workspace, buffer_deadline=0.05)
    editor.open("a.txt", "one\n")
    result = await workspace.apply(FileChange("a.txt", "edited\n", await workspace.read("a.txt")))
    assert isinstance(result, NotApplied)
    assert result.refusal is Refusal.CLIENT_SILENT
    assert journal.lines[-1] == ("edit-1", NotApplied)


async def test_cancelled_edit_is_settled_before_the_cancellation_goes_on(
    workspace: Workspace, editor: Editor, journal: Journal
) -> None:
    editor.silent = True
    editor.open("a.txt", "one\n")
    task = asyncio.create_task(workspace.apply(FileChange("a.txt", "edited\n", await workspace.read("a.txt"))))
    await editor.asked.wait()
    task.cancel()
    editor.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert journal.lines[-1] == ("edit-1", Applied)
    assert (await workspace.read("a.txt")).text == "edited\n"


async def test_two_edits_of_one_base_make_one_change(workspace: Workspace) -> None:
    base = await workspace.read("a.txt")
    results = await asyncio.gather(*(workspace.apply(FileChange("a.txt", f"{number}\n", base)) for number in range(5)))
    assert sum(isinstance(result, Applied) for result in results) == 1


async def test_link_and_real_name_are_one_file(workspace: Workspace, editor: Editor, tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to("a.txt")
    path = await asyncio.to_thread(workspace.path_of, tmp_path / "link.txt")
    assert path == "a.txt"
    editor.open(path, "typed\n")
    assert (await workspace.read("link.txt")).text == "typed\n"


async def test_path_of_a_closed_or_foreign_file_is_none(workspace: Workspace, tmp_path: Path) -> None:
    for file in (tmp_path / ".env", tmp_path.parent / "other", tmp_path / ".git" / "config"):
        assert await asyncio.to_thread(workspace.path_of, file) is None


async def test_secret_is_closed_even_when_an_editor_has_it_open(workspace: Workspace, editor: Editor) -> None:
    editor.open(".env", "KEY=1")
    with pytest.raises(OutsideRootError):
        await workspace.read(".env")


async def test_save_asks_the_owner_and_names_what_stays_dirty(
    workspace: Workspace, editor: Editor, tmp_path: Path
) -> None:
    editor.open("a.txt", "one\n")
    editor.type("a.txt", "two\n")
    editor.saves = False
    assert await workspace.save(("a.txt", "closed.txt"), 0.02) == ("a.txt",)
    editor.saves = True
    assert await workspace.save(("a.txt",), 5) == ()
    assert (tmp_path / "a.txt").read_bytes() == b"two\n"


async def test_of_two_editors_the_one_with_changes_counts(workspace: Workspace, editor: Editor) -> None:
    other: BufferOwner = Editor(workspace)
    editor.open("a.txt", "one\n")
    workspace.documents.change("a.txt", "two\n", 2, editor)
    workspace.documents.open("a.txt", "disk\n", 7, other)
    found = workspace.documents.find("a.txt")
    assert found is not None
    assert found.owner is editor
    workspace.documents.close("a.txt", editor)
    assert (await workspace.read("a.txt")).version == 7
    assert workspace.documents.paths() == ("a.txt",)


async def test_who_read_what_another_editor_saved_does_not_hide_what_that_one_types(
    workspace: Workspace, editor: Editor, tmp_path: Path
) -> None:
    other = Editor(workspace)
    for one in (editor, other):
        one.open("a.txt", "disk\n")
    editor.type("a.txt", "saved\n")
    assert await workspace.save(("a.txt",), 1.0) == ()
    editor.type("a.txt", "saved\nand typed\n")
    other.type("a.txt", "saved\n")
    assert (await workspace.read("a.txt")).text == "saved\nand typed\n"
    (tmp_path / "a.txt").write_text("by a command\n")
    other.type("a.txt", "by a command\n")
    seen = await workspace.read("a.txt")
    assert seen.text == "saved\nand typed\n"
    assert isinstance(await workspace.apply(FileChange("a.txt", "edited\n", seen)), Applied)
    found = workspace.documents.find("a.txt")
    assert found is not None
    assert (found.owner, found.text) == (editor, "edited\n")


async def test_journals_of_two_attempts_stay_apart(workspace: Workspace, journal: Journal) -> None:
    own = Journal()
    await workspace.recorded(own).apply(FileChange("b.txt", "new", None))
    assert (len(own.lines), len(journal.lines)) == (2, 0)


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


IGNORED_TREE = {
    ".gitignore": "*.log\n/build/\n!keep.log\nsecret/*\n!secret/open.txt\n# comment\nspace\\ \n",
    "a.py": "",
    "x.log": "",
    "keep.log": "",
    "build/out.txt": "",
    "sub/build/in.txt": "",
    "sub/.gitignore": "*.txt\n!in.txt\n",
    "sub/other.txt": "",
    "sub/deep/x.log": "",
    "sub/deep/keep.log": "",
    "secret/closed.txt": "",
    "secret/open.txt": "",
    "odd/ä b'c.txt": "",
    "space ": "",
}


def grow(root: Path, tree: dict[str, str]) -> None:
    for path, text in tree.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


async def test_walk_sees_what_git_sees(tmp_path: Path) -> None:
    grow(tmp_path, IGNORED_TREE)
    await asyncio.to_thread(git, tmp_path, "init", "-q")
    listed = await asyncio.to_thread(git, tmp_path, "ls-files", "-co", "--exclude-standard", "-z")
    workspace = await asyncio.to_thread(Workspace.at, tmp_path)
    assert list(await workspace.walk()) == sorted(listed.rstrip("\0").split("\0"))


async def test_walk_hides_what_is_closed_and_what_is_never_wanted(tmp_path: Path) -> None:
    hidden = [
        ".env",
        ".git/config",
        ".specloom/state.db",
        "key.pem",
        "node_modules/a.js",
        "x/__pycache__/a.pyc",
        "ignored",
    ]
    grow(tmp_path, {**dict.fromkeys(hidden, ""), ".ignore": "ignored\n", "x/a.py": "", ".github/ci.yml": ""})
    (tmp_path / "link").symlink_to("/etc")
    workspace = await asyncio.to_thread(Workspace.at, tmp_path)
    assert await workspace.walk() == (".github/ci.yml", ".ignore", "x/a.py")
    assert await workspace.walk("x") == ("x/a.py",)
    assert await workspace.walk("node_modules") == ()
    with pytest.raises(MissingFileError):
        await workspace.walk("absent")


async def test_folder_lists_kinds_and_marks_what_is_ignored(tmp_path: Path) -> None:
    grow(tmp_path, {".gitignore": "*.log\n", "a.log": "12345", "sub/x": "", ".env": "", "b.py": "1"})
    (tmp_path / "link").symlink_to("b.py")
    os.mkfifo(tmp_path / "pipe")
    workspace = await asyncio.to_thread(Workspace.at, tmp_path)
    entries = [(entry.name, entry.kind, entry.size, entry.ignored) for entry in await workspace.list_folder()]
    assert entries == [
        (".gitignore", "file", 6, False),
        ("a.log", "file", 5, True),
        ("b.py", "file", 1, False),
        ("link", "link", 0, False),
        ("pipe", "other", 0, False),
        ("sub", "folder", 0, False),
    ]
