"""A stage for each test."""

from collections.abc import Iterator

import pytest

from tests.daemon.stage import Stage, staged


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A user's folder without a daemon; whatever is started in it is ended."""
    with staged() as made:
        yield made
