"""Commands of an agent by number, running or ended. Refuses to keep more of an ended one than a line about it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from specloom.domain.looking import printed_to
from specloom.workspace.shell.command_log import Live
from specloom.workspace.shell.pump import Stream
from specloom.workspace.shell.shell_process import Ended, ShellProcess

JobState: TypeAlias = Literal["running", "ended", "stopped"]
SHOWN = 60
"""Characters of a command in a line about it."""
REMEMBERED = 50
"""Ended jobs that are listed; of older ones the logs are left."""


@dataclass(slots=True, eq=False)
class Running:
    """A command that was started and may still run."""

    number: int
    command: str
    shell: ShellProcess
    stream: Stream
    live: Live
    ended: asyncio.Task[Ended]
    started_at: float


@dataclass(slots=True, eq=False)
class Job:
    """A command that goes on by itself."""

    number: int
    """How the agent names it."""
    title: str
    """The beginning of its command, on one line."""
    log: Path
    running: Running | None
    """Its shell, its output and what waits for its end; `None` when that has come."""
    prints: frozenset[str] = frozenset()
    """Absolute paths of all that it prints to, its log among them."""
    follower: asyncio.Task[None] | None = None
    """As long as it runs."""
    state: JobState = "running"
    exit_code: int | None = None
    duration_s: float = 0.0

    @classmethod
    def of(cls, running: Running) -> "Job":
        """A command that goes on."""
        line = " ".join(running.command[: 10 * SHOWN].split())
        title = line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
        log = running.stream.log.path
        prints = printed_to(running.command, running.shell.cwd) | {str(log)}
        return cls(running.number, title, log, running, prints)

    def settle(self, exit_code: int | None, duration_s: float) -> None:
        """It has ended; one that was stopped stays stopped."""
        self.state = "stopped" if self.state == "stopped" else "ended"
        self.exit_code, self.duration_s = exit_code, duration_s
        self.running = self.follower = None

    @property
    def status(self) -> str:
        """`running`, or how it ended."""
        if self.state == "running":
            return "running"
        code = "" if self.exit_code is None else f" with exit code {self.exit_code}"
        return f"{self.state}{code}"


@dataclass(slots=True)
class JobBook:
    """The jobs of an agent."""

    most: int
    """That may run at a time."""
    _jobs: dict[int, Job] = field(default_factory=dict[int, Job])
    _news: list[str] = field(default_factory=list[str])

    def __iter__(self) -> Iterator[Job]:
        return iter(tuple(self._jobs.values()))

    def get(self, number: int) -> Job | None:
        """One that runs, or one of the newest that ended."""
        return self._jobs.get(number)

    @property
    def running(self) -> tuple[Job, ...]:
        """Those that have not ended."""
        return tuple(job for job in self._jobs.values() if job.state == "running")

    @property
    def full(self) -> bool:
        """Whether no other may start."""
        return len(self.running) >= self.most

    def add(self, job: Job) -> None:
        """One more."""
        self._jobs[job.number] = job
        over = [number for number, known in self._jobs.items() if known.running is None]
        for number in over[: max(0, len(over) - REMEMBERED)]:
            del self._jobs[number]

    def tell(self, news: str) -> None:
        """Something that the agent is to hear with its next result."""
        self._news.append(news)

    def news(self) -> tuple[str, ...]:
        """What the agent has not been told, once."""
        told, self._news = tuple(self._news), []
        return told
