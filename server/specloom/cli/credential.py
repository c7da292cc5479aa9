"""`specloom credential set|forget`: a key for an endpoint of the project, given to the daemon.

Refuses a key among the arguments, where other users of the machine and the shell's history see it.
"""

import argparse
import asyncio
import sys
import termios
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from specloom.cli.failures import CommandError, Exit, refuse
from specloom.cli.link import LinkLostError
from specloom.cli.output import Output
from specloom.cli.ports import Place
from specloom.cli.terminal_client import is_interactive, read_line
from specloom.domain.rejection import Rejected

LONGEST = 4095
"""Characters of a line that a terminal takes."""
TOLD = ("endpoint", "kept", "source", "message")


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Returns 0. Raises `CommandError`."""
    forget = arguments.order == "forget"
    if forget and arguments.keep:
        raise CommandError("--keep keeps a key, forget takes it out of the keyring too; give one of them")
    key = "" if forget else await _key(arguments.endpoint)
    params = {"endpoint": arguments.endpoint, "key": key, "keep": arguments.keep}
    answer = await _ordered(place, params)
    if output.as_json:
        output.json({"type": "credential", **{name: answer[name] for name in TOLD}})
    else:
        output.line(str(answer["message"]))
    return Exit.OK


async def _ordered(place: Place, params: dict[str, Any]) -> dict[str, Any]:
    """Gives it to the daemon, which is started if there is none: it is who sends the key."""
    try:
        async with place.composition.connect_daemon(place.root, place.environment, start=True) as link:
            answer = await link.ask("specloom/credential/set", params)
    except (LinkLostError, TimeoutError) as error:
        raise CommandError(str(error) or "the daemon did not answer; try again") from error
    if isinstance(answer, Rejected):
        refuse(answer)
    return cast("dict[str, Any]", answer)


async def _key(endpoint: str | None) -> str:
    """What is typed without being shown, or the one line of standard input."""
    if is_interactive():
        sys.stderr.write(f"Key{f' for {endpoint}' if endpoint else ''} (it is not shown): ")
        sys.stderr.flush()
        with _unshown(sys.stdin.fileno()):
            typed = await read_line()
        sys.stderr.write("\n")
    else:
        typed = await asyncio.to_thread(sys.stdin.readline, LONGEST + 1)
    key = (typed or "").strip()
    if not key:
        raise CommandError("there was no key; type one, or give it on standard input")
    if len(key) > LONGEST:
        raise CommandError(f"that is longer than {LONGEST} characters, so it is no key")
    return key


@contextmanager
def _unshown(terminal: int) -> Generator[None]:
    """What is typed does not appear; afterwards the terminal is as it was, whatever happened."""
    before = termios.tcgetattr(terminal)
    quiet = [*before]
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSAFLUSH, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
