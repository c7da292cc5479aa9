"""A run outlives its editors; it is paused and settled by an orderly end, and recovered after any other."""

import asyncio
import os
import resource
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from specloom.daemon.hello import Answer, Hello, hello_line, read_answer
from specloom.daemon.place import is_held
from specloom.llm.scripted.server import ScriptedServer
from tests.daemon.stage import (
    DEADLINE,
    PYTHON,
    Stage,
    begin,
    bridge,
    eventually,
    follow,
    result,
    run_state,
    said,
    settings_for,
)
from tests.integration.projects import ENDS, WRITES, greeter, session
from tests.lsp.wire import Wire, status_of

HELD = "held"
FILES = 256
"""That a process may have open where nobody said more (macOS)."""


def script() -> dict[str, Any]:
    """Both tasks; the first answer waits until the test lets it go."""
    first = [WRITES[0] | {"hold": HELD}, *WRITES[1:]]
    return {
        "sessions": [
            session("1.1", "# Task 01/1.1 (attempt 1)", turns=first),
            session("1.2", "# Task 01/1.2 (attempt 1)", turns=ENDS),
        ]
    }


@asynccontextmanager
async def scripted() -> AsyncGenerator[ScriptedServer]:
    """The model."""
    async with ScriptedServer(script()) as server:
        yield server


async def started(wire: Wire, root: Path, server: ScriptedServer) -> None:
    """A client that has started a run, whose first answer the model holds back."""
    await begin(wire, root, settings_for(server.base_url))
    await follow(wire)
    await ordered(wire, "specloom/run/start", {"scope": {"kind": "project"}})
    await server.until(lambda found: found.total >= 1, DEADLINE)


async def ordered(wire: Wire, method: str, params: Any) -> None:
    """An order to work, with the yes to the verify commands that it asks for."""
    await result(wire, method, params)
    asked = await said(wire, "specloom/event", "approvalAsked")
    await result(wire, "specloom/approval/answer", {"approvalId": asked["approvalId"], "choice": asked["choices"][0]})


async def ended(wire: Wire) -> dict[str, Any]:
    """The end of the run."""
    return await said(wire, "specloom/event", "runFinished")


@pytest.mark.parametrize("manner", ["closes", "vanishes in mid-frame", "is killed"])
async def test_a_run_goes_on_when_its_editor_goes_and_another_one_sees_all_of_it(manner: str, stage: Stage) -> None:
    root = greeter(stage.logs.parent / "root")
    async with scripted() as server:
        async with bridge(stage) as (wire, process):
            await started(wire, root, server)
            if manner == "closes":
                await wire.leave()
            elif manner == "is killed":
                process.kill()
            else:
                wire.raw(b"Content-Length: 100\r\n\r\n{")
                wire.writer.close()
            await status_of(process)
        await eventually(lambda: not stage.status()["clients"], "the client is gone")
        told = await asyncio.to_thread(stage.status)
        assert [item["run"]["state"] for item in told["roots"]] == ["running"]
        # The next editor brings no settings and no key: what the first one brought goes on.
        async with bridge(stage) as (wire, _):
            await begin(wire, root)
            await follow(wire, 0)
            server.release(HELD)
            assert (await ended(wire))["outcome"] == "completed"
            project = await result(wire, "specloom/project/get", {})
            assert {task["state"] for task in project["tasks"] if task["isLeaf"]} == {"done"}
        server.check()
    assert "Hello" in (root / "greet.py").read_text()


async def test_two_editors_see_one_truth_and_either_may_order(stage: Stage) -> None:
    root = greeter(stage.logs.parent / "root")
    async with scripted() as server, bridge(stage) as (one, _), bridge(stage) as (two, _):
        await started(one, root, server)
        await begin(two, root)
        await follow(two, 0)
        two.ask("second", "specloom/run/start", {"scope": {"kind": "project"}})
        refused = await two.answer("second")
        assert refused["error"]["data"]["reason"] == "run-active"
        await result(two, "specloom/run/pause", {})
        server.release(HELD)
        for wire in (one, two):
            await said(wire, "specloom/event", "runPaused")
        await result(two, "specloom/run/resume", {})
        assert (await ended(one))["seq"] == (await ended(two))["seq"]


async def must_go_on(stage: Stage, root: Path, server: ScriptedServer) -> None:
    """The next daemon finds the run paused, and ends it when told to."""
    async with bridge(stage) as (wire, _):
        await begin(wire, root, settings_for(server.base_url))
        assert await run_state(wire) == "paused"
        await follow(wire)
        await ordered(wire, "specloom/run/resume", {})
        assert (await ended(wire))["outcome"] == "completed"


