"""Records reach the files whole, whoever writes beside; old ones go; nothing of what somebody wrote is in them."""

import asyncio
import json
import logging
import multiprocessing
import os
import pwd
import queue
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from specloom.logs.about import KEYS, about
from specloom.logs.place import files_in, log_folder, newest_of, prune
from specloom.logs.record import Line, Writing
from specloom.logs.setup import write_logs
from specloom.logs.writer import FileWriter, QueuedHandler
from specloom.store.private_file import state_home

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECRET = "the words of a user"
LINES = 400


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """`specloom`, as it was afterwards."""
    logger = logging.getLogger("specloom")
    before = (list(logger.handlers), logger.level)
    yield logger
    for name in ("specloom", "asyncio"):
        for handler in [item for item in logging.getLogger(name).handlers if isinstance(item, QueuedHandler)]:
            logging.getLogger(name).removeHandler(handler)
    logger.handlers[:], logger.level = before[0], before[1]


def started(folder: Path, **environment: str) -> QueuedHandler:
    return write_logs({"SPECLOOM_LOG_DIR": str(folder), **environment}, "cli")


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in files_in(folder) for line in file.path.read_text().splitlines()]


def test_record_says_when_who_and_about_what(tmp_path: Path, log: logging.Logger) -> None:
    handler = started(tmp_path / "logs")
    with about(workspace="/projects/a", task="01/2"), about(session="s-1"):
        log.info("tool %s took %d ms", "read_file", 12, extra={"data": {"ms": 12, "task": "01/3"}})
    handler.close()
    (record,) = records(tmp_path / "logs")
    assert record.pop("at").endswith("Z")
    assert record == {
        "level": "INFO",
        "process_kind": "cli",
        "pid": os.getpid(),
        "workspace": "/projects/a",
        "session": "s-1",
        "task": "01/3",
        "logger": "specloom",
        "message": "tool read_file took 12 ms",
        "data": {"ms": 12},
    }
    assert (tmp_path / "logs").stat().st_mode & 0o777 == 0o700
    assert [file.path.stat().st_mode & 0o777 for file in files_in(tmp_path / "logs")] == [0o600]


@pytest.mark.parametrize(("level", "kept"), [("", 1), ("debug", 2), ("ERROR", 0), ("loud", 2)])
def test_level_says_what_is_kept(tmp_path: Path, log: logging.Logger, level: str, kept: int) -> None:
    handler = started(tmp_path, SPECLOOM_LOG_LEVEL=level)
    log.debug("fine")
    log.info("coarse")
    handler.close()
    assert len(records(tmp_path)) == kept


def _fail() -> None:
    raise ValueError(SECRET) from KeyError(SECRET)


@pytest.mark.parametrize("content", ["", "1"])
def test_words_of_users_are_kept_on_request_alone(tmp_path: Path, log: logging.Logger, content: str) -> None:
    handler = started(tmp_path, SPECLOOM_LOG_LEVEL="DEBUG", SPECLOOM_LOG_CONTENT=content)
    try:
        _fail()
    except ValueError as error:
        log.exception("it failed")
        log.warning("it failed with %s", error)
    log.info("a turn", extra={"content": SECRET})
    logging.getLogger("asyncio").error("a task failed\nfuture: %r", ValueError(SECRET))
    handler.close()
    kept = records(tmp_path)
    assert len(kept) == 4
    assert [SECRET in json.dumps(record) for record in kept] == [bool(content)] * 4
    assert "ValueError" in kept[0]["error"]
    assert "test_log_files.py" in kept[0]["error"]


def test_keys_are_in_no_record(tmp_path: Path, log: logging.Logger) -> None:
    KEYS.learn(["a-key-of-this-test"])
    handler = started(tmp_path, SPECLOOM_LOG_CONTENT="1")
    log.info("sent a-key-of-this-test", extra={"data": {"to": "ghp_" + "A1b2" * 9}, "content": "a-key-of-this-test"})
    handler.close()
    text = json.dumps(records(tmp_path))
    assert "a-key" not in text
    assert "ghp_" not in text


def _write_many(folder: str, name: str) -> None:
    files = FileWriter(Path(folder), one=20_000, whole=400_000)
    for number in range(LINES):
        files.write(Line(NOON, json.dumps({"by": name, "number": number, "text": "x" * 200}) + "\n"))


