"""A client that dies without closing its pipes, and processes that only look like a client."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from specloom.lsp.client_process import outlived
from tests.integration.projects import greeter
from tests.lsp.editor import SPECLOOM
from tests.lsp.wire import DEADLINE, Wire, process, status_of

CLIENT = """
import subprocess, sys
server = subprocess.Popen([sys.argv[1], "lsp", "--standalone"], stdin=int(sys.argv[2]), stdout=int(sys.argv[3]))
print("started", flush=True)
server.wait()
"""


@contextmanager
def client_that_shares_its_pipes() -> Generator[tuple[subprocess.Popen[bytes], int, int]]:
    """A client process with a server of its own; the ends of its pipes are held here too, and stay open."""
    to_server, our_write = os.pipe()
    our_read, from_server = os.pipe()
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(SPECLOOM), str(to_server), str(from_server)],
        pass_fds=[to_server, from_server],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_server)
    os.close(from_server)
    try:
        assert client.stdout is not None
        assert client.stdout.readline() == b"started\n"
        yield client, our_read, our_write
    finally:
        client.kill()
        client.wait(DEADLINE)
        assert client.stdout is not None
        client.stdout.close()
        for end in (our_read, our_write):
            os.close(end)


async def streams(read: int, write: int) -> Wire:
    """The pipes as a connection."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(read), "rb"))
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(os.dup(write), "wb")
    )
    return Wire(reader, asyncio.StreamWriter(transport, protocol, reader, loop))


async def initialize(wire: Wire, root: Path, pid: Any) -> None:
    """The handshake, with this process number."""
    wire.ask("init", "initialize", {"processId": pid, "rootUri": root.as_uri(), "capabilities": {}})
    await wire.answer("init")
    wire.tell("initialized", {})


async def test_a_server_ends_in_order_when_its_client_is_gone_though_the_pipe_is_open(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    with client_that_shares_its_pipes() as (client, read, write):
        wire = await streams(read, write)
        await initialize(wire, root, client.pid)
        wire.ask(1, "specloom/project/get", {})
        assert "result" in await wire.answer(1)
        client.send_signal(signal.SIGKILL)
        while await wire.next() is not None:
            pass
    asked = await asyncio.create_subprocess_exec(
        SPECLOOM, "status", "--json", "--workspace", str(root), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await asyncio.wait_for(asked.communicate(), DEADLINE)
    assert json.loads(told)["writer"] is None, "the root was given up"


@pytest.mark.parametrize("named", [None, "another", "nobody"])
async def test_a_process_that_is_not_surely_the_client_is_not_followed(named: str | None, tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    other = await asyncio.create_subprocess_exec("sleep", "300")
    pid = {None: None, "another": other.pid, "nobody": 2**22 + 1}[named]
    try:
        async with process() as (wire, server):
            await initialize(wire, root, pid)
            wire.ask(1, "specloom/project/get", {})
            await wire.answer(1)
            other.kill()
            await other.wait()
            wire.ask(2, "specloom/project/get", {})
            assert "result" in await wire.answer(2)
            await wire.leave()
            assert await status_of(server) == 0
    finally:
        if other.returncode is None:
            other.kill()
            await other.wait()


async def test_the_first_process_of_a_machine_tells_nothing() -> None:
    assert not await outlived(1)
    assert not await outlived(0)
    assert not await outlived(-5)
