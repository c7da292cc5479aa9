"""Sees to it that a command does not outlive its owner: marks it, writes it down, ends what is left of it.

Refuses to end a process by its number alone. What carries the mark is found on Linux (`marked`); the command's own
group is found everywhere by a record of its first process, which counts only while that process has the start time and
the boot that were written down. So on macOS a process that left the group of its command is not found, and commands
are ended by the next start of Specloom, not when it dies.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from specloom.domain.ids import digest_of
from specloom.workspace import marked
from specloom.workspace.process_group import end_group, end_process

FOLDER = "commands"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
CLOSE_DEADLINE = 5.0


@dataclass(frozen=True, slots=True)
class FirstProcess:
    """The leader of a command's session."""

    pid: int
    started: str
    boot: str
    folder: str = ""
    """Whose it is: a copy of a state folder holds the records of the one that it was copied from. Empty: not told."""


@dataclass(slots=True)
class Orphans:
    """The commands of one state folder, whose lock the caller holds. Belongs to one event loop."""

    folder: Path
    key: str
    """Names the state folder on this machine; part of every mark."""
    _watchdog: asyncio.subprocess.Process | None = None
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def at(cls, state: Path) -> "Orphans":
        """Of a state folder. Blocking (it resolves links)."""
        place = state.resolve()
        return cls(place / FOLDER, digest_of(str(place))[:16])

    def environment(self, command: str) -> dict[str, str]:
        """What a command's environment must hold in addition; `command` is its id, without a slash."""
        return {marked.VARIABLE: f"{self.key}/{command}"}

    async def watched(self) -> None:
        """Call before a command starts: from then on commands end with this process, where the system can."""
        async with self._starting:
            if marked.is_supported() and (self._watchdog is None or self._watchdog.returncode is not None):
                with contextlib.suppress(OSError):  # where no process can be started, there is none to be watched
                    self._watchdog = await self._started()

    async def _started(self) -> asyncio.subprocess.Process:
        # In a session of its own, so that what ends us by a signal to the group does not end it too.
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", marked.__file__, self.key),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    async def register(self, command: str, leader: int) -> None:
        """Writes down the first process of a command that has just started, if the state folder takes it."""
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self._register, command, leader)

    async def end(self, command: str, grace: float = marked.GRACE) -> bool:
        """Ends what is left of a command, or of all of an agent; returns whether anything was."""
        found = bool(await asyncio.to_thread(marked.end, f"{self.key}/{command}", grace))
        for name, leader in (await asyncio.to_thread(self._recorded)).items():
            if name == command or name.startswith(f"{command}."):
                found = await self._end_group(leader, grace) or found
                await asyncio.to_thread(self._forget, name)
        return found

    async def end_all(self, grace: float = marked.GRACE) -> frozenset[str]:
        """Ends what an earlier owner left; returns the commands that were still alive."""
        found = await asyncio.to_thread(marked.end, self.key, grace)
        alive = {mark.partition("/")[2] for mark in found} - {""}
        for command, leader in (await asyncio.to_thread(self._recorded)).items():
            if await self._end_group(leader, grace):
                alive.add(command)
            await asyncio.to_thread(self._forget, command)
        return frozenset(alive)

    async def close(self) -> None:
        """No command is running any more."""
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is None or watchdog.stdin is None:
            return
        watchdog.stdin.close()
        try:
            async with asyncio.timeout(CLOSE_DEADLINE):
                await watchdog.wait()
        except TimeoutError:
            await end_process(watchdog)

    async def _end_group(self, leader: FirstProcess | None, grace: float) -> bool:
        if leader is None or not await asyncio.to_thread(self._is_ours, leader):
            return False
        return await end_group(leader.pid, grace)

    def _is_ours(self, leader: FirstProcess) -> bool:
        """Not what was written down elsewhere, unless the folder was moved here since."""
        copied = leader.folder not in ("", str(self.folder)) and Path(leader.folder).exists()
        return not copied and is_same(leader)

    def _register(self, command: str, leader: int) -> None:
        started = start_of(leader)
        if not started:
            return
        self.folder.mkdir(mode=0o700, exist_ok=True)
        file = self.folder / f"{command}.json"
        file.touch(mode=0o600)
        file.write_text(
            json.dumps(asdict(FirstProcess(leader, started, boot_id(), str(self.folder)))), encoding="utf-8"
        )

    def _forget(self, command: str) -> None:
        with contextlib.suppress(OSError):
            (self.folder / f"{command}.json").unlink(missing_ok=True)

    def _recorded(self) -> dict[str, FirstProcess | None]:
        return {file.stem: _read(file) for file in sorted(self.folder.glob("*.json"))}


def _read(file: Path) -> FirstProcess | None:
    """`None`: a record that the end of its writer cut short, which says nothing that could be relied on."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return FirstProcess(int(data["pid"]), str(data["started"]), str(data["boot"]), str(data.get("folder", "")))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def is_same(process: FirstProcess) -> bool:
    """Whether the process that was written down still lives. Blocking."""
    return bool(process.started) and process.boot == boot_id() and start_of(process.pid) == process.started


def boot_id() -> str:
    """Differs after each start of the machine, where the system tells."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def start_of(pid: int) -> str:
    """When a process started, in the system's own way; empty: there is none. Blocking.

    Field 22 of `/proc/pid/stat` in proc(5), in ticks since the boot; elsewhere `ps`, in seconds.
    """
    if marked.PROC.joinpath("self", "stat").exists():
        try:
            fields = (marked.PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=CLOSE_DEADLINE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip()
