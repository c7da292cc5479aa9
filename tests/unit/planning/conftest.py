"""A desk on which planning works: real files, a scripted model over real HTTP, a log kept in memory."""

from pathlib import Path

import pytest

from tests.unit.planning.planning_desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty project."""
    return Desk(tmp_path)
