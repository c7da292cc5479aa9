"""A stage for each test."""

from collections.abc import Iterator

import pytest

from tests.daemon.stage import Stage, staged


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A user's folder without a daemon; whatever is started in it is ended."""
    with staged() as made:
        yield made


@pytest.fixture
def impatient() -> Iterator[Stage]:
    """The same for a daemon that keeps nothing which nobody uses, but for as long as who started it needs to come."""
    with staged(SPECLOOM_DAEMON_IDLE_S="3", SPECLOOM_DAEMON_LINGER_S="0") as made:
        yield made
