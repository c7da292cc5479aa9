"""`python -m specloom.llm.scripted SCRIPT…`: plays scripts until it is interrupted. Refuses to start on a wrong one."""

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from specloom.llm.scripted.script import ScriptError
from specloom.llm.scripted.server import ScriptedServer


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, 1 if the play did not go as written (with `--check`), 2 for a wrong script."""
    options = _parser().parse_args(arguments)
    try:
        server = ScriptedServer(
            *options.scripts,
            port=options.port,
            pace_s=options.pace,
            delta_chars=options.delta,
            coalesce=options.coalesce,
        )
        server.start()
    except (ScriptError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    ended = _on_signal()
    # Whoever reads the address may send a signal at once
    sys.stdout.write(f"{server.base_url}\n")
    sys.stdout.flush()
    ended.wait()
    server.stop()
    return _verdict(server) if options.check else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m specloom.llm.scripted", description="Plays scripted models.")
    parser.add_argument("scripts", nargs="+", type=Path, metavar="SCRIPT", help="script files; they are merged")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; the base URL is printed")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds between two events")
    parser.add_argument("--delta", type=int, default=48, help="characters of one delta")
    parser.add_argument("--coalesce", action="store_true", help="many events in one HTTP chunk")
    parser.add_argument("--check", action="store_true", help="exit 1 unless all was played as written")
    return parser


def _on_signal() -> threading.Event:
    """Is set by the first interrupt or termination."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return stop


def _verdict(server: ScriptedServer) -> int:
    try:
        server.check()
    except ScriptError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
