"""Owns the one runtime of `specloom lsp --standalone`. Refuses to load what makes it before that is needed."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from specloom.domain.project import ProjectState
from specloom.engine.api import Runtime
from specloom.lsp.editor_settings import EditorSettings
from specloom.lsp.hosting import Projects, Reader, Sender
from specloom.lsp.loading import loaded


class Composition(Protocol):
    """Makes runtimes and readers: `specloom.compose` is one."""

    async def open_runtime(
        self,
        root: Path,
        *,
        environment: Mapping[str, str],
        editor: Mapping[str, Any] | None = ...,
        holder: str = ...,
        sender: Sender | None = ...,
        senders: Mapping[str, Sender] = ...,
    ) -> Runtime:
        """Hosts the root here. `sender`: who opens it; `senders`: whose orders count, by client, as they are then."""
        ...

    async def open_reader(self, root: Path, *, environment: Mapping[str, str]) -> Reader:
        """Reads the root's log."""
        ...

    def held_keys(self) -> Mapping[str, str]:
        """Endpoints whose keys this process holds, with where each came from; never a key."""
        ...

    def MachineProjects(self, environment: Mapping[str, str]) -> Projects:  # noqa: N802 - a class is one
        """Those of the user."""
        ...


class StandaloneHost:
    """Implements `hosting.Host`."""

    def __init__(self, load: Callable[[], Composition], environment: Mapping[str, str]) -> None:
        self._load = load
        self._environment = environment

    async def projects(self) -> Projects:
        """Those of the user."""
        return (await loaded(self._load)).MachineProjects(self._environment)

    def states(self) -> tuple[ProjectState, ...]:
        """None: each client has its own host."""
        return ()

    @asynccontextmanager
    async def runtime(self, root: Path, settings: EditorSettings, client: str) -> AsyncGenerator[Runtime]:
        """Hosts the root in this process."""
        composition = await loaded(self._load)
        sender = Sender(self._environment, settings)
        runtime = await composition.open_runtime(
            root,
            environment=self._environment,
            editor=settings.whole,
            holder="specloom lsp",
            sender=sender,
            senders={client: sender},
        )
        try:
            yield runtime
        finally:
            await runtime.close()

    @asynccontextmanager
    async def reader(self, root: Path) -> AsyncGenerator[Reader]:
        """Reads the root's log."""
        composition = await loaded(self._load)
        reader = await composition.open_reader(root, environment=self._environment)
        try:
            yield reader
        finally:
            await reader.close()
