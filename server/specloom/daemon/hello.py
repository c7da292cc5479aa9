"""The one line that a client of the daemon sends first, and the one line that answers it; both sides.

Refuses lines that are too long or come too late, and to show what a client's environment holds.
"""

import contextlib
import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from specloom import __version__
from specloom.daemon.errors import NoDaemonError

FORMAT = 1
END = b"\0"
"""Begins what follows the last frame: one line of JSON with the `status` that the bridge ends with. No frame has it."""
LONGEST = 64 * 1024
"""Bytes of a line."""
LONGEST_VERSION, LONGEST_FOLDER = 64, 4096
"""Characters; what every `status` would repeat."""
LONGEST_ANSWER = 1024 * 1024
ANSWER_DEADLINE = 10.0
"""Seconds that the daemon has to answer."""
QUEUE_POLL = 0.02
HELLO_DEADLINE = 5.0
"""Seconds that a client has to say what it wants."""
NAMES = frozenset({"PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "LANG", "SSH_AUTH_SOCK"})
PREFIXES = ("ANTHROPIC_", "SPECLOOM_")
"""What of a client's environment counts in the daemon."""

Want = Literal["lsp", "status", "stop", "retire"]
WANTS: tuple[Want, ...] = ("lsp", "status", "stop", "retire")


class Hello(NamedTuple):
    """What a client says of itself and wants. Its `repr` shows no environment, where keys are."""

    cwd: str
    environment: Mapping[str, str]
    """The names that count."""
    want: Want = "lsp"
    force: bool = False
    """Of `stop`: also while something runs."""
    version: str = __version__

    def __repr__(self) -> str:
        return f"Hello({self.want!r}, version={self.version!r}, cwd={self.cwd!r})"


class Answer(NamedTuple):
    """What the daemon answers."""

    ok: bool
    members: Mapping[str, Any]
    """The whole object; `version` and `pid` of the daemon are always there."""

    @property
    def refusal(self) -> str:
        """Why not, and the next step."""
        return "; ".join(str(self.members[name]) for name in ("reason", "next") if self.members.get(name))


class Met(NamedTuple):
    """A connection whose hello was answered."""

    connection: socket.socket
    answer: Answer
    rest: bytes
    """What came behind the answer."""


def here() -> str:
    """The working folder, `/` if it was removed."""
    try:
        return str(Path.cwd())
    except OSError:
        return "/"


def counts(name: str) -> bool:
    """Whether a variable of a client counts."""
    return name in NAMES or name.startswith(PREFIXES)


def hello_line(hello: Hello) -> bytes:
    """The line. Raises `NoDaemonError` for an environment that does not fit."""
    environment = {name: value for name, value in hello.environment.items() if counts(name)}
    told: dict[str, object] = {
        "specloom": FORMAT,
        "version": hello.version,
        "want": hello.want,
        "cwd": hello.cwd,
        "env": environment,
    }
    if hello.force:
        told["force"] = True
    line = json.dumps(told).encode() + b"\n"
    if len(line) > LONGEST:
        longest = max(environment, key=lambda name: len(environment[name]), default="")
        raise NoDaemonError(f"the environment is longer than {LONGEST} bytes; shorten {longest}")
    return line


def read_hello(line: bytes) -> Hello | str:
    """What a client said; as text, why it is no hello."""
    told = _object(line)
    if told is None or told.get("specloom") != FORMAT:
        return f'the first line must be {{"specloom": {FORMAT}, …}}'
    version, cwd, want, environment = (told.get(name) for name in ("version", "cwd", "want", "env"))
    known: Want | None = next((name for name in WANTS if name == (want or "lsp")), None)
    if known is None:
        return f"{str(want)[:40]!r} is nothing to want here; {', '.join(WANTS)} are"
    if not isinstance(version, str) or not isinstance(cwd, str) or not isinstance(environment, dict):
        return "version and cwd must be texts, and env an object"
    if len(version) > LONGEST_VERSION or len(cwd) > LONGEST_FOLDER:
        return f"a version has {LONGEST_VERSION} characters at most, and cwd {LONGEST_FOLDER}"
    items = cast("dict[str, object]", environment).items()
    own = {name: value for name, value in items if isinstance(value, str) and counts(name)}
    return Hello(cwd, own, known, told.get("force") is True, version)


def answer_line(*, ok: bool, pid: int, **members: object) -> bytes:
    """The daemon's line."""
    return json.dumps({"specloom": FORMAT, "ok": ok, "version": __version__, "pid": pid, **members}).encode() + b"\n"


def read_answer(line: bytes) -> Answer:
    """What the daemon said. Raises `NoDaemonError` for anything else."""
    told = _object(line)
    if told is None or told.get("specloom") != FORMAT or not isinstance(told.get("ok"), bool):
        raise NoDaemonError(f"who listens there is no Specloom: it said {line[:60]!r}")
    return Answer(told["ok"], told)


def meet(path: str, hello: Hello, deadline: float = ANSWER_DEADLINE) -> Met | None:
    """Connects and says hello; `None` when nobody listens, or the listener ended before it answered. Blocking.

    Raises `NoDaemonError` when nothing, or nonsense, comes back within `deadline` seconds.
    """
    line = hello_line(hello)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(deadline)
        end = time.monotonic() + deadline
        _connect(connection, path, end)
        # Whom the daemon sends away by what he is, or for want of room, may have his answer before he has said a word.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(line)
        first, rest = _answered(connection, end)
        met = Met(connection, read_answer(first), rest) if first else None
    except TimeoutError as error:
        connection.close()
        step = f"try again, or end the process: its pid stands in {path.removesuffix('.sock')}.json"
        raise NoDaemonError(f"the daemon at {path} did not answer within {deadline:g} seconds; {step}") from error
    except OSError:
        met = None
    except BaseException:
        connection.close()
        raise
    if met is None:
        connection.close()
    else:
        connection.settimeout(None)
    return met


def _connect(connection: socket.socket, path: str, end: float) -> None:
    """Raises `OSError` when nobody listens, `TimeoutError` when the listener's queue is full until `end`."""
    while True:
        try:
            return connection.connect(path)
        except BlockingIOError as error:
            # Linux does not wait for room where there is a timeout: connect(2), EAGAIN.
            if time.monotonic() > end:
                raise TimeoutError from error
            time.sleep(QUEUE_POLL)


def _answered(connection: socket.socket, end: float) -> tuple[bytes, bytes]:
    """The first line and what came behind it; nothing when the other side ended before."""
    received = b""
    while b"\n" not in received:
        connection.settimeout(max(0.01, end - time.monotonic()))
        data = connection.recv(LONGEST)
        if not data:
            return b"", b""
        received += data
        if len(received) > LONGEST_ANSWER:
            raise NoDaemonError("who listens there is no Specloom: it sends without end")
    line, _, rest = received.partition(b"\n")
    return line, rest


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        told: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", told) if isinstance(told, dict) else None
