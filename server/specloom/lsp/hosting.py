"""What this floor needs from the one above: somebody who makes runtimes and readers. Refuses to know how."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from specloom.domain.known_projects import KnownProject
from specloom.domain.origin import Origin
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.engine.api import Published, Runtime
from specloom.lsp.editor_settings import EditorSettings


@dataclass(frozen=True, slots=True)
class Sender:
    """What a client brings that its orders are carried out with. Its `repr` shows no key."""

    environment: Mapping[str, str] = field(repr=False)
    settings: EditorSettings
    """As they are now: the client may change them."""


class Reader(Protocol):
    """The log of a root for reading only; works while somebody else writes."""

    state: ProjectState
    """The projection as of the last `refresh`."""

    async def refresh(self) -> ProjectState:
        """Folds what was committed since."""
        ...

    async def writer(self) -> str | None:
        """Who writes the log now; `None`: nobody does."""
        ...

    async def events(self, since: int, limit: int) -> tuple[Published, ...]:
        """At most `limit` committed events with a higher sequence number than `since`."""
        ...

    async def close(self) -> None:
        """Lets the files go."""
        ...


class Projects(Protocol):
    """The projects that this machine knows."""

    async def known(self) -> tuple[KnownProject, ...]:
        """All of them, the one that was opened last first."""
        ...

    async def change(
        self, word: str, change: Callable[[KnownProject], KnownProject], by: Origin, command_id: str | None = None
    ) -> KnownProject | Rejected:
        """Changes the one that the word means; nothing if that order was carried out before."""
        ...

    async def create(
        self, folder: str, name: str, by: Origin, command_id: str | None = None
    ) -> KnownProject | Rejected:
        """Makes a folder a project, if it is none, and gives it a name."""
        ...


class Host(Protocol):
    """Makes runtimes, and ends them when their context is left."""

    async def projects(self) -> Projects:
        """Those of the client's user."""
        ...

    def states(self) -> tuple[ProjectState, ...]:
        """The projections of all roots that are hosted here for several clients."""
        ...

    def runtime(self, root: Path, settings: EditorSettings, client: str) -> AbstractAsyncContextManager[Runtime]:
        """Hosts the root, or joins who hosts it in this process. Raises what a person is shown as one line.

        `settings` are the client's, and `client` is the name that its orders come under.
        """
        ...

    def reader(self, root: Path) -> AbstractAsyncContextManager[Reader]:
        """Reads the root's log. Raises when there is none."""
        ...
