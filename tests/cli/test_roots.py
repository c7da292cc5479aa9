"""Which folder a command means."""

from pathlib import Path

import pytest

from specloom.cli.failures import CommandError
from specloom.cli.roots import MARKS, find_root


@pytest.mark.parametrize("mark", MARKS)
def test_the_nearest_folder_upwards_with_a_mark_is_the_root(tmp_path: Path, mark: str) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (tmp_path / "a" / mark).mkdir()
    (tmp_path / mark).mkdir()
    assert find_root(None, deep) == tmp_path / "a"


def test_a_stated_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / ".git").mkdir()
    assert find_root("a/b", tmp_path) == (tmp_path / "a" / "b").resolve()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no such folder"):
        find_root("nowhere", tmp_path)