def test_lines_of_many_processes_stay_whole_over_rotations(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(str(tmp_path), name)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(50)
        assert worker.exitcode == 0
    kept = records(tmp_path)
    assert len(files_in(tmp_path)) > 5
    for name in "ab":
        assert [record["number"] for record in kept if record["by"] == name] == list(range(LINES))


def test_old_files_go_first_and_the_newest_never(tmp_path: Path) -> None:
    today = NOON.date()
    for back in range(10):
        (tmp_path / f"{today - timedelta(days=back)}.jsonl").write_bytes(b"x" * 100)
    (tmp_path / f"{today}.1.jsonl").write_bytes(b"x" * 100)
    (tmp_path / "cli.log").write_bytes(b"x" * 1000)
    prune(tmp_path, today)
    assert [(file.day, file.number) for file in files_in(tmp_path)] == [
        *((today - timedelta(days=back), 0) for back in range(6, -1, -1)),
        (today, 1),
    ]
    prune(tmp_path, today, whole=250)
    assert [(file.day, file.number) for file in files_in(tmp_path)] == [(today, 0), (today, 1)]
    prune(tmp_path, today, whole=0)
    assert [(file.day, file.number) for file in files_in(tmp_path)] == [(today, 1)]
    assert (tmp_path / "cli.log").exists()


def test_file_that_somebody_deleted_is_begun_anew(tmp_path: Path) -> None:
    files = FileWriter(tmp_path)
    files.write(Line(NOON, "1\n"))
    newest_of(tmp_path, NOON.date()).unlink()
    files.write(Line(NOON, "2\n"))
    assert records(tmp_path) == [2]


def test_day_that_begins_has_its_own_file(tmp_path: Path) -> None:
    files = FileWriter(tmp_path)
    files.write(Line(NOON, "1\n"))
    files.write(Line(NOON + timedelta(days=1), "2\n"))
    assert [file.day for file in files_in(tmp_path)] == [date(2026, 11, 21), date(2026, 11, 22)]


def test_folder_that_cannot_be_written_disturbs_nobody(tmp_path: Path, log: logging.Logger) -> None:
    (tmp_path / "file").write_text("")
    handler = started(tmp_path / "file" / "logs")
    log.info("lost")
    handler.close()
    assert (tmp_path / "file").read_text() == ""


class Stuck(FileWriter):
    """A disk that takes nothing until it is told to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.may: queue.Queue[bool] = queue.Queue()

    def write(self, line: Line) -> None:
        if not self.may.get(timeout=10):
            raise OSError(28, "No space left on device")
        super().write(line)


def test_records_that_found_no_room_or_no_disk_are_counted_and_told(tmp_path: Path, log: logging.Logger) -> None:
    files = Stuck(tmp_path)
    handler = QueuedHandler(Writing("cli", 1), files, room=3)
    log.addHandler(handler)
    log.setLevel("INFO")
    for number in range(20):
        log.info("record %d", number)
    files.may.put(False)
    for _ in range(10):
        files.may.put(True)
    handler.close()
    kept = [record["message"] for record in records(tmp_path)]
    lost = sum(int(text.split()[0]) for text in kept if text.endswith("took none"))
    assert lost + sum(text.startswith("record ") for text in kept) == 20
    assert lost >= 15


async def test_loop_is_not_held_up_by_the_disk(tmp_path: Path, log: logging.Logger) -> None:
    files = Stuck(tmp_path)
    handler = QueuedHandler(Writing("cli", 1), files)
    log.addHandler(handler)
    async with asyncio.timeout(5):
        for _ in range(100):
            log.error("on the loop")
            await asyncio.sleep(0)
    for _ in range(100):
        files.may.put(True)
    await asyncio.to_thread(handler.close)
    assert len(await asyncio.to_thread(records, tmp_path)) == 100


def test_folder_is_stated_or_in_the_state_home_or_at_home() -> None:
    assert log_folder({"SPECLOOM_LOG_DIR": "/l", "XDG_STATE_HOME": "/s"}) == Path("/l")
    assert log_folder({"XDG_STATE_HOME": "/s"}) == Path("/s/specloom/logs")
    assert log_folder({}) == Path.home() / ".local/state/specloom/logs"


def test_folder_is_found_where_what_is_stated_is_none_and_its_user_has_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    assert log_folder({"SPECLOOM_LOG_DIR": "~nobody-of-this-name/l", "XDG_STATE_HOME": "/s"}) == Path(
        "/s/specloom/logs"
    )
    assert log_folder({"XDG_STATE_HOME": "in/the/checkout"}) == Path.home() / ".local/state/specloom/logs"
    monkeypatch.delenv("HOME")
    known: dict[int, object] = {}
    monkeypatch.setattr(pwd, "getpwuid", known.__getitem__)
    assert log_folder({}) == Path("/.local/state/specloom/logs")
    assert state_home({}) == Path("/.local/state/specloom")
