"""The `specloom` command: picks what to import by its first word, and hands the commands what compose makes.

Refuses to import anything that the word does not need: start-up is a feature.
"""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from specloom.lsp.standalone import Composition

REASON = "SPECLOOM_STANDALONE_REASON"
"""Why a bridge became a standalone server, for its person."""


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    fill_streams()
    hear_interrupts()
    # The language server needs no parser of arguments.
    if words[:1] == ["lsp"] and set(words[1:]) <= {"--standalone", "--stdio"}:
        return _serve() if "--standalone" in words else _bridge()
    if words == ["daemon", "--detached"]:
        return _serve_detached()
    try:
        return _command(words)
    except KeyboardInterrupt:
        # While modules are still imported; what a command does once it runs is its own.
        sys.stderr.write("specloom: interrupted\n")
        return 130


def fill_streams() -> None:
    """Puts nothing where a standard stream was closed, or the next socket or file that is opened would stand for it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free, which is this one.
            os.open(os.devnull, os.O_RDWR)


def hear_interrupts() -> None:
    """Lets our commands hear Ctrl-C where we were started deaf to it, as a shell's `&` does.

    A signal that is ignored stays so in every child; one that is handled, if only by doing nothing, does not.
    """
    import signal

    for number in (signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _stay)


def _stay(number: int, frame: object) -> None:
    del number, frame


def _serve() -> int:
    from specloom.lsp.server import serve_standalone

    return serve_standalone(_composition, os.environ, os.environ.pop(REASON, ""))


def _bridge() -> int:
    from specloom.daemon.bridge import bridge

    return bridge(os.environ, _standalone_instead)


def _standalone_instead(reason: str) -> int:
    """This process becomes the standalone server; what the editor has sent is still to be read."""
    os.environ[REASON] = f"Specloom: {reason}"
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], "--standalone"])  # noqa: S606 - no shell is meant


def _serve_detached() -> int:
    from specloom.daemon.process import serve_detached

    return serve_detached(_composition, os.environ)


def _composition() -> "Composition":
    # Called in a thread when the first root is opened: `initialize` is answered before.
    from specloom import compose

    compose.load_hosting()
    return compose


def _command(words: list[str]) -> int:
    from specloom.cli import arguments
    from specloom.cli.failures import CommandError
    from specloom.cli.streams import tell

    try:
        parsed = arguments.parse(words)
    except CommandError as error:
        tell(f"specloom: {error}\n")
        return error.status
    if not parsed.command:
        arguments.print_help()
        return 2
    try:
        return _carry_out(parsed)
    except ImportError as error:
        tell(f"specloom: this installation is incomplete ({error}); install Specloom again\n")
        return 2


def _carry_out(parsed: "argparse.Namespace") -> int:
    from specloom import compose
    from specloom.cli.main import carry_out

    return carry_out(parsed, compose, os.environ)


if __name__ == "__main__":
    sys.exit(main())
