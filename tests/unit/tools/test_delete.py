"""Deleting and closing: what goes is written down, and nothing goes that somebody else is working on."""

from pathlib import Path

import pytest

from specloom.domain.ids import Digest, EditId
from specloom.workspace.deleting import MOST_FILES
from specloom.workspace.ports import EditResult, FileChange, TextSnapshot
from specloom.workspace.workspace import Workspace
from tests.unit.tools.conftest import Hands


def names(folder: Path) -> list[str]:
    """What stands in a folder."""
    return sorted(entry.name for entry in folder.iterdir())


BINARY = b"\x89PNG\0\1\2"


class Journal:
    """Keeps what was recorded, in order."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str | None, str]] = []
        self.settled_as: list[str] = []

    async def requested(self, path: str, before: TextSnapshot | None, after: Digest, label: str) -> EditId:
        assert after == ""
        self.lines.append((path, None if before is None else before.text, label))
        return EditId(path)

    async def settled(self, edit: EditId, result: EditResult) -> None:
        self.settled_as.append(f"{edit}: {type(result).__name__}")


class Editor:
    async def apply(self, change: FileChange) -> EditResult:
        raise AssertionError(change.path)

    async def save(self, paths: tuple[str, ...], deadline: float) -> tuple[str, ...]:
        raise AssertionError((paths, deadline))


@pytest.fixture
def journal(hands: Hands) -> Journal:
    journal = Journal()
    workspace = Workspace.at(hands.root, journal)
    workspace.keep = hands.root.parent / "kept"
    hands.context = hands.changed(files=workspace).context
    return journal


async def test_a_file_goes_with_its_before_image_in_the_log(hands: Hands, journal: Journal) -> None:
    hands.grow({"src/a.py": "one\n", "src/b.py": "two\n"})
    assert await hands.text("delete_file", path="src/a.py") == "src/a.py deleted"
    assert names(hands.root / "src") == ["b.py"]
    assert journal.lines == [("src/a.py", "one\n", "Specloom: 01/2.1")]
    assert journal.settled_as == ["src/a.py: Applied"]


async def test_a_folder_goes_with_all_below_it(hands: Hands, journal: Journal) -> None:
    hands.grow({"old/a.py": "one\n", "old/deep/er/b.py": "two\n", "new.py": ""})
    (hands.root / "old" / "empty").mkdir()
    (hands.root / "old" / "link").symlink_to(hands.root / "new.py")
    told = await hands.text("delete_file", path="old")
    assert told == "old deleted with 3 files: old/a.py, old/deep/er/b.py, old/link"
    assert names(hands.root) == ["new.py"]
    assert [path for path, _, _ in journal.lines] == ["old/a.py", "old/deep/er/b.py", "old/link"]


async def test_a_binary_file_is_moved_away_and_its_place_is_told(hands: Hands, journal: Journal) -> None:
    (hands.root / "logo.png").write_bytes(BINARY)
    await hands.text("delete_file", path="logo.png")
    (kept,) = (hands.root.parent / "kept").iterdir()
    assert kept.read_bytes() == BINARY
    assert journal.lines == [("logo.png", None, f"Specloom: 01/2.1: kept as {kept.name} in the state folder")]


async def test_without_a_place_for_copies_a_binary_file_stays(hands: Hands) -> None:
    (hands.root / "logo.png").write_bytes(BINARY)
    assert "no copy could be kept" in await hands.refusal("delete_file", path="logo.png")
    assert (hands.root / "logo.png").read_bytes() == BINARY


async def test_a_file_that_somebody_changes_in_an_editor_stays(hands: Hands, journal: Journal) -> None:
    hands.grow({"pkg/a.py": "one\n", "pkg/b.py": "two\n"})
    documents = hands.context.files.documents  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType] # a Workspace
    documents.open("pkg/b.py", "two, and more\n", 1, Editor())  # pyright: ignore[reportUnknownMemberType] # as above
    assert "unsaved changes" in await hands.refusal("delete_file", path="pkg")
    assert names(hands.root / "pkg") == ["a.py", "b.py"], "all or nothing, as far as it can be known"
    assert journal.lines == []


async def test_a_file_that_others_changed_since_it_was_read_stays(hands: Hands, journal: Journal) -> None:
    hands.grow({"a.py": "one\n"})
    await hands.text("read_file", path="a.py")
    hands.grow({"a.py": "somebody's work\n"})
    assert "changed by others since you read it" in await hands.refusal("delete_file", path="a.py")
    assert (hands.root / "a.py").exists()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("specs/01.md", "not yours to write"),
        ("specs", "not yours to write"),
        ("package", "package/deep/yarn.lock, which is not yours"),
        (".", "root itself"),
        ("gone.py", "does not exist"),
        ("link", "is a link"),
        (".git", "closed to tools"),
        ("secretive", "closed to tools"),
        ("../outside", "'..'"),
    ],
)
async def test_what_may_not_go_stays(hands: Hands, journal: Journal, path: str, why: str) -> None:
    hands.grow({"specs/01.md": "", ".git/config": "", "secretive/.env": "", "package/deep/yarn.lock": "", "b.py": ""})
    (hands.root / "link").symlink_to(hands.root / "b.py")
    before = sorted(str(item) for item in hands.root.rglob("*"))
    assert why in await hands.refusal("delete_file", path=path)
    assert sorted(str(item) for item in hands.root.rglob("*")) == before
    assert journal.lines == []


async def test_a_folder_with_very_many_files_stays(hands: Hands) -> None:
    hands.grow({f"many/{number}.txt": "" for number in range(MOST_FILES + 1)})
    assert "more than 200 files" in await hands.refusal("delete_file", path="many")
    assert len(names(hands.root / "many")) == MOST_FILES + 1


async def test_a_deleted_file_is_no_base_any_more(hands: Hands) -> None:
    hands.grow({"a.py": "one\n"})
    await hands.text("read_file", path="a.py")
    await hands.text("delete_file", path="a.py")
    assert "a.py" not in hands.context.memory.bases
    assert "created" in await hands.text("write_file", path="a.py", content="new\n")


async def test_a_closed_file_must_be_read_again_before_it_is_edited(hands: Hands) -> None:
    hands.grow({"a.py": "one\n", "b.py": "two\n"})
    await hands.text("read_file", path="a.py")
    assert await hands.text("close_file", paths=["a.py", "b.py"]) == "closed: a.py; not open: b.py (0 files open)"
    edit = {"start_line": 1, "start_text": "one", "end_line": 1, "end_text": "one", "new_text": "three\n"}
    assert "read a.py first" in await hands.refusal("edit_file", path="a.py", edits=[edit])
    assert (hands.root / "a.py").read_text() == "one\n"


async def test_a_file_too_large_to_edit_is_shown_in_parts(hands: Hands) -> None:
    hands.grow({"big.log": f"{'x' * 99}\n" * 400_000})
    told = await hands.text("read_file", path="big.log", start_line=399_999)
    assert told.splitlines()[0] == "big.log (40,000,000 bytes, too large to edit: use a command for that)"
    assert told.splitlines()[1].startswith("399999 | xxx")
    assert len(told.splitlines()) == 3
    told = await hands.text("read_file", path="big.log", start_line=10, end_line=12)
    assert told.splitlines()[-1] == "… go on with start_line=13"
    assert "has no line 400001" in await hands.refusal("read_file", path="big.log", start_line=400_001)
    assert "big.log" not in hands.context.memory.bases
