"""Runs one command and turns whatever ends it into one line and an exit status. Refuses to show a trace unasked."""

import argparse
import asyncio
import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Protocol, cast

from specloom.cli.failures import CommandError, Exit, KilledError, OutputClosedError
from specloom.cli.output import Output, standard_output
from specloom.cli.ports import Composition, Place
from specloom.cli.roots import find_root


class CommandModule(Protocol):
    """What each command's module has."""

    def run(self, arguments: argparse.Namespace, place: Place, output: Output) -> Awaitable[Exit]:
        """Does it."""
        ...


def carry_out(arguments: argparse.Namespace, composition: Composition, environment: Mapping[str, str]) -> int:
    """Runs the command that was asked for; returns the exit status."""
    output = standard_output(as_json=arguments.json)
    try:
        # The demo makes its folder.
        root = Path.cwd() if arguments.command == "demo" else find_root(arguments.workspace, Path.cwd())
        command = cast("CommandModule", importlib.import_module(f"specloom.cli.{arguments.command}"))
        place = Place(root, environment, composition)
        status = asyncio.run(_run(command, arguments, place, output))
    except KilledError:
        output.note("ended at once; `specloom run` goes on where the log ends")
        sys.stdout.flush()
        # Threads may still wait for what was just abandoned.
        os._exit(Exit.INTERRUPTED)
    except KeyboardInterrupt:
        output.note("interrupted")
        return Exit.INTERRUPTED
    except OutputClosedError:
        return Exit.OK
    except CommandError as error:
        output.note(str(error))
        return error.status
    except Exception as error:  # noqa: BLE001 - the guard of the command line: one line instead of a trace
        output.note(_told(error))
        return Exit.USAGE if _is_foreseen(error) else Exit.INCOMPLETE
    return status


async def _run(command: CommandModule, arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    return await command.run(arguments, place, output)


def _is_foreseen(error: Exception) -> bool:
    """Whether the error is one of ours, whose message tells the next step, or of the system."""
    return type(error).__module__.partition(".")[0] == "specloom" or isinstance(error, OSError)


def _told(error: Exception) -> str:
    if os.environ.get("SPECLOOM_TRACE") == "1":
        with tempfile.NamedTemporaryFile("w", prefix="specloom-trace-", suffix=".txt", delete=False) as file:
            traceback.print_exception(error, file=file)
        return f"{_line(error)} (trace: {file.name})"
    if _is_foreseen(error):
        return _line(error)
    return f"this is a bug of Specloom: {_line(error)}; run it again with SPECLOOM_TRACE=1 and report the trace"


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__
