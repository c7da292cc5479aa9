"""The registry of projects: whatever becomes of it, no project is the worse for it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from specloom.domain.ids import ProjectId
from specloom.domain.known_projects import ARCHIVED, TAKEN_OUT, KnownProject, ProjectOrder
from specloom.domain.rejection import Rejected
from specloom.store.projects import ProjectRegistry, project_registry


def at(minute: int) -> str:
    return f"2026-11-21T10:{minute:02}:00.000Z"


@pytest.fixture
def registry(tmp_path: Path) -> ProjectRegistry:
    return project_registry({"XDG_STATE_HOME": str(tmp_path / "state")})


def test_what_was_opened_is_known_the_newest_first_and_keeps_its_names(
    registry: ProjectRegistry, tmp_path: Path
) -> None:
    assert registry.read() == ()
    registry.opened(ProjectId("p-1"), tmp_path / "one", "One", at(1))
    registry.opened(ProjectId("p-2"), tmp_path / "two", "Two", at(2))
    order = ProjectOrder(at(2))
    named = registry.change("p-1", lambda item: replace(item, name="First", alias="first", archived=True), order)
    assert isinstance(named, KnownProject)
    assert [item.id for item in registry.read()] == ["p-2", "p-1"]
    registry.opened(ProjectId("p-1"), tmp_path / "moved", "One", at(3))
    newest, _ = ProjectRegistry(registry.folder).read()
    moved = str((tmp_path / "moved").resolve())
    assert newest == KnownProject(ProjectId("p-1"), moved, "First", at(3), "first", archived=False)


def test_a_folder_holds_one_project(registry: ProjectRegistry, tmp_path: Path) -> None:
    registry.opened(ProjectId("p-1"), tmp_path, "One", at(1))
    registry.opened(ProjectId("p-2"), tmp_path, "Two", at(2))
    assert [item.id for item in registry.read()] == ["p-2"]


def test_what_is_refused_changes_nothing(registry: ProjectRegistry, tmp_path: Path) -> None:
    registry.opened(ProjectId("p-1"), tmp_path / "one", "One", at(1))
    registry.opened(ProjectId("p-2"), tmp_path / "two", "Two", at(2))
    before = registry.read()
    order = ProjectOrder(at(3))
    for word, alias in (("p", "x"), ("q", "x"), ("p-1", "p-2"), ("p-1", "No")):
        changed = registry.change(word, lambda item, alias=alias: replace(item, alias=alias), order)
        assert isinstance(changed, Rejected)
    assert registry.read() == before
    assert registry.acts(ProjectId("p-1")) == registry.acts(ProjectId("p-2")) == ()


@pytest.mark.parametrize("text", ["{", "[1]", '{"projects": [1]}', '{"projects": [{"id": "p"}]}', ""])
def test_a_damaged_file_knows_nothing_and_is_written_anew(registry: ProjectRegistry, tmp_path: Path, text: str) -> None:
    registry.folder.mkdir(parents=True)
    (registry.folder / "projects.json").write_text(text)
    assert registry.read() == ()
    registry.opened(ProjectId("p-1"), tmp_path, "One", at(1))
    assert len(registry.read()) == 1


def test_many_at_once_lose_nobody(registry: ProjectRegistry, tmp_path: Path) -> None:
    def opened(number: int) -> None:
        registry.opened(ProjectId(f"p-{number}"), tmp_path / str(number), "", at(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(opened, range(24)))
    assert {item.id for item in registry.read()} == {f"p-{number}" for number in range(24)}
    assert all(path.stat().st_mode & 0o077 == 0 for path in registry.folder.iterdir())


def test_an_order_that_is_repeated_after_another_one_changes_nothing(registry: ProjectRegistry, tmp_path: Path) -> None:
    registry.opened(ProjectId("p-1"), tmp_path, "One", at(1))
    one, two = (ProjectOrder(at(minute), "page", f"order-{minute}") for minute in (1, 2))
    first = registry.change("p-1", lambda item: replace(item, alias="first"), one)
    second = registry.change("first", lambda item: replace(item, alias="second"), two)
    assert isinstance(first, KnownProject)
    assert isinstance(second, KnownProject)
    registry.opened(ProjectId("p-2"), tmp_path / "two", "Two", at(2))
    again = ProjectRegistry(registry.folder)
    assert again.change("p-1", lambda item: replace(item, alias="first"), one) == second
    assert again.change("first", lambda item: replace(item, alias="second"), two) == second
    assert [item.alias for item in again.read()] == ["", "second"]
    acts = again.acts(ProjectId("p-1"))
    assert [(act.at, act.client, act.subject) for act in acts] == [(at(1), "page", "first"), (at(2), "page", "second")]


def test_acts_outlive_that_their_project_is_opened_and_an_order_without_effect_is_none(
    registry: ProjectRegistry, tmp_path: Path
) -> None:
    registry.opened(ProjectId("p-1"), tmp_path, "One", at(1))
    for minute, archived in ((2, True), (3, True), (4, False), (5, True)):
        registry.change(
            "p-1", lambda item, archived=archived: replace(item, archived=archived), ProjectOrder(at(minute))
        )
    for minute in (6, 7):
        registry.opened(ProjectId("p-1"), tmp_path, "One", at(minute))
    told = [(ARCHIVED, ""), (TAKEN_OUT, ""), (ARCHIVED, ""), (TAKEN_OUT, "by opening it")]
    assert [(act.act, act.subject) for act in registry.acts(ProjectId("p-1"))] == told
