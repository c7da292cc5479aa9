"""What the commands need from the floor above, which wires them. Refuses to know how a runtime is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from specloom.domain.project import ProjectState
from specloom.engine.api import Published, Runtime


class Reader(Protocol):
    """The log of a root for reading only; works while somebody else writes."""

    @property
    def state(self) -> ProjectState:
        """The projection when the reader was opened."""
        ...

    async def events(self, since: int, limit: int) -> tuple[Published, ...]:
        """At most `limit` committed events with a higher sequence number than `since`, also newer ones than `state`."""
        ...

    async def close(self) -> None:
        """Lets the files go."""
        ...


class Composition(Protocol):
    """Makes runtimes and readers: `specloom.compose` is one."""

    async def open_runtime(
        self, root: Path, *, environment: Mapping[str, str], overrides: Mapping[str, object] = ...
    ) -> Runtime:
        """Hosts the root here. Raises what the command line shows as one line (settings, key, lock, disk)."""
        ...

    async def open_reader(self, root: Path, *, environment: Mapping[str, str]) -> Reader:
        """Reads the root's log. Raises `StoreMissingError` when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command works and what it was given from outside."""

    root: Path
    environment: Mapping[str, str]
    composition: Composition
