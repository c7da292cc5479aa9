"""Where a daemon is met: nobody else's folder, and no pid is believed."""

import fcntl
import os
from pathlib import Path

import pytest

from specloom.daemon.errors import NoDaemonError
from specloom.daemon.place import HeldLock, is_held, place_of
from specloom.daemon.server import LOCK_DEADLINE
from tests.daemon.stage import Stage


def test_the_stated_folder_counts_then_the_runtime_folder_then_the_temporary_one(stage: Stage) -> None:
    base = stage.place.folder.parent
    stated = {"SPECLOOM_RUNTIME_DIR": str(base / "own"), "XDG_RUNTIME_DIR": str(base)}
    assert place_of(stated).folder == base / "own"
    assert place_of({"XDG_RUNTIME_DIR": str(base)}).folder == base / "specloom"
    assert place_of({"TMPDIR": str(base)}).folder == base / f"specloom-{os.getuid()}"
    assert (base / "specloom").stat().st_mode & 0o777 == 0o700


def test_a_runtime_folder_that_does_not_exist_is_passed_over(stage: Stage) -> None:
    base = stage.place.folder.parent
    found = place_of({"XDG_RUNTIME_DIR": "/nonexistent", "TMPDIR": str(base)})
    assert found.folder.parent == base


def test_a_folder_that_others_can_enter_is_refused(stage: Stage) -> None:
    stage.place.folder.chmod(0o755)
    with pytest.raises(NoDaemonError, match="others can enter it"):
        place_of(stage.environment)


def test_a_link_is_not_followed(stage: Stage) -> None:
    base = stage.place.folder.parent
    (base / "link").symlink_to(stage.place.folder)
    with pytest.raises(NoDaemonError, match="cannot be used"):
        place_of({"SPECLOOM_RUNTIME_DIR": str(base / "link")})


def test_a_folder_too_deep_for_a_socket_is_refused_with_the_variable_to_set(tmp_path: Path) -> None:
    with pytest.raises(NoDaemonError, match="SPECLOOM_RUNTIME_DIR"):
        place_of({"SPECLOOM_RUNTIME_DIR": str(tmp_path / ("d" * 100))})


def test_one_holds_the_lock_and_looking_takes_it_from_nobody(stage: Stage) -> None:
    assert not is_held(stage.place.lock)
    held = HeldLock.take(stage.place.lock)
    assert held is not None
    assert is_held(stage.place.lock)
    assert HeldLock.take(stage.place.lock, 0.05) is None
    held.release()
    assert not is_held(stage.place.lock)
    again = HeldLock.take(stage.place.lock)
    assert again is not None
    again.release()


def test_a_lock_that_is_removed_while_it_is_taken_is_taken_where_the_next_one_looks(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[bool] = []

    def locked(descriptor: int, kind: int) -> bool:
        if not removed:
            removed.append(True)
            stage.place.lock.unlink()
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        return True

    monkeypatch.setattr("specloom.daemon.place._locked", locked)
    held = HeldLock.take(stage.place.lock, 5.0)
    monkeypatch.undo()
    assert held is not None
    assert is_held(stage.place.lock)
    held.release()


def test_who_only_looks_while_a_lock_is_taken_anew_is_not_taken_for_another_daemon(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, looked = HeldLock.take(stage.place.lock), list[bool]()
    assert held is not None
    stage.place.lock.unlink()

    def locked(descriptor: int, kind: int) -> bool:
        looked.append(True)
        if len(looked) == 1:
            # Whoever asks whether a daemon lives holds its lock for that moment.
            return False
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        return True

    monkeypatch.setattr("specloom.daemon.place._locked", locked)
    assert held.retake(stage.place.lock, LOCK_DEADLINE)
    monkeypatch.undo()
    assert held.stands_at(stage.place.lock)
    held.release()


def test_a_note_of_a_dead_process_makes_nobody_alive(stage: Stage) -> None:
    stage.place.write_note("2026-11-21T10:00:00.000Z")
    assert stage.place.read_note()["pid"] == os.getpid()
    other = stage.place._replace(version="0" * 8)
    other.lock.touch(0o600)
    assert stage.place.others() == ()
    held = HeldLock.take(other.lock)
    assert held is not None
    assert stage.place.others() == (other,)
    held.release()
