"""One bash that stays, and the one command at a time that it carries out.

Refuses to read a command's output for its end: that comes through a pipe which the command does not have, with a token
that it was not told. And to wait for a shell that has gone on to the next line without having told of the last.
"""

import asyncio
import os
import secrets
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from specloom.workspace.process import GRACE
from specloom.workspace.process_group import end_group, stuck
from specloom.workspace.process_start import ProcessStartError, shell_code, start
from specloom.workspace.shell import script
from specloom.workspace.shell.command_log import CommandLog
from specloom.workspace.shell.line_pipe import LinePipe
from specloom.workspace.shell.pump import Pump, Stream
from specloom.workspace.shell.status_pipe import StatusPipe, fifo
from specloom.workspace.shell.watchdog import Watchdog
from specloom.workspace.shielding import to_the_end

START_DEADLINE = 10.0
"""Seconds until a fresh shell must have answered; what `BASH_ENV` and restored functions take is in it."""
SHORT = 2000
"""Characters of a command that is sent as it is: bash reads its input byte by byte, and a file at once."""
LATE = 0.01
"""Seconds in which the last word of a dead shell may still come out of its pipe."""
LOOK = 1.0
"""Seconds between two looks at whether the shell has gone on without telling of its line."""
ON_ITS_WAY = 0.5
"""Seconds in which what it told may still arrive."""
FORGED = "something wrote into the pipe by which the shell tells of its commands, so the shell was ended"
DEAF = (
    "the shell told nothing of this command's end (it had switched off or redefined `builtin`, `printf` or the like), "
    "so it was ended"
)
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
    begun: bool = True
    """False: the shell was dead already, and the command was not run."""
    fault: str = ""
    """Why the shell was ended, where it was not by the command itself."""
    gone: str = ""
    """The directory where it should have run, which had been deleted: it ran in the root."""


