"""Commands of an agent by number, running or ended. Refuses to keep more than their ends and where their logs are."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from specloom.workspace.shell.command_log import Live
from specloom.workspace.shell.pump import Stream
from specloom.workspace.shell.shell_process import Ended, ShellProcess

JobState: TypeAlias = Literal["running", "ended", "stopped"]
SHOWN = 60
"""Characters of a command in a line about it."""


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

    running: Running
    log: Path
    state: JobState = "running"
    exit_code: int | None = None
    duration_s: float = 0.0
    follower: asyncio.Task[None] | None = None

    @property
    def number(self) -> int:
        """How the agent names it."""
        return self.running.number

    @property
    def title(self) -> str:
        """The beginning of its command, on one line."""
        line = " ".join(self.running.command.split())
        return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"

    @property
    def status(self) -> str:
        """`running`, or how it ended."""
        if self.state == "running":
            return "running"
        code = "" if self.exit_code is None else f" with exit code {self.exit_code}"
        return f"{self.state}{code}"


@dataclass(slots=True)
class JobBook:
    """All jobs of an agent."""

    most: int
    """That may run at a time."""
    _jobs: dict[int, Job] = field(default_factory=dict[int, Job])
    _news: list[str] = field(default_factory=list[str])

    def __iter__(self) -> Iterator[Job]:
        return iter(tuple(self._jobs.values()))

    def get(self, number: int) -> Job | None:
        """One of them."""
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

    def tell(self, news: str) -> None:
        """Something that the agent is to hear with its next result."""
        self._news.append(news)

    def news(self) -> tuple[str, ...]:
        """What the agent has not been told, once."""
        told, self._news = tuple(self._news), []
        return told
