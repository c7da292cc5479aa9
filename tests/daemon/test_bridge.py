"""The bridge: bytes both ways, the status that the client is owed, and no life of its own."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from specloom.daemon.bridge import passed_on
from tests.daemon.stage import DEADLINE, Stage, begin, bridge, eventually
from tests.integration.projects import greeter
from tests.lsp.editor import SPECLOOM
from tests.lsp.wire import status_of

CLIENT = """
import os, subprocess, sys
server = subprocess.Popen([sys.argv[1], "lsp"], stdin=int(sys.argv[2]), stdout=int(sys.argv[3]))
print(os.getpid(), flush=True)
server.wait()
"""


async def test_what_an_editor_sends_at_once_is_all_answered(stage: Stage) -> None:
    root = greeter(stage.logs.parent / "root")
    uri = (root / "requirements.md").as_uri()
    # More than any pipe holds, while the daemon has yet to be started.
    text = (root / "requirements.md").read_text() + "x" * 1_000_000
    async with bridge(stage) as (wire, process):
        wire.ask("init", "initialize", {"rootUri": root.as_uri(), "capabilities": {}})
        wire.tell("initialized", {})
        item = {"uri": uri, "languageId": "markdown", "version": 1, "text": text}
        wire.tell("textDocument/didOpen", {"textDocument": item})
        wire.ask("project", "specloom/project/get", {})
        assert (await wire.answer("init"))["result"]["serverInfo"]["name"] == "specloom"
        assert (await wire.answer("project"))["result"]["name"] == "root"
        await wire.leave()
        assert await status_of(process) == 0


@pytest.mark.parametrize(("manner", "status"), [("exit", 1), ("shutdown, exit", 0), ("closes", 1), ("garbage", 1)])
async def test_the_exit_status_is_the_standalone_servers(manner: str, status: int, stage: Stage) -> None:
    async with bridge(stage) as (wire, process):
        await begin(wire, stage.logs)
        if manner == "exit":
            wire.tell("exit")
        elif manner == "closes":
            wire.writer.close()
        elif manner == "garbage":
            wire.raw(b"Content-Length: much\r\n\r\n")
        else:
            await wire.leave()
        assert await status_of(process) == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
async def test_a_signal_to_the_bridge_ends_the_bridge_alone(number: signal.Signals, stage: Stage) -> None:
    if signal.getsignal(number) is signal.SIG_IGN:
        # Below nohup all children are deaf to it.
        signal.signal(number, signal.SIG_DFL)
    async with bridge(stage) as (other, _), bridge(stage) as (wire, process):
        await begin(other, stage.logs)
        await begin(wire, stage.logs)
        assert len((await asyncio.to_thread(stage.status))["clients"]) == 2
        process.send_signal(number)
        await status_of(process)
        await eventually(lambda: len(stage.status()["clients"]) == 1, "the daemon has let it go")
        other.ask("again", "workspace/executeCommand", {"command": "none"})
        assert "error" in await other.answer("again")


async def test_the_daemon_has_nothing_of_the_bridge_that_started_it(stage: Stage) -> None:
    keys = {
        "ANTHROPIC_API_KEY": "sk-planted", "VIRTUAL_ENV": "/venv", "SPECLOOM_STATE_DIR": "/nowhere",
        "DATABASE_URL": "postgres://one-project", "OPENAI_API_KEY": "sk-of-another-tool",
    }  # fmt: skip
    async with bridge(stage, environment=keys) as (wire, process):
        await begin(wire, stage.logs)
        pid = await asyncio.to_thread(stage.pid)
        assert os.getsid(pid) == pid
        assert os.getsid(process.pid) != pid
        own = Path("/proc", str(pid))
        assert await asyncio.to_thread((own / "cwd").readlink) == Path("/")
        environment = await asyncio.to_thread((own / "environ").read_bytes)
        assert not [name for name in keys if name.encode() in environment]
        assert b"SPECLOOM_RUNTIME_DIR=" in environment


async def test_an_editor_that_dies_is_noticed_though_its_pipes_stay_open(stage: Stage) -> None:
    to_bridge, our_write = os.pipe()
    our_read, from_bridge = os.pipe()
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLIENT, str(SPECLOOM), str(to_bridge), str(from_bridge),
        pass_fds=[to_bridge, from_bridge], stdout=asyncio.subprocess.PIPE, env=stage.environment,
    )  # fmt: skip
    try:
        assert client.stdout is not None
        pid = int(await client.stdout.readline())
        body = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":%d,"capabilities":{}}}' % pid
        os.write(our_write, b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await asyncio.to_thread(os.read, our_read, 65536)
        # What is answered behind it says that the number of the editor was taken in.
        body = b'{"jsonrpc":"2.0","id":2,"method":"workspace/executeCommand","params":{"command":"none"}}'
        os.write(our_write, b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await asyncio.to_thread(os.read, our_read, 65536)
        client.kill()
        await eventually(lambda: not stage.status()["clients"], "the daemon has let the client go")
    finally:
        if client.returncode is None:
            client.kill()
        await client.wait()
        for end in (to_bridge, our_write, our_read, from_bridge):
            os.close(end)


@pytest.mark.parametrize("kind", ["pipe", "socket"])
async def test_a_daemon_that_stands_still_is_not_waited_for_once_the_editor_is_gone(kind: str) -> None:
    data = b"x" * 8_000_000
    ours, daemon = socket.socketpair()
    from_editor, editor = os.pipe() if kind == "pipe" else [each.detach() for each in socket.socketpair()]
    with ours, daemon:
        # What it said last stands there unread: to look for its end is not to read.
        os.write(editor, b"Content-Length")
        passing = asyncio.create_task(asyncio.to_thread(passed_on, ours, data, from_editor, 0.2))
        assert await asyncio.to_thread(daemon.recv, 4096), "the daemon reads, and then stands still"
        done, _ = await asyncio.wait([passing], timeout=0.5)
        assert not done, "as long as there is an editor it is waited for"
        os.close(editor)
        assert not await asyncio.wait_for(passing, DEADLINE)
    os.close(from_editor)


async def test_a_daemon_that_goes_on_has_all_that_was_said_though_the_editor_is_gone() -> None:
    data, got = os.urandom(4_000_000), bytearray()
    ours, daemon = socket.socketpair()
    from_editor, editor = os.pipe()
    os.close(editor)
    with ours, daemon:
        passing = asyncio.create_task(asyncio.to_thread(passed_on, ours, data, from_editor, DEADLINE))
        while len(got) < len(data):
            got += await asyncio.to_thread(daemon.recv, 1_000_000)
        assert await asyncio.wait_for(passing, DEADLINE)
    assert bytes(got) == data
    os.close(from_editor)


@pytest.mark.parametrize("closed", ["<&-", "<&- >&-", "<&- >&- 2>&-"])
async def test_closed_streams_are_no_editor(closed: str, stage: Stage) -> None:
    # Else the connection to the daemon gets a free number, stands for the streams, and waits for itself for ever.
    process = await asyncio.create_subprocess_exec("sh", "-c", f"exec '{SPECLOOM}' lsp {closed}", env=stage.environment)
    try:
        assert await status_of(process) == 1
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_pipes_that_an_editor_left_non_blocking_are_waited_for(stage: Stage) -> None:
    to_bridge, our_write = os.pipe()
    our_read, from_bridge = os.pipe()
    for end in (to_bridge, from_bridge):
        os.set_blocking(end, False)
    process = await asyncio.create_subprocess_exec(
        SPECLOOM, "lsp", stdin=to_bridge, stdout=from_bridge, env=stage.environment
    )
    try:
        await eventually(stage.place.socket.exists, "the daemon listens")
        await eventually(lambda: stage.status()["clients"], "the bridge is attached and has nothing to read")
        body = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}'
        os.write(our_write, b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert await asyncio.wait_for(asyncio.to_thread(os.read, our_read, 4096), DEADLINE)
    finally:
        process.kill()
        await process.wait()
        for end in (to_bridge, our_write, our_read, from_bridge):
            os.close(end)


async def test_a_server_to_which_nothing_happens_writes_nothing_to_standard_error(stage: Stage) -> None:
    # Editors log what stands there as errors.
    async with bridge(stage, "--standalone") as (wire, process):
        await begin(wire, stage.logs)
        await wire.leave()
        assert await status_of(process) == 0
        assert process.stderr is not None
        assert await process.stderr.read() == b""
