"""The shell of one agent: its commands in order, those that go on beside them, and what becomes of a shell that dies.

Refuses to outlive its agent, and to answer as if nothing had happened when a fresh bash had to take over.
"""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specloom.workspace.excerpt import Excerpt
from specloom.workspace.process import DRAIN, OUTPUT_LIMIT, UNATTENDED
from specloom.workspace.process_group import end_group, others
from specloom.workspace.process_start import ProcessStartError
from specloom.workspace.shell.command_log import CommandLog, Live, Printed
from specloom.workspace.shell.jobs import Job, JobBook, Running
from specloom.workspace.shell.pump import Pump
from specloom.workspace.shell.shell_process import Ended, Place, ShellProcess
from specloom.workspace.shell.unattended import asked, endless
from specloom.workspace.shell.waiting import Waiting, waiting_below
from specloom.workspace.shell.watchdog import Watchdog
from specloom.workspace.shielding import to_the_end

LAST = 10.0
"""Seconds that all which follows the end of a command may take."""
LOOK = 1.0
"""Seconds between two looks at a command that prints nothing."""
QUIET = 3
"""Looks without a byte after which a program that waits at a terminal counts as waiting for a person."""
RESTARTED = (
    "Specloom was restarted: this is a fresh shell in the project root; "
    "jobs, directory and variables from before are gone"
)
KEPT = "exported variables and functions; other variables, aliases and `set`/`shopt` options are gone"
"""Of a shell that is replaced."""
Show = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ShellLimits:
    """What a user may set."""

    log_bytes: int = 64 * 1024 * 1024
    """Of one command's log."""
    jobs: int = 8
    """That run at a time."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What came of a command."""

    number: int
    exit_code: int | None
    """`None`: it did not end by itself."""
    printed: Printed
    log: Path
    job: bool = False
    """It goes on as the job of its number."""
    overdue: bool = False
    """It was not done in time."""
    notes: tuple[str, ...] = ()
    """What has become of the shell, in sentences without a full stop."""
    advice: str = ""
    """How to run it without a person; empty: nothing shows that it wanted one."""


