"""One bash that stays, and the one command at a time that it carries out.

Refuses to read a command's output for its end: that comes through a pipe which the command does not have, with a token
that it was not told.
"""

import asyncio
import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from specloom.workspace.process import GRACE
from specloom.workspace.process_group import end_group
from specloom.workspace.process_start import ProcessStartError, shell_code, start
from specloom.workspace.shell import script
from specloom.workspace.shell.command_log import CommandLog
from specloom.workspace.shell.pump import Pump, Stream
from specloom.workspace.shell.watchdog import Watchdog
from specloom.workspace.shielding import to_the_end

HIGH = 200
"""The status pipe's number in the shell at least, so that scripts with `exec 3>file` do not meet it."""
START_DEADLINE = 20.0
"""Seconds until a fresh shell must have answered; what `BASH_ENV` and restored functions take is in it."""
FOUND = "state.found"
"""Where a shell that leaves by itself writes its state down."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an agent's shells live; the same for all of them."""

    bash: str
    root: Path
    env: Mapping[str, str]
    watchdog: Watchdog
    spawned: Callable[[int], Awaitable[None]]
    """Told of each shell's process id right after it was started."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    exit_code: int | None
    alive: bool
    """The shell stands; false: it ended with the command."""


@dataclass(slots=True)
class ShellProcess:
    """A running bash. `spawn` makes one."""

    place: Place
    folder: Path
    """Its own: commands, pipes, written-down states."""
    process: asyncio.subprocess.Process
    cwd: str
    """Its directory after the last command."""
    _status: asyncio.StreamReader
    _pipe: asyncio.ReadTransport
    _status_fd: int
    _dying: asyncio.Task[int]
    _turns: int = 0
    _state: Path | None = None

    @classmethod
    async def spawn(cls, place: Place, folder: Path, state: Path | None) -> "ShellProcess":
        """A shell in the root, or as `state` has it: a file that another shell wrote. Raises `ProcessStartError`."""
        await asyncio.to_thread(_prepare, folder, state)
        reader, pipe, process, status_fd = await _spawned(place)
        shell = cls(place, folder, process, "", reader, pipe, status_fd, asyncio.create_task(process.wait()))
        try:
            await place.spawned(process.pid)
            await place.watchdog.guard(process.pid)
            await shell._open(folder / "state.given" if state is not None else None)
        except BaseException:
            await to_the_end(shell.end(0.0))
            raise
        return shell

    async def _open(self, state: Path | None) -> None:
        token = secrets.token_hex(8)
        first = script.dump(self.folder / "state.0", self.place.root)
        told = f"{{ {first}; {script.report(token, self._status_fd)}; }} 2>/dev/null"
        await self._send(script.opening(script.dump(self.folder / FOUND, self.place.root), state, told))
        try:
            async with asyncio.timeout(START_DEADLINE):
                ended = await self._answer(token)
        except TimeoutError:
            ended = Ended(None, alive=False)
        if not ended.alive:
            raise ProcessStartError("a fresh shell did not come up; see whether `bash` starts and what BASH_ENV runs")
        self._state = self.folder / "state.0"

    async def begin(self, command: str, log: CommandLog, pump: Pump) -> tuple[Stream, str]:
        """Starts a command; answers its output and the token of its end. `answer` waits for that. Raises `OSError`."""
        token = secrets.token_hex(8)
        stream = await asyncio.to_thread(_opened, self.folder, token, command, log)
        pump.add(stream)
        self._turns += 1
        kept = script.dump(self._slot(), self.place.root)
        told = script.report(token, self._status_fd, f"${script.CODE}")
        await self._send(script.turn(self.folder / "command", self.folder / token, self._status_fd, kept, told))
        return stream, token

    async def answer(self, token: str) -> Ended:
        """Waits for the end of the command that `begin` started, or of the shell."""
        ended = await self._answer(token)
        await asyncio.to_thread((self.folder / token).unlink, missing_ok=True)
        if ended.alive:
            self._state = self._slot()
        return ended

    async def go(self, folder: Path) -> None:
        """Moves to another directory, for one that has been deleted under the shell."""
        token = secrets.token_hex(8)
        told = script.report(token, self._status_fd)
        await self._send(f"{{ builtin cd -- {quote(str(folder))}; {told}; }} </dev/null 2>/dev/null\n")
        await self._answer(token)

    async def state(self) -> Path | None:
        """The newest state that it wrote down whole; while a command runs, that before the command."""
        found = self.folder / FOUND
        if self._dying.done() and await asyncio.to_thread(_whole, found):
            return found
        return self._state

    async def end(self, grace: float = GRACE) -> bool:
        """Ends the shell with all it started; whether there was anything beside itself to be ended."""
        alive = not self._dying.done()
        left = await end_group(self.process.pid, grace)
        await asyncio.wait((self._dying,), timeout=GRACE)
        self.place.watchdog.release(self.process.pid)
        self._pipe.close()
        if self.process.stdin is not None:
            self.process.stdin.close()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)
        return left and not alive

    def _slot(self) -> Path:
        """Two files in turn, so that one is whole whenever the shell dies."""
        return self.folder / f"state.{self._turns & 1}"

    async def _send(self, line: str) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # `_answer` tells of a dead shell
            self.process.stdin.write(line.encode())
            await self.process.stdin.drain()

    async def _answer(self, token: str) -> Ended:
        reading = asyncio.create_task(self._status.readuntil(b"\0"))
        try:
            await asyncio.wait((reading, self._dying), return_when=asyncio.FIRST_COMPLETED)
            if not reading.done() or reading.exception() is not None:
                await asyncio.wait((self._dying,))
                return Ended(shell_code(self.process.returncode), alive=False)
            said, code, cwd = reading.result()[:-1].decode("utf-8", "replace").split(" ", 2)
            if said == token:
                self.cwd = cwd
                return Ended(int(code), alive=True)
        finally:
            reading.cancel()
        # Somebody else wrote into the pipe: nothing that this shell says can be believed any more.
        await to_the_end(end_group(self.process.pid, GRACE))
        await asyncio.wait((self._dying,))
        return Ended(None, alive=False)


async def _spawned(
    place: Place,
) -> tuple[asyncio.StreamReader, asyncio.ReadTransport, asyncio.subprocess.Process, int]:
    loop = asyncio.get_running_loop()
    read_end, low = os.pipe()
    write_end = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, HIGH)
    os.close(low)
    reader = asyncio.StreamReader()
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", 0))
    try:
        process = await start(
            ("bash", "--noprofile", "--norc"),
            place.root,
            place.env,
            stdin=asyncio.subprocess.PIPE,
            pass_fds=(write_end,),
            executable=place.bash,
        )
    except BaseException:
        pipe.close()
        raise
    finally:
        os.close(write_end)
    return reader, pipe, process, write_end


def _prepare(folder: Path, state: Path | None) -> None:
    folder.mkdir(mode=0o700)
    if state is not None:
        shutil.copyfile(state, folder / "state.given")


def _opened(folder: Path, token: str, command: str, log: CommandLog) -> Stream:
    (folder / "command").write_text(command, encoding="utf-8", errors="surrogateescape", newline="")
    fifo = folder / token
    os.mkfifo(fifo, 0o600)
    read_end = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return Stream(read_end, os.open(fifo, os.O_WRONLY | os.O_CLOEXEC), log)


def _whole(found: Path) -> bool:
    """The directory is its last line."""
    try:
        return found.read_text("utf-8", "replace").rpartition("\nbuiltin cd -- ")[1] != ""
    except OSError:
        return False
