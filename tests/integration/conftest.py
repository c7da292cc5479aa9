"""Fixtures of several modules here: keyrings in place of the system's."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backends import fail

from specloom.compose.keys import KEYS
from tests.integration.keys import HERE, THERE, FileKeyring, SlowKeyring


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leads the endpoints of these tests to this machine."""
    real = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return real("127.0.0.1" if name in (HERE, THERE) else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[FileKeyring]:
    """A keyring that works."""
    before, backend = keyring.get_keyring(), FileKeyring(tmp_path / "keyring")
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def slow_system(tmp_path: Path) -> Iterator[SlowKeyring]:
    """A keyring that nobody has unlocked yet."""
    before, backend = keyring.get_keyring(), SlowKeyring(tmp_path / "keyring")
    keyring.set_keyring(backend)
    yield backend
    backend.unlocked.set()
    keyring.set_keyring(before)


@pytest.fixture
def no_system() -> Iterator[None]:
    """A machine without a keyring."""
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def another_process() -> Iterator[None]:
    """What one process holds ends with it."""
    KEYS.clear()
    yield
    KEYS.clear()
