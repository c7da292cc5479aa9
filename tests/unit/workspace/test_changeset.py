"""Change sets: diffs that git applies, hunks that go back one by one."""

import asyncio
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specloom.domain.ids import digest_of
from specloom.domain.merge import Conflict, Merged
from specloom.workspace.changeset import ChangedFile, ChangeSet, Deleted, reverted
from specloom.workspace.ports import FileChange, TextSnapshot
from specloom.workspace.workspace import Workspace

BASE = "".join(f"line {number}\n" for number in range(40))
TEXT = st.lists(st.sampled_from(["a", "b", "c\r", "", "\f", "ä\u2028"]), max_size=12).map("\n".join)
CHANGED = st.tuples(TEXT, st.sampled_from(["", "\n"])).map("".join)


def edited(*replaced: tuple[int, str]) -> str:
    lines = BASE.splitlines(keepends=True)
    for number, text in replaced:
        lines[number] = text
    return "".join(lines)


def run_git_apply(folder: Path, diff: str, *options: str) -> None:
    subprocess.run(["git", "apply", *options, "-"], cwd=folder, input=diff.encode(), check=True, capture_output=True)


def text_of(file: Path) -> str | None:
    return file.read_bytes().decode() if file.exists() else None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.none() | CHANGED,
    after=st.none() | CHANGED,
    name=st.sampled_from(["a.txt", "with space.txt", 'q"uo\tte.txt', "ü.txt"]),
)
def test_git_applies_the_diff_forwards_and_backwards(
    tmp_path: Path, before: str | None, after: str | None, name: str
) -> None:
    changes = ChangeSet.of({name: before}, {name: after})
    file = tmp_path / name
    file.unlink(missing_ok=True)
    if before is not None:
        file.write_bytes(before.encode())
    if changes.diff:
        run_git_apply(tmp_path, changes.diff)
        assert text_of(file) == after
        run_git_apply(tmp_path, changes.diff, "--reverse")
    assert text_of(file) == before


@given(before=CHANGED, after=CHANGED)
def test_all_hunks_reverted_are_the_text_before(before: str, after: str) -> None:
    file = ChangedFile("a.txt", before, after)
    if before == after:
        return
    for chosen in (None, range(len(file.patch))):
        result = reverted(file, after, chosen)
        assert isinstance(result, Merged)
        assert result.text == before


@given(
    after=st.lists(st.tuples(st.integers(0, 39), st.sampled_from(["new\n", "two\nnew\n", ""])), max_size=5),
    data=st.data(),
)
def test_hunks_go_back_one_by_one_in_any_order(after: list[tuple[int, str]], data: st.DataObject) -> None:
    file = ChangedFile("a.txt", BASE, edited(*after))
    if not file.diff or file.before == file.after:
        return
    present: str | None = file.after
    for index in data.draw(st.permutations(range(len(file.patch)))):
        result = reverted(file, present, [index])
        assert isinstance(result, Merged)
        present = result.text
    assert present == BASE


def test_one_hunk_goes_back_and_the_other_stays() -> None:
    file = ChangedFile("a.txt", BASE, edited((3, "three\n"), (30, "thirty\n")))
    assert [(hunk.source_start, hunk.target_length) for hunk in file.patch] == [(1, 7), (28, 7)]
    result = reverted(file, file.after, [0])
    assert isinstance(result, Merged)
    assert result.text == edited((30, "thirty\n"))


def test_later_changes_of_others_survive_a_revert() -> None:
    file = ChangedFile("a.txt", BASE, edited((3, "three\n"), (30, "thirty\n")))
    result = reverted(file, edited((3, "three\n"), (10, "theirs\n"), (30, "thirty\n")))
    assert isinstance(result, Merged)
    assert result.text == edited((10, "theirs\n"))


def test_revert_of_lines_that_others_changed_since_is_refused() -> None:
    file = ChangedFile("a.txt", BASE, edited((3, "three\n")))
    result = reverted(file, edited((3, "theirs\n")))
    assert isinstance(result, Conflict)
    assert [(region.start, region.end) for region in result.regions] == [(3, 4)]


def test_created_file_goes_away_unless_others_wrote_to_it() -> None:
    file = ChangedFile("a.txt", None, "one\n")
    assert reverted(file, "one\n") == Deleted("a.txt")
    result = reverted(file, "one\n\n\ntheirs\n")
    assert isinstance(result, Conflict | Merged)
    assert not isinstance(result, Merged) or "theirs" in result.text


def test_deleted_file_comes_back() -> None:
    result = reverted(ChangedFile("a.txt", "one\r\ntwo", None), None)
    assert isinstance(result, Merged)
    assert result.text == "one\r\ntwo"


def test_hunk_that_is_not_there_is_an_error() -> None:
    with pytest.raises(IndexError):
        reverted(ChangedFile("a.txt", "one\n", "two\n"), "two\n", [1])


async def test_change_set_is_made_of_images_and_present_texts(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    (tmp_path / "same.txt").write_text("same\n")
    (tmp_path / "gone.txt").write_text("gone\n")
    (tmp_path / "binary").write_text("text\n")
    workspace = await asyncio.to_thread(Workspace.at, tmp_path)
    before: dict[str, TextSnapshot | None] = {
        path: await workspace.read(path) for path in ("a.txt", "same.txt", "gone.txt", "binary")
    }
    before["new.txt"] = None
    await workspace.apply(FileChange("a.txt", "two\n", before["a.txt"]))
    await workspace.apply(FileChange("new.txt", "", None))
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "binary").write_bytes(b"\0")
    changes = await ChangeSet.between(before, workspace)
    assert changes.paths == ("a.txt", "gone.txt", "new.txt")
    assert changes.diff.count("diff --git") == 3
    assert "@@ -1 +1 @@\n-one\n+two\n" in changes.diff
    assert before["a.txt"] is not None
    assert before["a.txt"].digest == digest_of("one\n")
