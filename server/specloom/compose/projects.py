"""The registry of projects for who hosts, lists and names them. Refuses to be a reason why something does not open."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from specloom.domain.ids import ProjectId
from specloom.domain.known_projects import KnownProject, ProjectOrder
from specloom.domain.origin import Origin
from specloom.domain.ports import Clock
from specloom.domain.rejection import Rejected
from specloom.engine.api import Runtime
from specloom.store.errors import StoreError, StoreLockedError
from specloom.store.private_file import HOMES
from specloom.store.projects import ordered, project_registry
from specloom.store.system import SystemClock

LOG = logging.getLogger(__name__)


async def remember(runtime: Runtime, environment: Mapping[str, str], clock: Clock) -> None:
    """The project of a root that is hosted now is known from now on; nobody's home is guessed."""
    if not any(environment.get(name) for name in HOMES):
        return
    state, registry = runtime.state, project_registry(environment)
    try:
        await asyncio.to_thread(registry.opened, state.id, runtime.root, state.name, clock.now())
    except (StoreError, OSError) as error:
        LOG.warning("%s is not remembered: %s", runtime.root, error)


class MachineProjects:
    """Implements `lsp.hosting.Projects`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._registry = project_registry(environment)

    async def known(self) -> tuple[KnownProject, ...]:
        """All of them."""
        return await asyncio.to_thread(self._registry.read)

    async def change(
        self, word: str, change: Callable[[KnownProject], KnownProject], by: Origin, command_id: str | None = None
    ) -> KnownProject | Rejected:
        """As `ProjectRegistry.change`."""
        order = ProjectOrder(SystemClock().now(), by.client, command_id)
        return await asyncio.to_thread(self._registry.change, word, change, order)

    async def create(
        self, folder: str, name: str, by: Origin, command_id: str | None = None
    ) -> KnownProject | Rejected:
        """Opens the folder once, which makes its log, and gives it the name."""
        if (before := ordered(await self.known(), command_id)) is not None:
            return before
        root = await asyncio.to_thread(Path(folder).resolve)
        if not await asyncio.to_thread(root.is_dir):
            return Rejected("no-folder", f"{root} is no folder; make it first")
        creates = all(item.root != str(root) for item in await self.known())
        project, now = await self._project_in(root), SystemClock().now()
        await asyncio.to_thread(self._registry.opened, project, root, name, now)
        order = ProjectOrder(now, by.client, command_id, creates)
        return await asyncio.to_thread(self._registry.change, project, lambda item: replace(item, name=name), order)

    async def _project_in(self, root: Path) -> ProjectId:
        from specloom.compose.hosting import open_runtime
        from specloom.compose.reading import open_reader

        try:
            runtime = await open_runtime(root, environment=self._environment)
            state = runtime.state
            await runtime.close()
        except StoreLockedError:
            # Somebody works there: its log tells.
            reader = await open_reader(root, self._environment)
            state = await reader.refresh()
            await reader.close()
        return state.id
