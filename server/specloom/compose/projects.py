"""The registry of projects for who hosts, lists and names them. Refuses to be a reason why something does not open."""

import asyncio
import logging
from collections.abc import Mapping

from specloom.domain.ports import Clock
from specloom.engine.api import Runtime
from specloom.store.errors import StoreError
from specloom.store.private_file import HOMES
from specloom.store.projects import project_registry

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
