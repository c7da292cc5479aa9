"""Where log files stand, and which may stay. Refuses to ask the clock: a file says in its name what day it is of.

All processes of a user append to one file a day, and to the next number when it is full. None is ever renamed, so
that nobody writes into what somebody else has put aside.
"""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

LOG_DIR = "SPECLOOM_LOG_DIR"
DAYS = 7
WHOLE = 200_000_000
"""Bytes of all files together."""
ONE = 10_000_000
"""Bytes of one file before the next is begun."""
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.(\d{1,6}))?\.jsonl")


@dataclass(frozen=True, slots=True, order=True)
class LogFile:
    """One file, by age."""

    day: date
    number: int
    path: Path


def log_folder(environment: Mapping[str, str]) -> Path:
    """`SPECLOOM_LOG_DIR`, else `$XDG_STATE_HOME/specloom/logs`, else `~/.local/state/specloom/logs`.

    A relative `XDG_STATE_HOME` does not count: https://specifications.freedesktop.org/basedir-spec/latest/
    """
    if stated := environment.get(LOG_DIR):
        # `~name` of somebody whom this machine does not know is no folder.
        with contextlib.suppress(RuntimeError):
            return Path(stated).expanduser()
    state = environment.get("XDG_STATE_HOME", "")
    return (Path(state) if state.startswith("/") else _home() / ".local" / "state") / "specloom" / "logs"


def _home() -> Path:
    """Of a user without one, as containers have them, the root: what container engines say, too."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def files_in(folder: Path) -> list[LogFile]:
    """All log files, oldest first; none where there is no folder. Blocking."""
    try:
        paths = list(folder.iterdir())
    except OSError:
        return []
    return sorted(file for path in paths if (file := _file(path)) is not None)


def _file(path: Path) -> LogFile | None:
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    try:
        return LogFile(date.fromisoformat(match[1]), int(match[2] or 0), path)
    except ValueError:
        return None


def newest_of(folder: Path, day: date, limit: int = ONE) -> Path:
    """The file of a day that is written to: the last one, or the one after it if that is full. Blocking."""
    number = max((file.number for file in files_in(folder) if file.day == day), default=0)
    path = _path(folder, day, number)
    with contextlib.suppress(OSError):
        if path.stat().st_size >= limit:
            return _path(folder, day, number + 1)
    return path


def _path(folder: Path, day: date, number: int) -> Path:
    return folder / (f"{day}.{number}.jsonl" if number else f"{day}.jsonl")


def prune(folder: Path, today: date, whole: int = WHOLE) -> None:
    """Deletes what is too old, then the oldest until the rest is small enough; never the newest. Blocking.

    Others may do the same at this moment: what is gone is gone.
    """
    files = files_in(folder)
    sizes = {file.path: _size(file.path) for file in files}
    left = sum(sizes.values())
    for file in files[:-1]:
        if file.day > today - timedelta(days=DAYS) and left <= whole:
            continue
        with contextlib.suppress(OSError):
            file.path.unlink()
        left -= sizes.get(file.path, 0)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
