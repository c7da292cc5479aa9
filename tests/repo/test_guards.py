"""The guards of `tests/conftest.py` really guard."""

import asyncio
import socket
import time
from collections.abc import Callable

import pytest
from blockbuster import BlockingError
from hypothesis import settings

import specloom


@pytest.mark.parametrize("host", ["192.0.2.1", "example.com", "10.0.0.1", "::ffff:192.0.2.1"])
def test_a_test_reaches_no_other_machine(host: str) -> None:
    with pytest.raises(Exception, match="loopback only"):
        socket.create_connection((host, 9), timeout=1)


def test_a_test_reaches_a_server_of_its_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


async def test_a_blocking_call_of_ours_on_the_loop_is_found() -> None:
    ours: dict[str, Callable[[], None]] = {}
    exec(compile("def wait(): time.sleep(0)", f"{specloom.__path__[0]}/example.py", "exec"), {"time": time}, ours)
    with pytest.raises(BlockingError):
        ours["wait"]()
    await asyncio.to_thread(ours["wait"])


def test_counts_come_from_the_profile() -> None:
    assert settings.get_current_profile_name() in {"test", "soak"}
    assert settings().max_examples in {60, 3000}
