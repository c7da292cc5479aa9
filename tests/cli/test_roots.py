"""Which folder a command means."""

from pathlib import Path

import pytest

from specloom.cli.failures import CommandError
from specloom.cli.roots import MARKS, find_root
from specloom.domain.ids import ProjectId
from specloom.domain.known_projects import KnownProject


def nobody() -> tuple[KnownProject, ...]:
    """No project is known."""
    return ()


@pytest.mark.parametrize("mark", MARKS)
def test_the_nearest_folder_upwards_with_a_mark_is_the_root(tmp_path: Path, mark: str) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (tmp_path / "a" / mark).mkdir()
    (tmp_path / mark).mkdir()
    assert find_root(None, deep, nobody) == tmp_path / "a"


def test_a_stated_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / ".git").mkdir()
    assert find_root("a/b", tmp_path, nobody) == (tmp_path / "a" / "b").resolve()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no such folder"):
        find_root("nowhere", tmp_path, nobody)


def test_what_is_no_folder_may_be_a_project(tmp_path: Path) -> None:
    roots = [tmp_path / "one", tmp_path / "two"]
    for root in roots:
        root.mkdir()
    known = tuple(
        KnownProject(ProjectId(f"project-{root.name}"), str(root), root.name, "", alias)
        for root, alias in zip(roots, ("greeter", ""), strict=True)
    )
    assert find_root("gree", tmp_path, lambda: known) == roots[0].resolve()
    assert find_root("project-t", tmp_path, lambda: known) == roots[1].resolve()
    with pytest.raises(CommandError, match="project-two"):
        find_root("project-", tmp_path, lambda: known)
    with pytest.raises(CommandError, match="no project of that name"):
        find_root("other", tmp_path, lambda: known)
    (tmp_path / "greeter").mkdir()
    assert find_root("greeter", tmp_path, lambda: known) == (tmp_path / "greeter").resolve(), "a folder goes first"
