"""`specloom logs`: what Specloom's processes on this machine did. Refuses to fail at a line that nobody finished."""

import argparse
import asyncio
import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, cast

from specloom.cli.failures import Exit
from specloom.cli.interrupts import Interrupts
from specloom.cli.output import Output
from specloom.cli.ports import Place
from specloom.cli.views.log_lines import log_text
from specloom.logs.place import files_in, log_folder
from specloom.logs.setup import LEVELS
from specloom.store.system import SystemClock

POLL = 0.3
"""Seconds between two looks for new records."""
PIECE = 1024 * 1024
"""Bytes that are read at a time."""
LONGEST = 1024 * 1024
"""Bytes of a line that is waited for; what is longer is none of ours."""
AT_ONCE = 10_000
"""Records that are put in order and shown together: all that are kept would be more than a gigabyte."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records are shown; empty: any."""

    level: int
    workspace: str
    session: str
    task: str
    since: str

    def has(self, record: Mapping[str, Any]) -> bool:
        """Records of no workspace belong to all: they are about the process."""
        level = str(record.get("level", ""))
        return (
            (level not in LEVELS or LEVELS.index(level) >= self.level)
            and (not self.workspace or record.get("workspace") in ("", None, self.workspace))
            and (not self.session or str(record.get("session", "")).startswith(self.session))
            and (not self.task or record.get("task") == self.task)
            and str(record.get("at", "")) >= self.since
        )


@dataclass(slots=True)
class Tail:
    """Reads on where it stopped, over all files of a folder, oldest first."""

    folder: Path
    read: dict[Path, int] = field(default_factory=dict[Path, int])
    """Bytes of each file that were read, up to the end of a line."""

    def news(self) -> Iterator[dict[str, Any]]:
        """Records that came since. Blocking."""
        files = files_in(self.folder)
        self.read = {file.path: self.read.get(file.path, 0) for file in files}
        for path in self.read:
            yield from self._of(path)

    def _of(self, path: Path) -> Iterator[dict[str, Any]]:
        with contextlib.suppress(OSError), path.open("rb") as file:
            file.seek(self.read[path])
            rest = b""
            while piece := file.read(PIECE):
                *lines, rest = (rest + piece).split(b"\n")
                if len(rest) > LONGEST:
                    self.read[path] += len(rest)
                    rest = b""
                for line in lines:
                    self.read[path] += len(line) + 1
                    if (record := _record(line)) is not None:
                        yield record


def _record(line: bytes) -> dict[str, Any] | None:
    """`None` for what is torn or was written by somebody else."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return cast("dict[str, Any]", record) if isinstance(record, dict) else None


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Returns the exit status; an end by Ctrl-C is the normal end of `--follow`."""
    folder = log_folder(place.environment)
    tail, wanted = Tail(folder), _wanted(arguments, place)
    interrupts = Interrupts()
    with interrupts.caught():
        shown = await _show(tail, wanted, output, interrupts.first)
        if not shown and not arguments.follow and not output.as_json:
            output.note(f"nothing to show; the log is in {folder}, `--all` shows all workspaces, `--level DEBUG` more")
        while arguments.follow and not interrupts.first.is_set() and not output.closed.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(interrupts.first.wait(), POLL)
            await _show(tail, wanted, output, interrupts.first)
    return Exit.OK if arguments.follow or not interrupts.first.is_set() else Exit.INTERRUPTED


def _wanted(arguments: argparse.Namespace, place: Place) -> Wanted:
    since = "" if arguments.since is None else _before(SystemClock().now(), arguments.since)
    return Wanted(
        LEVELS.index(arguments.level),
        "" if arguments.all else str(place.root.resolve()),
        arguments.session or "",
        arguments.task or "",
        since,
    )


def _before(now: str, seconds: float) -> str:
    at = datetime.fromtimestamp(datetime.fromisoformat(now).timestamp() - seconds, datetime.fromisoformat(now).tzinfo)
    return f"{at:%Y-%m-%dT%H:%M:%S}"


async def _show(tail: Tail, wanted: Wanted, output: Output, stop: asyncio.Event) -> int:
    """Prints what is new and wanted, by time; how many records that were."""
    shown, news = 0, tail.news()
    while some := await asyncio.to_thread(lambda: list(islice(news, AT_ONCE))):
        for record in sorted(filter(wanted.has, some), key=lambda record: str(record.get("at", ""))):
            if output.closed.is_set():
                return shown
            _show_one(record, output)
            shown += 1
        if stop.is_set():
            break
    return shown


def _show_one(record: Mapping[str, Any], output: Output) -> None:
    if output.as_json:
        output.json(record)
    elif output.is_terminal:
        _show_coloured(record, output)
    else:
        output.line(log_text(record))


def _show_coloured(record: Mapping[str, Any], output: Output) -> None:
    from rich.text import Text

    output.show(Text(log_text(record), LEVEL_STYLES.get(str(record.get("level")), "")))


LEVEL_STYLES = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red", "DEBUG": "dim"}
