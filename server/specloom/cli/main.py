"""Runs one command and turns whatever ends it into one line and an exit status. Refuses to show a trace unasked."""

import argparse
import asyncio
import importlib
import logging
import os
import sys
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Protocol, cast

from specloom.cli.failures import CommandError, Exit, KilledError
from specloom.cli.output import Output, standard_output
from specloom.cli.ports import Composition, Place
from specloom.cli.roots import find_root
from specloom.cli.streams import tell
from specloom.domain.known_projects import KnownProject
from specloom.logs.place import log_folder
from specloom.logs.setup import write_logs

LOG = logging.getLogger(__name__)
WORKING = ("demo", "plan", "run", "tool", "daemon", "lsp")
"""Commands whose start and end are worth a record; the others only look."""


class CommandModule(Protocol):
    """What each command's module has."""

    def run(self, arguments: argparse.Namespace, place: Place, output: Output) -> Awaitable[Exit]:
        """Does it."""
        ...


def carry_out(arguments: argparse.Namespace, composition: Composition, environment: Mapping[str, str]) -> int:
    """Runs the command that was asked for; returns the exit status."""
    try:
        output = standard_output(as_json=arguments.json)
    except CommandError as error:
        tell(f"specloom: {error}\n")
        return error.status
    log, records = log_folder(environment), write_logs(environment, "cli")
    level = logging.INFO if arguments.command in WORKING else logging.DEBUG
    LOG.log(level, "%s started", arguments.command)
    try:
        # The demo makes its folder.
        root = _here(None) if arguments.command == "demo" else _root(arguments, environment)
        command = cast("CommandModule", importlib.import_module(f"specloom.cli.{arguments.command}"))
        place = Place(root, environment, composition)
        status = asyncio.run(_run(command, arguments, place, output))
        LOG.log(level, "%s ends with status %d", arguments.command, status)
    except KilledError:
        output.note("ended at once; `specloom run` goes on where the log ends")
        sys.stdout.flush()
        records.close()
        # Threads may still wait for what was just abandoned.
        os._exit(Exit.INTERRUPTED)
    except KeyboardInterrupt:
        output.note("interrupted")
        return Exit.INTERRUPTED
    except CommandError as error:
        output.note(str(error))
        return error.status
    except Exception as error:  # noqa: BLE001 - the guard of the command line: one line instead of a trace
        output.note(_told(error, log))
        return Exit.USAGE if _is_foreseen(error) else Exit.INCOMPLETE
    if output.failure:
        output.note(output.failure)
        return Exit.USAGE
    return status


def _root(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Path:
    def known() -> tuple[KnownProject, ...]:
        from specloom.store.projects import project_registry

        return project_registry(environment).read()

    named = arguments.workspace or getattr(arguments, "project", None)
    return find_root(named, _here(named), known)


def _here(named: str | None) -> Path:
    """Raises `CommandError` where it was removed and is needed."""
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        if named is not None and Path(named).is_absolute():
            return Path("/")
        raise CommandError(
            "the folder that you are in was removed; go to another, or name one by its whole path"
        ) from error


async def _run(command: CommandModule, arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    return await command.run(arguments, place, output)


def _is_foreseen(error: Exception) -> bool:
    """Whether the error is one of ours, whose message tells the next step, or of the system."""
    return type(error).__module__.partition(".")[0] == "specloom" or isinstance(error, OSError)


def _told(error: Exception, log: Path) -> str:
    LOG.error("ended by %s", type(error).__name__, exc_info=error)
    where = f" (trace: {log})" if os.environ.get("SPECLOOM_TRACE") == "1" else ""
    if _is_foreseen(error):
        return _line(error) + where
    step = "" if where else "; run it again with SPECLOOM_TRACE=1 and report the trace"
    return f"this is a bug of Specloom: {type(error).__name__}: {_line(error)}{where}{step}"


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__
