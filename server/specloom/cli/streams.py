"""Texts on the standard streams where there is no `Output`: help, version, wrong usage. Refuses to load anything."""

import os
import sys
from typing import TextIO

from specloom.cli.failures import CommandError

CLOSED = "standard output is closed; leave it open, or send it to /dev/null"


def print_whole(text: str) -> None:
    """On standard output. Raises `CommandError` where it cannot be written; a reader that has gone is none."""
    stream = present(sys.stdout)
    if stream is None:
        raise CommandError(CLOSED)
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        silence(stream)
    except OSError as error:
        silence(stream)
        raise CommandError(unwritable(error)) from error


def tell(text: str) -> None:
    """On standard error, if anybody reads that."""
    stream = present(sys.stderr)
    if stream is None:
        return
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        silence(stream)


def present(stream: TextIO | None) -> TextIO | None:
    """The stream; Python gives none for a descriptor that was closed before it started."""
    return stream


def unwritable(error: OSError) -> str:
    """What is wrong with standard output, and the next step."""
    return f"standard output cannot be written: {error.strerror}; make room, or send it elsewhere"


def silence(stream: TextIO) -> None:
    """Sends the rest of a stream nowhere, so that the interpreter's last flush stays quiet."""
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a device, not a path
        os.dup2(nowhere.fileno(), stream.fileno())
