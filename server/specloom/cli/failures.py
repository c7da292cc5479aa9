"""What ends a command early, and the exit statuses. Refuses to print: the guard in `main` does."""

from enum import IntEnum
from typing import NoReturn

from specloom.domain.rejection import Rejected


class Exit(IntEnum):
    """Exit statuses of every command; of those that apply to a run the first in the order of `views.summary`."""

    OK = 0
    INCOMPLETE = 1
    """Some task failed or is blocked, or a check of `doctor` failed."""
    USAGE = 2
    """Usage or configuration."""
    BUDGET = 3
    """Budget or deadline."""
    INTERRUPTED = 130


class CommandError(Exception):
    """Shown as one line; says what happened, where, and the next step."""

    def __init__(self, message: str, status: Exit = Exit.USAGE) -> None:
        super().__init__(message)
        self.status = status


class KilledError(Exception):
    """The person asked a second time: everything ends now, unsettled."""


def begun_small(message: str) -> str:
    """As it stands behind `specloom: `; names in capitals stay (`HEAD`)."""
    return message if message[1:2].isupper() else message[:1].lower() + message[1:]


def refuse(rejected: Rejected) -> NoReturn:
    """Ends the command with what the runtime has against it. Raises `CommandError`."""
    raise CommandError(begun_small(rejected.message))
