"""The way to standard output and standard error. Refuses to raise into whoever writes when the reader has gone."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from specloom.cli.failures import CommandError
from specloom.cli.streams import CLOSED, present, silence, unwritable
from specloom.cli.views.formats import folded, visible

if TYPE_CHECKING:
    from rich.console import RenderableType

UNSEEN_WIDTH = 240
"""Columns of what goes to a file or a program."""


class Output:
    """Lines for the person or program at the other end."""

    def __init__(self, stdout: TextIO, stderr: TextIO, *, as_json: bool) -> None:
        self.stdout = stdout
        self.stderr = stderr
        self.as_json = as_json
        self.closed = asyncio.Event()
        """Set once nobody reads standard output any more."""
        self.failure = ""
        """Why standard output takes no more, if its reader has not simply gone."""

    @property
    def is_terminal(self) -> bool:
        """Whether a person looks at it while it comes, and can be shown a picture that changes."""
        return not self.as_json and self.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb")

    def line(self, text: str) -> None:
        """One line on standard output, at once; control characters are spelled out."""
        self._write(visible(text) if self.as_json else _folded(visible(text), self.stdout))

    def _write(self, text: str) -> None:
        if self.closed.is_set():
            return
        try:
            with self._giving_up():
                self.stdout.write(text + "\n")
                self.stdout.flush()
        except UnicodeEncodeError:
            encoding = self.stdout.encoding or "ascii"
            self._write(text.encode(encoding, "backslashreplace").decode(encoding))

    @contextmanager
    def _giving_up(self) -> Generator[None]:
        """What is written inside goes nowhere once standard output takes no more."""
        try:
            yield
        except BrokenPipeError:
            self.give_up()
        except OSError as error:
            self.failure = unwritable(error)
            self.give_up()

    def json(self, value: Mapping[str, object]) -> None:
        """One JSON value on a line of its own."""
        self._write(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def show(self, *parts: "RenderableType") -> None:
        """Text with colours where the terminal has them, lines as long as they are where nobody looks.

        Whoever makes the parts takes control characters out: here they cannot be told from colours.
        """
        from rich.console import Console

        width = None if self.stdout.isatty() or "COLUMNS" in os.environ else UNSEEN_WIDTH
        console = Console(file=self.stdout, width=width, highlight=False)
        # The console flushes what it captures from, which may take no more by then.
        with self._giving_up():
            with console.capture() as captured:
                for part in parts:
                    console.print(part)
            text = captured.get().rstrip("\n")
            if text:
                self._write("\n".join(line.rstrip() for line in text.split("\n")))

    @property
    def width(self) -> int:
        """Columns that a line may have."""
        from rich.console import Console

        return Console(file=self.stdout).width if self.stdout.isatty() or "COLUMNS" in os.environ else UNSEEN_WIDTH

    @property
    def is_plain(self) -> bool:
        """Whether only ASCII can be shown."""
        return not (self.stdout.encoding or "ascii").lower().startswith("utf")

    def note(self, text: str) -> None:
        """A line about the command itself, where it does not disturb what a program reads."""
        try:
            self.stderr.write(_folded(f"specloom: {visible(text)}", self.stderr) + "\n")
            self.stderr.flush()
        except OSError:
            silence(self.stderr)

    def give_up(self) -> None:
        """Standard output has no reader: the rest goes nowhere."""
        self.closed.set()
        silence(self.stdout)


def _folded(text: str, stream: TextIO) -> str:
    """Broken between words where a person reads it; untouched for a file."""
    if not stream.isatty():
        return text
    return folded(text, shutil.get_terminal_size().columns)


def standard_output(*, as_json: bool) -> Output:
    """The process's own streams. Raises `CommandError` if standard output was closed before the start.

    Its number would go to the next file that is opened; those of the other two are taken by files that hold nothing.
    """
    if present(sys.stdin) is None:
        sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115 - a device, for the life of the process
    if present(sys.stderr) is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - a device, for the life of the process
    if present(sys.stdout) is None:
        raise CommandError(CLOSED)
    return Output(sys.stdout, sys.stderr, as_json=as_json)
