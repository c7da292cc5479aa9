"""Which logs count as copies, by what stands in them and around them."""

import os
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from specloom.store import claims
from specloom.store.claims import COPY_OF, PLACE, Place, claim


def log_in(folder: Path, holder: str = "1") -> Path:
    """A log with nothing but its id."""
    folder.mkdir()
    path = folder / "state.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        db.execute("INSERT INTO meta VALUES ('projectId', 'p')")
    (folder / "writer.lock").write_text(holder)
    return path


def claimed(path: Path, fresh: str = "q") -> dict[str, str]:
    """What stands in a log after it was opened."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        claim(db, path, fresh)
        return dict(db.execute("SELECT key, value FROM meta"))


def test_a_copy_beside_its_original_gets_an_id_of_its_own_once(tmp_path: Path) -> None:
    first = log_in(tmp_path / "first")
    assert claimed(first)["projectId"] == "p"
    shutil.copytree(first.parent, tmp_path / "second")
    second = tmp_path / "second" / "state.db"
    second.with_name("writer.lock").write_text("2")
    meta = claimed(second)
    assert (meta["projectId"], meta[COPY_OF]) == ("q", "p")
    assert claimed(second, "r") == meta
    assert claimed(first, "r")["projectId"] == "p"


def test_a_log_of_before_is_noted_and_left_as_it_is(tmp_path: Path) -> None:
    first = log_in(tmp_path / "first")
    shutil.copytree(first.parent, tmp_path / "second")
    meta = claimed(tmp_path / "second" / "state.db")
    assert meta["projectId"] == "p"
    assert Place.of_json(meta[PLACE]) == Place.of(tmp_path / "second" / "state.db")


def test_another_name_of_one_file_is_no_copy(tmp_path: Path) -> None:
    first = log_in(tmp_path / "first")
    claimed(first)
    (tmp_path / "second").mkdir()
    os.link(first, tmp_path / "second" / "state.db")
    assert claimed(tmp_path / "second" / "state.db")["projectId"] == "p"


def test_a_file_system_that_shows_one_log_as_two_files_makes_no_copy_of_it(tmp_path: Path) -> None:
    first = log_in(tmp_path / "first")
    claimed(first)
    # As a layer over the folder does: other numbers, and what one writes stands in both.
    shutil.copytree(first.parent, tmp_path / "layer")
    assert claimed(tmp_path / "layer" / "state.db")["projectId"] == "p"


@pytest.mark.parametrize("note", ["", "x", "[]", '["a"]', '[1, "b", null]', "{}"])
def test_a_note_that_says_nothing_is_written_anew(tmp_path: Path, note: str) -> None:
    path = log_in(tmp_path / "first")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("INSERT INTO meta VALUES (?, ?)", (PLACE, note))
    meta = claimed(path)
    assert meta["projectId"] == "p"
    assert Place.of_json(meta[PLACE]) == Place.of(path)


def test_a_file_system_that_answers_no_more_holds_nobody_up_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = log_in(tmp_path / "first")
    before = claimed(first)
    shutil.copytree(first.parent, tmp_path / "second")
    second = tmp_path / "second" / "state.db"
    second.with_name("writer.lock").write_text("2")
    answers = threading.Event()
    real = claims._is_elsewhere  # pyright: ignore[reportPrivateUsage]

    def hangs(before: Place, here: Place) -> bool:
        answers.wait()
        return real(before, here)

    with monkeypatch.context() as patch:
        patch.setattr(claims, "_is_elsewhere", hangs)
        patch.setattr(claims, "PATIENCE", 0.01)
        assert claimed(second) == before
    answers.set()
    assert claimed(second)["projectId"] == "q"


def test_a_disk_that_takes_nothing_leaves_the_log_open(tmp_path: Path) -> None:
    path = log_in(tmp_path / "first")
    path.chmod(0o400)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as db:
        claim(db, path, "q")
        assert not db.in_transaction
        assert dict(db.execute("SELECT key, value FROM meta")) == {"projectId": "p"}
