"""What a client hears goes on where it left off, also when the daemon was killed meanwhile."""

import asyncio
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from specloom.daemon.client import DaemonClient, RefusedError, connected
from specloom.daemon.place import is_held
from tests.daemon.stage import DEADLINE, Stage, eventually
from tests.integration.projects import greeter

ONE = "01/1.1"


async def heard(client: DaemonClient, root: Path, since: int, until: int | None = None) -> list[int]:
    """The events that a subscription delivers up to `until`, by default where live ones start."""
    found: list[int] = []
    news = asyncio.Event()

    def hear(method: str, params: Any) -> None:
        if method == "specloom/event":
            found.append(params["seq"])
            news.set()

    client.on_notification = hear
    await client.initialize(root)
    answer = await client.request("specloom/events/subscribe", {"since": since})
    last = answer["seq"] if until is None else until
    async with asyncio.timeout(DEADLINE):
        while last > since and (not found or found[-1] < last):
            news.clear()
            await news.wait()
    return list(found)


async def test_a_client_that_comes_back_to_a_new_daemon_gets_exactly_the_rest(stage: Stage) -> None:
    root = greeter(stage.logs.parent / "root")
    async with connected(stage.environment) as client:
        before = await heard(client, root, 0)
        for number in range(3):
            await client.request("specloom/task/skip", {"taskId": ONE, "commandId": f"skip-{number}"})
            await client.request("specloom/task/reset", {"taskId": ONE, "commandId": f"reset-{number}"})
        os.kill(await asyncio.to_thread(stage.pid), signal.SIGKILL)
        await eventually(lambda: not is_held(stage.place.lock), "the daemon is dead")
    assert before == list(range(1, before[-1] + 1))
    async with connected(stage.environment) as client:
        rest = await heard(client, root, before[-1])
        again = await client.request("specloom/task/skip", {"taskId": ONE, "commandId": "skip-0"})
    assert rest == list(range(before[-1] + 1, rest[-1] + 1))
    assert len(rest) >= 6
    assert again["repeated"]


async def test_a_client_of_a_log_that_is_lost_is_told(stage: Stage) -> None:
    root = greeter(stage.logs.parent / "root")
    async with connected(stage.environment) as client:
        await client.initialize(root)
        old = await client.request("specloom/events/subscribe", {})
        await client.leave()
    await asyncio.to_thread(lambda: stage.ask("stop", force=True))
    await eventually(lambda: not is_held(stage.place.lock), "the daemon has ended")
    await asyncio.to_thread(shutil.rmtree, root / ".specloom")
    async with connected(stage.environment) as client:
        await client.initialize(root)
        with pytest.raises(RefusedError) as caught:
            await client.request("specloom/events/subscribe", {"since": old["seq"] + 100})
        assert caught.value.data["reason"] == "seq-ahead"
        new = await client.request("specloom/events/subscribe", {"since": 0})
    assert new["projectId"] != old["projectId"]


async def test_a_subscriber_hears_that_the_daemon_is_alive_and_how_the_project_does(stage: Stage) -> None:
    root = greeter(stage.logs.parent / "root")
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    async with connected(stage.environment) as client:
        client.on_notification = lambda method, params: told.put_nowait(params) if method == "specloom/health" else None
        await client.initialize(root)
        await client.request("specloom/events/subscribe", {"health": True, "heartbeatS": 1})
        async with asyncio.timeout(DEADLINE):
            first, second = await told.get(), await told.get()
        answer = await client.request("specloom/health/get", {})
        await client.request("specloom/events/unsubscribe", {})
    assert first["queues"] == second["queues"] == {"orders": 0, "work": 0, "readings": 0}
    assert (answer["status"], answer["runState"], answer["pendingApprovals"]) == (first["status"], None, 0)
    assert bool(answer["message"]) == (answer["status"] != "ok")
    assert answer["quiescent"]
