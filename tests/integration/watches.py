"""A system that has no watches left, as Linux tells it. Refuses to stop who looks again and again instead."""

import errno
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType] # names trio, which is not installed

AWATCH = "specloom.workspace.watcher.awatch"
"""What `without_watches` takes the place of."""


async def without_watches(*folders: Path, **options: Any) -> AsyncGenerator[Any]:
    """Watches by polling alone. Raises `OSError` where more is asked for."""
    if not options.get("force_polling"):
        raise OSError(errno.ENOSPC, "OS file watch limit reached.")
    async for changes in awatch(*folders, **options):
        yield changes