async def test_an_orderly_end_pauses_the_run_and_the_next_daemon_goes_on(stage: Stage) -> None:
    root = greeter(stage.logs.parent / "root")
    async with scripted() as server:
        async with bridge(stage) as (wire, process):
            await started(wire, root, server)
            pid = await asyncio.to_thread(stage.pid)
            refused = await asyncio.to_thread(stage.ask, "stop")
            assert not refused.ok
            assert "run-" in refused.refusal
            assert "--force" in refused.refusal
            os.kill(pid, signal.SIGTERM)
            # The turn in flight may end.
            await said(wire, "specloom/event", "runPausing")
            server.release(HELD)
            await said(wire, "specloom/event", "runPaused")
            assert await status_of(process) == 1
        await eventually(lambda: not is_held(stage.place.lock), "the daemon is gone")
        assert not stage.place.socket.exists()
        await must_go_on(stage, root, server)


async def test_a_killed_daemon_is_replaced_and_the_run_goes_on_where_the_log_ends(stage: Stage) -> None:
    root = greeter(stage.logs.parent / "root")
    async with scripted() as server:
        async with bridge(stage) as (wire, process):
            await started(wire, root, server)
            os.kill(await asyncio.to_thread(stage.pid), signal.SIGKILL)
            assert await status_of(process) == 1
        server.release(HELD)
        await must_go_on(stage, root, server)


async def test_a_run_goes_on_whoever_comes_and_those_without_room_are_told(stage: Stage) -> None:
    hello = hello_line(Hello("/", {}))
    async with scripted() as server, bridge(stage) as (wire, _), AsyncExitStack() as stack:
        await started(wire, greeter(stage.logs.parent / "root"), server)
        pid = await asyncio.to_thread(stage.pid)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (FILES, FILES))
        told = await asyncio.gather(*(greeted(stage, stack, hello) for _ in range(2 * FILES)))
        refused = [answer for answer in told if not answer.ok]
        assert len(refused) > FILES
        assert all("no more files may be open" in answer.refusal for answer in refused)
        server.release(HELD)
        assert (await ended(wire))["outcome"] == "completed"
        await stack.aclose()
        await eventually(lambda: len(stage.status()["clients"]) == 1, "they have left")
        assert (await greeted(stage, stack, hello)).ok


async def greeted(stage: Stage, stack: AsyncExitStack, hello: bytes) -> Answer:
    """What a client is answered that stays and says nothing more."""
    reader, writer = await asyncio.open_unix_connection(str(stage.place.socket))
    stack.callback(writer.close)
    writer.write(hello)
    async with asyncio.timeout(DEADLINE):
        return read_answer(await reader.readline())


async def test_stop_by_force_pauses_what_runs(stage: Stage) -> None:
    root = greeter(stage.logs.parent / "root")
    async with scripted() as server, bridge(stage) as (wire, process):
        await started(wire, root, server)
        stop = await asyncio.create_subprocess_exec(
            PYTHON, "-m", "specloom", "daemon", "stop", "--force", "--json",
            env=stage.environment, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await said(wire, "specloom/event", "runPausing")
        server.release(HELD)
        told, _ = await stop.communicate()
        assert stop.returncode == 0
        assert b'"state":"ended"' in told
        assert not is_held(stage.place.lock)
        await said(wire, "specloom/event", "runPaused")
        assert await status_of(process) == 1


async def test_a_daemon_that_nobody_needs_ends_by_itself(impatient: Stage) -> None:
    async with bridge(impatient) as (wire, process):
        await begin(wire, greeter(impatient.logs.parent / "root"))
        await result(wire, "specloom/project/get", {})
        assert is_held(impatient.place.lock)
        await wire.leave()
        assert await status_of(process) == 0
    await eventually(lambda: not is_held(impatient.place.lock), "the idle daemon is gone")


async def test_a_root_of_another_process_is_read_and_hosted_once_that_has_ended(stage: Stage) -> None:
    root = greeter(stage.logs.parent / "root")
    async with bridge(stage, "--standalone") as (holder, first), bridge(stage) as (wire, second):
        await begin(holder, root)
        await result(holder, "specloom/project/get", {})
        await begin(wire, root)
        await said(wire, "window/showMessage", "is in use by")
        assert (await result(wire, "specloom/project/get", {}))["readOnly"] is True
        await holder.leave()
        assert await status_of(first) == 0

        async with asyncio.timeout(DEADLINE):
            while (await result(wire, "specloom/project/get", {}))["readOnly"]:  # noqa: ASYNC110 - unannounced
                await asyncio.sleep(0.05)
        await wire.leave()
        assert await status_of(second) == 0
