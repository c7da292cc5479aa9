"""The words and options that `specloom` understands. Refuses to import what any command needs."""

import argparse
import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import NoReturn

from specloom import __version__
from specloom.cli.failures import CommandError
from specloom.cli.streams import print_whole, tell

TASK_STATES = ("pending", "ready", "in_progress", "done", "failed", "blocked", "skipped")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
PROFILES = ("read-only", "ask", "auto-edit", "full")


LONGEST_NUMBER = 18
"""Digits of an event number: all of these fit into the log's 64 bits."""

MOST_USD = 1_000_000_000
LONGEST_SHOWN = 40
"""Characters of a wrong value that a message repeats."""


_OPTIONS = ("--help", "--version")

ADDRESS = re.compile(r"\Ahttps?://[^\s/?#@]+(/[^\s?#]*)?\Z")
"""What the settings take for `base_url`, too; they would name the setting, and not the option."""


class Parser(argparse.ArgumentParser):
    """Raises `CommandError` where argparse would print and exit."""

    def error(self, message: str) -> NoReturn:
        """One line, with the place where help is."""
        raise CommandError(f"{message}; see `{self.prog} --help`")

    @property
    def options(self) -> tuple[str, ...]:
        """The long names of all that was added."""
        return tuple(name for action in self._actions for name in action.option_strings if name.startswith("--"))

    def _print_message(self, message: str, file: object = None) -> None:
        """Help and version, whole or not at all: argparse passes over what cannot be written."""
        del file
        print_whole(message)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command and its options; `command` is empty when none was given. Raises `CommandError`."""
    parser, commands = _parser()
    first = next((word for word in argv if not word.startswith("-")), None)
    if first is not None and first not in commands and argv[0] == first:
        near = get_close_matches(first, commands, n=2, cutoff=0.4)
        hint = f"did you mean `{'` or `'.join(near)}`?" if near else f"commands are {', '.join(commands)}"
        raise CommandError(f"there is no command {first!r}; {hint}")
    known, unknown = parser.parse_known_args(argv)
    if unknown:
        raise CommandError(_unknown(unknown, known.command))
    return known


NO_KEY_HERE = "a key is no argument, where others could read it: it is asked for, or read from standard input"


def _unknown(words: Sequence[str], command: str) -> str:
    """Names them, with the nearest option of the command that they were given to."""
    called, options = "specloom", _OPTIONS
    if command:
        alone = Parser(add_help=False)
        _COMMANDS[command][1](alone)
        called, options = f"specloom {command}", (*_OPTIONS, *alone.options)
    if command == "credential" and not all(word in _OPTIONS or word.startswith("--") for word in words):
        return f"{NO_KEY_HERE}; see `{called} --help`"
    near = get_close_matches(words[0].partition("=")[0], options, n=1)
    meant = f" (did you mean `{near[0]}`?)" if near else ""
    return f"unrecognized arguments: {' '.join(words)}{meant}; see `{called} --help`"


def print_help() -> None:
    """The overview, where errors go: no command was given."""
    tell(_parser()[0].format_help())


def _parser() -> tuple[Parser, tuple[str, ...]]:
    parser = Parser(
        prog="specloom",
        description="Turns requirements.md into specs, the specs into tasks, and works until each task is proven.",
        epilog="Start with `specloom demo`, then `specloom run` in a folder that has a requirements.md.",
    )
    parser.add_argument("--version", action="version", version=f"specloom {__version__}")
    parser.set_defaults(command="")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=False, parser_class=Parser)
    for name, (summary, add) in _COMMANDS.items():
        sub = subparsers.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        sub.set_defaults(command=name, workspace=None, json=False)
        add(sub)
    return parser, tuple(_COMMANDS)


NEAREST = "the project's folder, or its id or alias (default: the nearest folder upwards)"


def _common(parser: argparse.ArgumentParser, folder: str = NEAREST) -> None:
    parser.add_argument("--workspace", metavar="DIR", help=folder)
    parser.add_argument("--json", action="store_true", help="JSON lines on standard output, nothing else")


def _status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", nargs="?", metavar="PROJECT", help="the same as --workspace")
    _common(parser)


def _model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="M", help="model id for every role, beats the settings")
    parser.add_argument(
        "--base-url",
        metavar="U",
        type=_address,
        help="an endpoint that speaks the Messages API, such as http://localhost:11434",
    )


def _demo(parser: argparse.ArgumentParser) -> None:
    _common(parser, "where to make the demo's folder (default: a temporary place)")
    _model(parser)
    parser.add_argument(
        "--keep", action=argparse.BooleanOptionalAction, default=True, help="keep the folder afterwards (default: keep)"
    )


def _plan(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    _model(parser)
    parser.add_argument("--requirements", metavar="F", help="the requirements document (default: the project's own)")
    parser.add_argument("--feedback", metavar="TEXT", default="", help="what the planner should do otherwise this time")
    parser.add_argument("--yes", action="store_true", help="answer every ask with yes; never lifts a deny")


def _run(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    _model(parser)
    parser.add_argument("scope", nargs="?", metavar="SCOPE", help="a spec id or a task id (default: everything)")
    parser.add_argument(
        "--budget-usd", metavar="N", type=_amount, help="stop when this much is spent; needs a model with a known price"
    )
    parser.add_argument(
        "--estimate", action="store_true", help="tell what it will probably cost, and why; starts nothing"
    )
    parser.add_argument("--profile", choices=PROFILES, help="what agents may do in this run unasked")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--detach", action="store_true", help="hand it to the daemon and leave; `specloom attach` shows it"
    )
    which.add_argument("--pause", action="store_true", help="pause the run that the daemon works on; starts nothing")
    which.add_argument("--cancel", action="store_true", help="end the run that the daemon works on; starts nothing")
    parser.add_argument("--yes", action="store_true", help="answer every ask with yes; never lifts a deny")


def _tasks(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument("--spec", metavar="S", help="only this spec")
    parser.add_argument("--state", metavar="X", choices=TASK_STATES, help=f"only these: {', '.join(TASK_STATES)}")


def _events(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument("--since", metavar="N", type=_count, default=0, help="only events after this number")
    parser.add_argument("--follow", action="store_true", help="go on with events as they come, until Ctrl-C")
    parser.add_argument("--audit", action="store_true", help="who did, allowed or denied what: one line an act")
    parser.add_argument("--agent", metavar="A", help="with --audit: only acts of this agent")
    parser.add_argument("--task", metavar="T", help="with --audit: only acts on this task")
    parser.add_argument("--denied", action="store_true", help="with --audit: only what was not allowed")


def _logs(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument("--follow", action="store_true", help="go on with records as they come, until Ctrl-C")
    parser.add_argument(
        "--level", choices=LOG_LEVELS, type=str.upper, default="INFO", help="this level and worse (default: INFO)"
    )
    parser.add_argument("--all", action="store_true", help="of all projects (default: of this one, and of none)")
    parser.add_argument("--session", metavar="S", help="only of this session; the beginning of its id is enough")
    parser.add_argument("--task", metavar="T", help="only of this task")
    parser.add_argument("--since", metavar="TIME", type=_span, help="only of the last 30s, 15m, 2h or 3d")


def _tool(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument("--yes", action="store_true", help="allow every call that asks; never lifts a deny")
    parser.add_argument("--profile", choices=PROFILES, help="instead of the permission profile of the settings")


def _approve(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument("question", nargs="?", metavar="ID", help="answer this question of an agent at work")
    said = parser.add_mutually_exclusive_group()
    said.add_argument("--choice", metavar="TEXT", help="with ID: the answer, one of the question's choices or words")
    said.add_argument(
        "--yes", action="store_true", help="allow everything that this repository proposes; with ID: answer yes"
    )
    said.add_argument("--deny", action="store_true", help="with ID: answer no")
    parser.add_argument("--revoke", metavar="ID", nargs="+", help="take grants back")


def _doctor(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    _model(parser)
    parser.add_argument("--offline", action="store_true", help="do not ask the endpoint anything")


def _lsp(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--standalone", action="store_true", help="host the project in this process")
    parser.add_argument("--stdio", action="store_true", help="speak on standard input and output (always so)")


def _credential(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "order", choices=("set", "forget"), help="set: take a key from the terminal or standard input; forget: drop it"
    )
    parser.add_argument(
        "endpoint",
        nargs="?",
        metavar="ENDPOINT",
        type=_unshown_address,
        help="its address (default: the only one that is set)",
    )
    parser.add_argument("--keep", action="store_true", help="with set: also in the keyring of this system")
    _common(parser)


def _daemon(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "order", nargs="?", choices=("status", "stop"), help="ask the daemon that is up (default: be one, until Ctrl-C)"
    )
    parser.add_argument("--force", action="store_true", help="with stop: pause what runs, and end")
    parser.add_argument("--json", action="store_true", help="JSON lines on standard output, nothing else")


def _address(text: str) -> str:
    if not ADDRESS.match(text):
        raise argparse.ArgumentTypeError(
            f"{text[:LONGEST_SHOWN]!r} is no address with http:// or https://, without a user name or query"
        )
    return text


def _unshown_address(text: str) -> str:
    """As `_address`; what is none may be a key, and is not said again."""
    if not ADDRESS.match(text):
        raise argparse.ArgumentTypeError(f"is no address with http:// or https://; {NO_KEY_HERE}")
    return text


def _amount(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= MOST_USD:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount above 0, at most {MOST_USD}")
    return value


def _span(text: str) -> float:
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text[:LONGEST_SHOWN]!r} is no time such as 30s, 15m, 2h or 3d")
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def _count(text: str) -> int:
    # What Python takes for digits beyond these may be very long, and in any script.
    if not text.isdecimal() or not text.isascii() or len(text) > LONGEST_NUMBER:
        raise argparse.ArgumentTypeError(f"{text[:LONGEST_SHOWN]!r} is no event number")
    return int(text)


_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "demo": ("shows the whole path on an example project, in a temporary folder", _demo),
    "plan": ("turns requirements into specs and tasks", _plan),
    "run": ("works through the tasks; plans first where no specs exist", _run),
    "status": ("tells where the project stands and what to do next", _status),
    "tasks": ("lists the tasks with their states", _tasks),
    "events": ("lists what happened, from the log", _events),
    "logs": ("tells what Specloom's processes on this machine did", _logs),
    "attach": ("watches what runs in a project, answers and steers; leaving it stops nothing", _common),
    "approve": ("lists, gives and takes back what you allow this repository", _approve),
    "credential": ("takes a key for an endpoint, or forgets it", _credential),
    "tool": ("runs tools by hand: one JSON call a line in, one result a line out", _tool),
    "doctor": ("checks what Specloom needs and tells how to mend it", _doctor),
    "daemon": ("hosts projects for editors; they start it by themselves", _daemon),
    "lsp": ("speaks the Language Server Protocol on standard input and output", _lsp),
}
