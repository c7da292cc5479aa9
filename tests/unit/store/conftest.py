"""Sample events on the path, and a store in a folder of its own. Refuses fakes of SQLite: files are real."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from store_samples import REGISTRY, CountingClock

from specloom.store.log import EventStore


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where a store may be made; does not exist yet."""
    return tmp_path / ".specloom"


@pytest.fixture
async def store(state: Path) -> AsyncIterator[EventStore]:
    """A new store, open for writing."""
    opened = await EventStore.open(state, REGISTRY, CountingClock(), holder="the test")
    yield opened
    await opened.close()
