"""What the commands need from the floor above, which wires them. Refuses to know how a runtime is made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from specloom.domain.problem import Problem
from specloom.domain.project import ProjectState
from specloom.engine.api import Published, Runtime
from specloom.llm.model import ModelFacts


class Reader(Protocol):
    """The log of a root for reading only; works while somebody else writes."""

    @property
    def state(self) -> ProjectState:
        """The projection when the reader was opened."""
        ...

    @property
    def newer(self) -> Exception | None:
        """Set when a newer Specloom wrote the log, and some of it cannot be shown."""
        ...

    async def events(self, since: int, limit: int | None = None) -> tuple[Published, ...]:
        """At most `limit` committed events with a higher sequence number than `since`, also newer ones than `state`."""
        ...

    async def close(self) -> None:
        """Lets the files go."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model that some roles work with, and where it is asked."""

    roles: tuple[str, ...]
    model: str
    host: str
    key: str
    """Where the key comes from (`environment`, `.env`), `not needed`, or empty: there is none."""
    ask: Callable[[], Awaitable[ModelFacts]]
    """Asks the Models API. Raises `ProviderError`."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """How a root is set up, as far as that can be told without opening it."""

    state_dir: Path
    requirements: str | None
    """As set; `None`: where one looks for it."""
    problems: tuple[Problem, ...]
    """Of settings and `.env`."""
    endpoints: tuple[Endpoint, ...]


class OpenRuntime(Protocol):
    """Hosts a root."""

    async def __call__(
        self,
        root: Path,
        *,
        environment: Mapping[str, str],
        overrides: Mapping[str, Any] | None = None,
        grant_proposals: bool = False,
        holder: str = "specloom",
    ) -> Runtime:
        """Raises what the command line shows as one line: settings, lock, disk."""
        ...


class OpenReader(Protocol):
    """Reads a root's log."""

    async def __call__(self, root: Path, environment: Mapping[str, str]) -> Reader:
        """Raises `StoreMissingError` when there is none."""
        ...


class Inspect(Protocol):
    """Tells how a root is set up."""

    async def __call__(
        self, root: Path, environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None
    ) -> Inspection:
        """Never raises for what is wrong with settings or keys."""
        ...


@dataclass(frozen=True, slots=True)
class Composition:
    """What `__main__` hands to the commands."""

    open_runtime: OpenRuntime
    open_reader: OpenReader
    inspect: Inspect


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command works and what it was given from outside."""

    root: Path
    environment: Mapping[str, str]
    composition: Composition