@dataclass(slots=True)
class ShellProcess:
    """A running bash. `spawn` makes one."""

    place: Place
    folder: Path
    """Its own: commands, pipes, written-down states."""
    process: asyncio.subprocess.Process
    cwd: str
    """Its directory after the last command."""
    background: int
    """The newest process that it was told to put into the background; 0: none yet."""
    _status: StatusPipe
    _lines: LinePipe
    _dying: asyncio.Task[int]
    _turns: int = 0
    _state: Path | None = None
    _spare: tuple[Path, int, int] | None = None
    """A pipe for the output of the next command, with both ends."""
    _ended: bool = False

    @classmethod
    async def spawn(cls, place: Place, folder: Path, state: Path | None) -> "ShellProcess":
        """A shell in the root, or as `state` has it: a file that another shell wrote. Raises `ProcessStartError`."""
        given = await asyncio.to_thread(_prepare, folder, state)
        status = await StatusPipe.made(folder / "status")
        lines: LinePipe | None = None
        try:
            lines = await LinePipe.made()
            argv = ("bash", "--noprofile", "--norc")
            process = await start(argv, place.root, place.env, stdin=lines.read_end, executable=place.bash)
        except BaseException:
            status.close()
            if lines is not None:
                lines.close()
            raise
        shell = cls(place, folder, process, "", 0, status, lines, asyncio.create_task(process.wait()))
        shell._dying.add_done_callback(shell._has_died)
        try:
            await place.spawned(process.pid)
            await place.watchdog.guard(process.pid)
            await shell._open(given)
        except BaseException:
            await to_the_end(shell.end(0.0))
            raise
        return shell

    async def _open(self, state: Path | None) -> None:
        token = self._token()
        first = script.dump(self.folder / "state.0", self.place.root)
        told = f"{{ {first}; {script.report(token, self._status.path)}; }} 2>/dev/null"
        self._lines.send(script.opening(script.dump(self.folder / FOUND, self.place.root), state, told))
        try:
            async with asyncio.timeout(START_DEADLINE):
                ended = await self._answer()
        except TimeoutError:
            ended = Ended(None, alive=False)
        if not ended.alive:
            raise ProcessStartError("a fresh shell did not come up; see whether `bash` starts and what BASH_ENV runs")
        self._state = self.folder / "state.0"

    async def begin(self, command: str, log: CommandLog, pump: Pump) -> Stream:
        """Starts a command; answers its output. `answer` waits for the end. Raises `OSError`."""
        token = self._token()
        pipe, self._spare = self._spare, None
        if pipe is None or len(command) > SHORT:
            pipe = await asyncio.to_thread(_laid, self.folder, token, command, pipe)
        stream = Stream(*pipe, log)
        pump.add(stream)
        self._turns += 1
        words = command if len(command) <= SHORT else self.folder / "command"
        root, status = self.place.root, self._status.path
        first, code = script.begun(token, status, root), script.ended(token, status)
        last = f"{script.dump(self._slot(), root)}; {script.report(token, status)}"
        self._lines.send(script.turn(words, stream.path, first, code, last))
        return stream

    def take_back(self, stream: Stream) -> None:
        """A command's pipe that nobody has any more serves the next command."""
        spare, stream.spare = stream.spare, None
        if spare is None:
            return
        if self._spare is None and not self.dead and not self._ended:
            self._spare = (stream.path, *spare)
        else:
            _close(spare)

    async def answer(self) -> Ended:
        """Waits for the end of the command that `begin` started, or of the shell."""
        ended = await self._answer()
        if ended.alive:
            self._state = self._slot()
        return ended

    @property
    def dead(self) -> bool:
        """Whether it has ended by itself, or must be ended since nothing that it tells can be believed."""
        return self._dying.done() or self._status.broken

    @property
    def stuck(self) -> str:
        """After its end: that it has not gone; empty where it has."""
        return "" if self._dying.done() else stuck(self.process.pid)

    async def state(self) -> Path | None:
        """The newest state that it wrote down whole; while a command runs, that before the command."""
        found = self.folder / FOUND
        if self._dying.done() and await asyncio.to_thread(_whole, found):
            return found
        return self._state

    async def end(self, grace: float = GRACE) -> bool:
        """Ends the shell with all it started; whether there was anything beside itself to be ended."""
        alive, self._ended = not self._dying.done(), True
        if self._spare is not None:
            _close(self._spare[1:])
            self._spare = None
        left = await end_group(self.process.pid, grace)
        await asyncio.wait((self._dying,), timeout=GRACE)
        self.place.watchdog.release(self.process.pid)
        self._status.close()
        self._lines.close()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)
        return left and not alive

    def _slot(self) -> Path:
        """Two files in turn, so that one is whole whenever the shell dies."""
        return self.folder / f"state.{self._turns & 1}"

    def _token(self) -> str:
        token = secrets.token_hex(8)
        self._status.expect(token)
        if self._dying.done():
            self._has_died(self._dying)
        return token

    def _has_died(self, dying: asyncio.Task[int]) -> None:
        if not dying.cancelled():
            asyncio.get_running_loop().call_later(LATE, self._status.wake)

    async def _answer(self) -> Ended:
        status = self._status
        fault = await self._told()
        if fault:
            await to_the_end(end_group(self.process.pid, GRACE))
            await asyncio.wait((self._dying,), timeout=GRACE)
            return Ended(None if status.broken else status.code, alive=False, fault=fault)
        if not status.last:
            code = shell_code(self.process.returncode) if status.code is None else status.code
            return Ended(code, alive=False, begun=status.begun is not None)
        gone = self.cwd if status.begun is not None and status.begun != self.cwd else ""
        background, self.cwd = status.last
        self.background = int(background)
        return Ended(status.code, alive=True, gone=gone)

    async def _told(self) -> str:
        """Waits for the end of the line, or of the shell; answers what is wrong with the shell otherwise."""
        status = self._status
        while not await status.told(LOOK):
            if self._lines.taken and not await status.told(ON_ITS_WAY):
                return DEAF
        return FORGED if status.broken else ""


def _prepare(folder: Path, state: Path | None) -> Path | None:
    """A copy of the state, which its shell may write anew; `None` where a command has deleted it."""
    folder.mkdir(mode=0o700, parents=True)
    if state is None or not state.exists():
        return None
    return Path(shutil.copyfile(state, folder / "state.given"))


def _laid(folder: Path, token: str, command: str, pipe: tuple[Path, int, int] | None) -> tuple[Path, int, int]:
    if len(command) > SHORT:
        (folder / "command").write_text(command, encoding="utf-8", newline="")
    return pipe or (folder / token, *fifo(folder / token))


def _close(ends: tuple[int, int]) -> None:
    for end in ends:
        os.close(end)


def _whole(found: Path) -> bool:
    """The directory is its last line."""
    try:
        return found.read_text("utf-8", "replace").rpartition("\nbuiltin cd -- ")[1] != ""
    except OSError:
        return False