@dataclass(slots=True)
class AgentShell:
    """Made for an agent before its first command; costs nothing until then. Belongs to one event loop."""

    root: Path
    environment: Mapping[str, str]
    logs: Path
    """Folder for the commands to come; made when one prints."""
    redact: Callable[[str], str]
    limits: ShellLimits = ShellLimits()
    restarted: bool = False
    """An earlier process of Specloom had a shell for this agent, which is gone."""
    spawned: Callable[[int], Awaitable[None]] | None = None
    """Told of the process id of each session leader, before any command runs in it."""
    _jobs: JobBook = field(init=False)
    _folder: Path | None = None
    _place: Place | None = None
    _pump: Pump | None = None
    _shell: ShellProcess | None = None
    _home: str = ""
    """The root as the shell names it."""
    _numbers: int = 0
    _shells: int = 0
    _folders: list[tuple[int, Path]] = field(default_factory=list[tuple[int, Path]])
    """Where logs are, each with the number of its first command."""
    _background: bool = False
    """The shell has processes beside itself after its last command."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._jobs = JobBook(self.limits.jobs)

    def use(self, limits: ShellLimits) -> None:
        """Others count from the next command on."""
        self.limits, self._jobs.most = limits, limits.jobs

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Those that run and the newest that have ended, oldest first."""
        return tuple(self._jobs)

    @property
    def busy(self) -> bool:
        """Whether anything may be changing files between two commands."""
        return self._background or bool(self._jobs.running)

    @property
    def folder(self) -> str:
        """Where the next command runs, relative to the root where it lies below; `.` is the root itself."""
        return "." if self._shell is None else self._below(self._shell.cwd)

    def _below(self, folder: str) -> str:
        return "." if folder == self._home else folder.removeprefix(f"{self._home}/")

    @property
    def cwd(self) -> str:
        """Where the next command runs, as the shell names it."""
        return str(self.root) if self._shell is None else self._shell.cwd

    def printing(self) -> tuple[frozenset[str], frozenset[str]]:
        """Absolute paths of what running jobs print to, and of what ended ones did."""
        running = frozenset(path for job in self._jobs.running for path in job.prints)
        return running, frozenset(path for job in self._jobs for path in job.prints) - running

    @property
    def newest(self) -> int:
        """The number of its newest command; 0: it has had none."""
        return self._numbers

    def log(self, number: int) -> Path | None:
        """Of any command, running or ended."""
        if number > self._numbers:
            return None
        folder = next((path for first, path in reversed(self._folders) if first <= number), None)
        return None if folder is None else folder / f"{number}.log"

    def notices(self) -> tuple[str, ...]:
        """What has happened by itself since the agent was told last: jobs that ended."""
        return self._jobs.news()

    async def run(self, command: str, timeout: float, show: Show | None = None) -> CommandResult:
        """Runs a command and waits `timeout` seconds for its end; then it goes on as a job.

        Raises `ProcessStartError`. A caller that is cancelled ends the shell with what runs in it.
        """
        _refuse_unspeakable(command)
        async with self._turn:
            try:
                shell, notes = await to_the_end(self._ready())
                running = await to_the_end(self._begin(shell, command, show))
                waited = await self._attend(running, timeout)
                if running.ended.done() and not running.ended.result().begun:
                    await self._drained(running)
                    shell, late = await to_the_end(self._ready())
                    notes += late
                    running = await to_the_end(self._begin(shell, command, show))
                    waited = await self._attend(running, timeout)
                if running.ended.done():
                    return await self._finished(running, notes, waited)
                return await self._overdue(running, notes)
            except asyncio.CancelledError:
                await to_the_end(self._forget_shell())
                raise

    async def start(self, command: str, show: Show | None = None) -> Job | None:
        """Starts a command beside the others, in a shell of its own that begins as this one stands.

        `None` when no more jobs may run. Raises `ProcessStartError`.
        """
        _refuse_unspeakable(command)
        async with self._turn:
            if self._jobs.full:
                return None
            shell, notes = await to_the_end(self._ready())
            for note in notes:
                self._tell(note)
            return await to_the_end(self._start(shell, command, show))

    async def look(self, job: Job) -> Printed | None:
        """What a job has printed so far; its log is up to date afterwards. `None`: it has ended, its log is whole."""
        if job.running is None:
            return None
        assert self._pump is not None
        return await self._pump.looked(job.running.stream)

    async def stop(self, number: int) -> Job | None:
        """Ends a job with all it started; one that has ended already stays as it is. `None`: there is none."""
        job = self._jobs.get(number)
        if job is not None and job.state == "running":
            await to_the_end(self._stop(job))
        return job

    async def close(self) -> None:
        """Ends everything that the agent started. Harmless when repeated."""
        await to_the_end(self._close())

    def spoken(self, folder: str) -> str:
        """A folder in words."""
        return "the project root" if folder == "." else folder

    async def _ready(self) -> tuple[ShellProcess, tuple[str, ...]]:
        notes: tuple[str, ...] = ()
        if self.restarted:
            self.restarted, notes = False, (RESTARTED,)
        if self._shell is not None and self._shell.dead:
            notes = await self._replaced(self._shell, "the shell had ended since the command before")
        return await self._standing(), notes

    async def _standing(self) -> ShellProcess:
        if self._shell is None:
            self._shell = await self._fresh(None)
            self._home = self._home or self._shell.cwd
        return self._shell

    async def _fresh(self, state: Path | None) -> ShellProcess:
        if self._place is None or self._folder is None:
            self._place = await asyncio.to_thread(self._settle_in)
            self._pump = Pump(asyncio.get_running_loop())
        assert self._folder is not None
        self._shells += 1
        try:
            return await ShellProcess.spawn(self._place, self._folder / str(self._shells), state)
        except OSError as error:
            raise ProcessStartError(f"could not start a shell: {error}; see whether the disk is full") from error

    def _settle_in(self) -> Place:
        bash = shutil.which("bash", path=self.environment.get("PATH"))
        if bash is None:
            raise ProcessStartError("could not start bash: it is not on PATH; install it or mend PATH")
        self._folder = Path(tempfile.mkdtemp(prefix="specloom-shell-"))
        self._numbers = last_number(self.logs)
        env = {**self.environment, **UNATTENDED}
        # Without what marks a command: it must be the last to go.
        watchdog = Watchdog(bash, {"PATH": env.get("PATH", os.defpath)}, self._folder)
        return Place(bash, self.root, env, watchdog, self.spawned or _unheard)

    async def _begin(self, shell: ShellProcess, command: str, show: Show | None, *, job: bool = False) -> Running:
        assert self._pump is not None
        loop = asyncio.get_running_loop()
        self._numbers += 1
        path = self.logs / f"{self._numbers}.log"
        live = Live(loop, show)
        log = CommandLog(path, self.limits.log_bytes, self.redact, Excerpt(OUTPUT_LIMIT), live)
        try:
            if job:
                await asyncio.to_thread(log.create)
            stream = await shell.begin(command, log, self._pump)
        except OSError as error:
            raise ProcessStartError(f"the command was not run: {error}; see whether the disk is full") from error
        if not self._folders or self._folders[-1][1] != self.logs:
            self._folders.append((self._numbers, self.logs))
        ended = asyncio.create_task(shell.answer())
        return Running(self._numbers, command, shell, stream, live, ended, loop.time())

    async def _attend(self, running: Running, timeout: float) -> tuple[str, ...]:
        """Waits; answers the programs that were ended because they waited for a person."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        waited: list[Waiting] = []
        quiet, seen = 0, 0
        while (left := end - loop.time()) > 0:
            await asyncio.wait((running.ended,), timeout=min(left, LOOK))
            if running.ended.done():
                break
            quiet, seen = (quiet + 1, seen) if running.stream.log.seen == seen else (0, running.stream.log.seen)
            if quiet >= QUIET:
                found = await asyncio.to_thread(waiting_below, running.shell.process.pid)
                if found is not None:
                    _press_no_key(found, again=found in waited)
                    waited.append(found)
        return tuple(dict.fromkeys(item.name for item in waited))

    async def _finished(self, running: Running, notes: tuple[str, ...], waited: tuple[str, ...]) -> CommandResult:
        ended = running.ended.result()
        printed = await self._drained(running)
        running.live.stop()
        if ended.gone:
            notes += (
                f"the shell's folder {self._below(ended.gone)} is gone, so it went back to the project root first",
            )
        before, self._background = self._background, ended.alive and await self._left(running)
        notes += tuple(f"{name} waited for keys at a terminal, where nobody is, and was ended" for name in waited)
        if not ended.alive:
            why = ended.fault or "the shell ended with this command (`exit`, `exec`, `set -e`)"
            notes += await self._replaced(running.shell, why)
        elif self._background and not running.stream.closed.is_set():
            notes += (f"what it left in the background goes on and prints to {running.stream.log.path}",)
        elif self._background and not before:
            notes += ("what it left in the background goes on",)
        advice = asked(running.command, printed.text, ended.exit_code)
        if waited and not advice:
            advice = "without a terminal, with its answers given by options or a file"
        return CommandResult(
            running.number, ended.exit_code, printed, running.stream.log.path, notes=notes, advice=advice
        )

    async def _left(self, running: Running) -> bool:
        """Whether the shell has processes beside itself; asked only where something shows that it may."""
        maybe = self._background or running.shell.background or not running.stream.closed.is_set()
        return bool(maybe) and await asyncio.to_thread(others, running.shell.process.pid)

    async def _drained(self, running: Running) -> Printed:
        """Output may still arrive for a moment, from `> >(tee log)` and the like."""
        assert self._pump is not None
        printed = await self._pump.finished(running.stream)
        running.shell.take_back(running.stream)
        if running.stream.closed.is_set():
            return printed
        try:
            async with asyncio.timeout(DRAIN):
                await running.stream.closed.wait()
        except TimeoutError:
            pass
        return await self._pump.looked(running.stream)

    async def _overdue(self, running: Running, notes: tuple[str, ...]) -> CommandResult:
        assert self._pump is not None
        printed = await self._pump.looked(running.stream)
        full, log = self._jobs.full, running.stream.log.path
        try:
            notes += await self._replaced(running.shell, "", keep=not full)
        finally:
            # Also when one is cancelled here: whoever closes this shell must find the command.
            if not full:
                self._follow(Job.of(running))
        if full:
            running.live.stop()
            await _over(running.ended, LAST)
        return CommandResult(
            running.number, None, printed, log, not full, overdue=True, notes=notes, advice=endless(running.command)
        )

    async def _replaced(self, old: ShellProcess, why: str, *, keep: bool = False) -> tuple[str, ...]:
        """A fresh shell takes over; the old one ends unless its command goes on."""
        self._shell, self._background = None, False
        left = False
        try:
            self._shell = await self._fresh(await old.state())
        except ProcessStartError as error:
            return (f"{why or 'the shell is stuck'}, and {error}",)
        finally:
            if not keep:
                left = await old.end()
        also = "; what it had left in the background ended with it" if left else ""
        also += f"; {old.stuck}" if not keep and old.stuck else ""
        told = f"a fresh shell took over in {self.spoken(self.folder)} with {KEPT}{also}"
        return (f"{why}; {told}" if why else told,)

    async def _start(self, shell: ShellProcess, command: str, show: Show | None) -> Job:
        own = await self._fresh(await shell.state())
        try:
            running = await self._begin(own, command, show, job=True)
        except BaseException:
            await own.end(0.0)
            raise
        job = Job.of(running)
        self._follow(job)
        return job

    def _follow(self, job: Job) -> None:
        running = job.running
        assert running is not None
        self._jobs.add(job)
        job.follower = asyncio.create_task(self._settle(job, running))

    async def _settle(self, job: Job, running: Running) -> None:
        ended: Ended = await running.ended
        await self._drained(running)
        held = not running.stream.closed.is_set()
        left = await running.shell.end() or held
        running.live.stop()
        stopped = job.state == "stopped"
        job.settle(None if stopped else ended.exit_code, asyncio.get_running_loop().time() - running.started_at)
        if not stopped:
            also = "; what it had left in the background ended with it" if left else ""
            self._tell(f"job {job.number} (`{job.title}`) {job.status}{also}; its output: {job.log}")

    async def _stop(self, job: Job) -> None:
        running, follower, job.state = job.running, job.follower, "stopped"
        if running is None:
            return
        await end_group(running.shell.process.pid, grace=2.0)
        if follower is None or await _over(follower, LAST):
            return
        await _over(running.ended, 0.0)
        await running.shell.end(0.0)
        running.live.stop()
        job.settle(None, asyncio.get_running_loop().time() - running.started_at)
        self._tell(f"job {job.number} (`{job.title}`): {running.shell.stuck}")

    async def _forget_shell(self) -> None:
        shell, self._shell = self._shell, None
        if shell is not None:
            await shell.end()
            self._tell("the shell was ended with the command that was cancelled; a fresh one is in the root")

    def _tell(self, news: str) -> None:
        self._jobs.tell(self.redact(news))

    async def _close(self) -> None:
        shell, self._shell = self._shell, None
        ending = [self._stop(job) for job in self._jobs.running]
        await asyncio.gather(*ending, *((shell.end(),) if shell is not None else ()))
        if self._pump is not None:
            await self._pump.close()
            self._pump = None
        if self._place is not None:
            await self._place.watchdog.close()
            self._place = None
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            self._folder = None


async def _over(task: asyncio.Task[Any], seconds: float) -> bool:
    """Waits for what follows a process that was ended, and waits no more for one that the kernel holds."""
    done, _ = await asyncio.wait((task,), timeout=seconds)
    if not done:
        task.cancel()
        await asyncio.wait((task,), timeout=LAST)
    return bool(done)


async def _unheard(pid: int) -> None:
    del pid


def _refuse_unspeakable(command: str) -> None:
    if "\0" in command:
        raise ProcessStartError("the command holds a NUL character, which no command can; write \\0 for printf")
    try:
        command.encode()
    except UnicodeEncodeError:
        raise ProcessStartError("the command holds half of a surrogate pair; send the whole character") from None


def _press_no_key(found: Waiting, *, again: bool) -> None:
    try:
        os.kill(found.pid, signal.SIGKILL if again else signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        return


def last_number(logs: Path) -> int:
    """The highest that a log in this folder has; 0: there is none. Blocking. A number is never given twice."""
    try:
        return max((int(path.stem) for path in logs.glob("*.log") if path.stem.isdecimal()), default=0)
    except OSError:
        return 0
