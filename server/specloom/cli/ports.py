"""What the commands need from the floor above, which wires them. Refuses to know how a runtime is made."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from specloom.cli.link import Link
from specloom.domain.estimates import Estimate
from specloom.domain.permissions.grants import Grant
from specloom.domain.problem import Problem
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Scope
from specloom.engine.api import Published, Runtime
from specloom.tools.tool import ToolOutcome

if TYPE_CHECKING:
    from specloom.llm.model import ModelFacts


class Reader(Protocol):
    """The log of a root for reading only; works while somebody else writes."""

    @property
    def state(self) -> ProjectState:
        """The projection as of the last `refresh`; at first when the reader was opened."""
        ...

    @property
    def newer(self) -> Exception | None:
        """Set when a newer Specloom wrote the log, and some of it cannot be shown."""
        ...

    async def refresh(self) -> ProjectState:
        """Folds what was committed since into `state`."""
        ...

    async def writer(self) -> str | None:
        """Who writes the log now; `None`: nobody does."""
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
    address: str
    """The endpoint as keys are filed under it."""
    ask: "Callable[[], Awaitable[ModelFacts]]"
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


@dataclass(frozen=True, slots=True)
class Estimating:
    """What an estimate needs of a root."""

    problems: tuple[Problem, ...]
    """Of settings and `.env`."""
    read: Callable[[ProjectState], Awaitable[ProjectState]]
    """The state with what the documents say now."""
    estimate: Callable[[ProjectState, Scope], Estimate | Rejected]
    """What a run will probably take, with the models and prices that are set."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the documents of a root alone amount to, and whether anything could be planned or run there."""

    state: ProjectState
    problems: Mapping[str, tuple[Problem, ...]]
    refusals: tuple[str, ...]
    """What is wrong with the settings."""
    keyless: str
    """Why there is no key for an endpoint that needs one; empty: there is, or none is needed."""
    requirements: tuple[str, ...]
    """Paths of the documents that could be read."""
    has_log: bool = False
    """There is one, which tells more: the others are empty then, unless the root cannot be worked on anyway."""


class HandTools(Protocol):
    """Tools that share one context."""

    async def run(self, name: str, values: Mapping[str, Any]) -> ToolOutcome:
        """One call. Raises nothing but `CancelledError`."""
        ...


class Granting(Protocol):
    """The grants of a root, and what its settings propose."""

    @property
    def grants(self) -> tuple[Grant, ...]:
        """All of them, oldest first."""
        ...

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of `specloom.toml` with their values that count only once they are granted."""
        ...

    @property
    def verify(self) -> tuple[str, ...]:
        """Its verify commands."""
        ...

    def waiting(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the texts that were not granted, each once."""
        ...

    async def allow(self, texts: tuple[str, ...]) -> None:
        """Grants proposals for the project. Raises what is shown as one line."""
        ...

    async def revoke(self, grant: str) -> Grant | None:
        """Takes a grant back; `None`: there is none of this id."""
        ...


class Composition(Protocol):
    """What the commands are handed: `specloom.compose` is one. Nothing is imported before it is called."""

    async def open_runtime(
        self,
        root: Path,
        *,
        environment: Mapping[str, str],
        overrides: Mapping[str, Any] | None = None,
        grant_proposals: bool = False,
        holder: str = "specloom",
    ) -> Runtime:
        """Hosts a root. Raises what the command line shows as one line: settings, lock, disk."""
        ...

    async def open_grants(self, root: Path, environment: Mapping[str, str]) -> Granting:
        """The grants of a root; works while somebody else hosts it."""
        ...

    async def open_reader(self, root: Path, environment: Mapping[str, str]) -> Reader:
        """Reads a root's log. Raises `StoreMissingError` when there is none."""
        ...

    async def inspect(
        self, root: Path, environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None
    ) -> Inspection:
        """Tells how a root is set up. Never raises for what is wrong with settings or keys."""
        ...

    async def estimating(
        self, root: Path, environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None
    ) -> Estimating:
        """Reads the settings of a root and starts nothing."""
        ...

    async def preview(
        self,
        root: Path,
        environment: Mapping[str, str],
        overrides: Mapping[str, Any] | None = None,
        *,
        grant_proposals: bool = False,
        log: ProjectState | None = None,
    ) -> Preview:
        """Reads the documents of a root and writes nothing; `log`: what they change in this, which its log says."""
        ...

    async def serve_daemon(self, environment: Mapping[str, str], ready: Callable[[str], None]) -> None:
        """Serves as the user's daemon until it has ended; `ready` is called with its socket. Raises one line."""
        ...

    async def ask_daemon(
        self, environment: Mapping[str, str], want: Literal["status", "stop"], *, force: bool = False
    ) -> Mapping[str, Any] | None:
        """What the user's daemon answers: `ok`, `pid`, `version`, `reason`, `next`, and its status; `None`: none is up.

        Returns from a `stop` that was granted when the daemon is gone. Raises one line.
        """
        ...

    async def daemon_keys(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Endpoints whose keys the user's daemon holds, with where each came from; never starts one."""
        ...

    async def is_hosted(self, root: Path, environment: Mapping[str, str]) -> bool:
        """Whether the user's daemon hosts the root now; never starts one."""
        ...

    def connect_daemon(
        self, root: Path, environment: Mapping[str, str], *, start: bool
    ) -> AbstractAsyncContextManager[Link]:
        """A connection that has named the root; `start`: also starts a daemon. Raises `LinkLostError`."""
        ...

    def open_tools(
        self, root: Path, *, environment: Mapping[str, str], yes: bool = False, profile: str | None = None
    ) -> AbstractAsyncContextManager[HandTools]:
        """Tools by hand, on a root whose log is neither opened nor needed."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command works and what it was given from outside."""

    root: Path
    environment: Mapping[str, str]
    composition: Composition
