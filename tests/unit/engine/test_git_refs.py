"""Refs that git has packed are read once, and again whenever they were packed anew."""

from pathlib import Path

from specloom.engine.git_head import look

FIRST, SECOND, THIRD = "1" * 40, "2" * 40, "3" * 40


def repository(root: Path, packed: str) -> Path:
    """A checkout of `main` whose refs are all packed."""
    folder = root / ".git"
    folder.mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / "objects").mkdir()
    (folder / "refs").mkdir()
    (folder / "packed-refs").write_text(packed)
    return folder


def test_packed_refs_count_until_they_are_packed_anew(tmp_path: Path) -> None:
    head = "# pack-refs with: peeled fully-peeled sorted \n"
    folder = repository(tmp_path, f"{head}{FIRST} refs/heads/main\n{SECOND} refs/tags/v1\n^{THIRD}\n")
    assert [look(tmp_path).commit for _ in range(2)] == [FIRST, FIRST]
    assert look(tmp_path).stash == ""
    (folder / "packed.new").write_text(f"{head}{SECOND} refs/heads/main\n{THIRD} refs/stash\n")
    (folder / "packed.new").replace(folder / "packed-refs")
    assert (look(tmp_path).commit, look(tmp_path).stash) == (SECOND, THIRD)
    (folder / "packed-refs").unlink()
    assert look(tmp_path).commit == ""
