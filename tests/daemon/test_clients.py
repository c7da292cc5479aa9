"""Ten clients of one daemon: what one does, nine do not notice. And the client that the command line is made of."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from specloom.daemon.client import DaemonClient, RefusedError, connected, order
from specloom.daemon.errors import NoDaemonError
from specloom.daemon.hello import LONGEST, read_answer
from tests.daemon.stage import DEADLINE, Stage, eventually
from tests.integration.projects import greeter

CLIENTS = 10
INSTEAD_OF_HELLO = {
    "no hello": b"Content-Length: 2\r\n\r\n{}",
    "silence": b"",
    "endless hello": b"x" * (2 * LONGEST),
}
AFTER_HELLO = {
    "vanishes": b"Content-Length: 100\r\n\r\n{",
    "garbage": b"Content-Length: 1\r\n\r\n{Content-Length: none\r\n\r\n",
    "huge frame": b"Content-Length: 99999999999\r\n\r\n",
}


@asynccontextmanager
async def clients(stage: Stage, root: Path) -> AsyncGenerator[list[DaemonClient]]:
    """All of them with the same root open."""
    async with AsyncExitStack() as stack:
        found = [await stack.enter_async_context(connected(stage.environment)) for _ in range(CLIENTS)]
        await asyncio.gather(*(client.initialize(root) for client in found))
        await asyncio.gather(*(client.request("specloom/project/get", {}) for client in found))
        yield found


async def misbehave(stage: Stage, manner: str) -> None:
    """One more client, which does it wrong."""
    reader, writer = await asyncio.open_unix_connection(str(stage.place.socket))
    if manner in INSTEAD_OF_HELLO:
        writer.write(INSTEAD_OF_HELLO[manner])
    else:
        writer.write(b'{"specloom":1,"version":"9","cwd":"/","env":{}}\n')
        assert read_answer(await reader.readline()).ok
        writer.write(AFTER_HELLO[manner])
    if manner != "vanishes":
        async with asyncio.timeout(DEADLINE):
            await reader.read()
    writer.close()


@pytest.mark.parametrize("manner", ["exit", *INSTEAD_OF_HELLO, *AFTER_HELLO])
async def test_nine_notice_nothing_of_what_one_does(manner: str, stage: Stage) -> None:
    root = greeter(stage.logs.parent / "root")
    async with clients(stage, root) as (bad, *others):
        if manner == "exit":
            await bad.notify("exit")
            async with asyncio.timeout(DEADLINE):
                await bad.ended.wait()
        else:
            await misbehave(stage, manner)
        answers = await asyncio.gather(*(client.request("specloom/project/get", {}) for client in others))
        assert [answer["readOnly"] for answer in answers] == [False] * len(others)
        assert not any(client.ended.is_set() for client in others)


async def test_a_client_asks_hears_and_is_refused(stage: Stage) -> None:
    root = greeter(stage.logs.parent / "root")
    heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    async with connected(stage.environment) as client:
        client.on_notification = lambda method, params: heard.put_nowait((method, params))
        assert (await client.initialize(root))["serverInfo"]["name"] == "specloom"
        await client.request("specloom/events/subscribe", {"since": 0})
        async with asyncio.timeout(DEADLINE):
            while (await heard.get())[0] != "specloom/event":
                continue
        with pytest.raises(RefusedError) as caught:
            await client.request("specloom/run/pause", {})
        assert caught.value.data["reason"]
        with pytest.raises(RefusedError) as caught:
            await client.request("specloom/task/skip", {"task": 7})
        assert caught.value.data["fields"]
        await client.leave()
        await eventually(lambda: not stage.status()["clients"], "it has gone")


async def test_a_client_is_told_when_the_daemon_dies(stage: Stage) -> None:
    async with connected(stage.environment) as client:
        await client.initialize(greeter(stage.logs.parent / "root"))
        waiting = asyncio.create_task(client.request("specloom/project/get", {}))
        await asyncio.sleep(0)
        os.kill(client.answer.members["pid"], signal.SIGKILL)
        async with asyncio.timeout(DEADLINE):
            await client.ended.wait()
            await asyncio.gather(waiting, return_exceptions=True)
        with pytest.raises(NoDaemonError, match="ended the connection"):
            await client.request("specloom/project/get", {})


async def test_a_daemon_that_stands_still_is_told_as_such(stage: Stage) -> None:
    async with connected(stage.environment) as client:
        await client.initialize(greeter(stage.logs.parent / "root"))
        os.kill(client.answer.members["pid"], signal.SIGSTOP)
        try:
            with pytest.raises(TimeoutError, match=r"not answered within 0\.2 s"):
                await client.request("specloom/project/get", {}, 0.2)
        finally:
            os.kill(client.answer.members["pid"], signal.SIGCONT)


async def test_a_client_may_ask_for_a_daemon_that_is_up_only(stage: Stage) -> None:
    with pytest.raises(NoDaemonError, match="no daemon is running"):
        async with connected(stage.environment, start=False):
            pass
    assert await order(stage.environment, "status") is None
    async with connected(stage.environment), connected(stage.environment, start=False):
        told = await order(stage.environment, "status")
        assert told is not None
        assert len(told.members["clients"]) == 2
        # Nothing of an environment is told.
        assert "PATH" not in json.dumps(dict(told.members))
