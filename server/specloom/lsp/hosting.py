"""What this floor needs from the one above: somebody who makes runtimes and readers. Refuses to know how."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from specloom.domain.project import ProjectState
from specloom.engine.api import Published, Runtime


class Reader(Protocol):
    """The log of a root for reading only; works while somebody else writes."""

    state: ProjectState
    """The projection as of the last `refresh`."""

    async def refresh(self) -> ProjectState:
        """Folds what was committed since."""
        ...

    async def events(self, since: int, limit: int) -> tuple[Published, ...]:
        """At most `limit` committed events with a higher sequence number than `since`."""
        ...

    async def close(self) -> None:
        """Lets the files go."""
        ...


class Host(Protocol):
    """Makes runtimes, and ends them when their context is left."""

    def runtime(self, root: Path, editor_settings: Mapping[str, object]) -> AbstractAsyncContextManager[Runtime]:
        """Hosts the root, or joins who hosts it in this process. Raises what a person is shown as one line."""
        ...

    def reader(self, root: Path) -> AbstractAsyncContextManager[Reader]:
        """Reads the root's log. Raises when there is none."""
        ...
