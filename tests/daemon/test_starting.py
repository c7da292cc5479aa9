"""Finding and starting the daemon: once, whoever asks, and never behind what another one left."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from specloom.daemon.hello import Hello, hello_line
from specloom.daemon.place import HeldLock, is_held
from tests.daemon.stage import PYTHON, Stage, begin, bridge, eventually, said
from tests.integration.projects import greeter
from tests.lsp.wire import status_of

BRIDGES = 20
QUEUE = 200
LOADED = """
import json, os, sys
from specloom.__main__ import main
import specloom.daemon.bridge as bridge
real = os._exit
def told(status):
    sys.stderr.write(json.dumps(sorted(sys.modules)) + chr(10))
    sys.stderr.flush()
    real(status)
os._exit = told
main(["lsp"])
"""


def records(stage: Stage) -> list[dict[str, Any]]:
    """What all processes of the stage logged; a line that is just being written is none yet."""
    texts = (path.read_text() for path in stage.logs.glob("*.jsonl"))
    return [json.loads(line) for text in texts for line in text.splitlines(keepends=True) if line.endswith("\n")]


async def test_twenty_bridges_at_once_start_one_daemon(stage: Stage) -> None:
    async def opened() -> int:
        async with bridge(stage) as (wire, process):
            wire.ask("init", "initialize", {"capabilities": {}})
            await wire.answer("init")
            pid = await asyncio.to_thread(stage.pid)
            await wire.leave()
            assert await status_of(process) == 0
        return pid

    pids = await asyncio.gather(*(opened() for _ in range(BRIDGES)))
    assert len(set(pids)) == 1


async def test_what_a_killed_daemon_left_is_in_nobodys_way(stage: Stage) -> None:
    async with bridge(stage) as (wire, process):
        await begin(wire, stage.logs)
        first = await asyncio.to_thread(stage.pid)
        os.kill(first, signal.SIGKILL)
        # The bridge notices, and says what to do.
        assert await status_of(process) == 1
        assert process.stderr is not None
        assert b"start the server again" in await process.stderr.read()
    [record] = [line for line in records(stage) if line["process_kind"] == "bridge"]
    assert (record["level"], "the daemon is gone" in record["message"]) == ("WARNING", True)
    assert stage.place.socket.exists()
    async with bridge(stage) as (wire, process):
        await begin(wire, stage.logs)
        assert await asyncio.to_thread(stage.pid) != first


async def test_a_socket_of_nobody_is_replaced(stage: Stage) -> None:
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(stage.place.socket))
    left.close()
    async with bridge(stage) as (wire, _):
        await begin(wire, stage.logs)
        assert is_held(stage.place.lock)


async def test_a_note_that_cannot_be_written_keeps_nobody_from_being_served(stage: Stage) -> None:
    # As on a full disk: sockets and locks take no room, but a note does.
    stage.place.note.mkdir()
    async with bridge(stage) as (wire, process):
        await begin(wire, stage.logs)
        pid = await asyncio.to_thread(stage.pid)
        await wire.leave()
        assert await status_of(process) == 0
    # The stage would look for the pid in the note.
    os.kill(pid, signal.SIGTERM)


async def test_clients_that_come_while_a_daemon_is_busy_wait_in_its_queue(stage: Stage) -> None:
    async with bridge(stage) as (wire, process), AsyncExitStack() as stack:
        await begin(wire, stage.logs)
        pid = await asyncio.to_thread(stage.pid)
        os.kill(pid, signal.SIGSTOP)
        try:
            for _ in range(QUEUE):
                client = stack.enter_context(socket.socket(socket.AF_UNIX))
                client.setblocking(False)
                client.connect(str(stage.place.socket))
        finally:
            os.kill(pid, signal.SIGCONT)
        await wire.leave()
        assert await status_of(process) == 0


@pytest.mark.parametrize("also_socket", [False, True])
async def test_a_daemon_whose_lock_is_removed_takes_it_anew(stage: Stage, also_socket: bool) -> None:
    async with bridge(stage) as (wire, _):
        await begin(wire, stage.logs)
        pid = await asyncio.to_thread(stage.pid)
        stage.place.lock.unlink()
        if also_socket:
            stage.place.socket.unlink()
        await eventually(lambda: is_held(stage.place.lock) and stage.place.socket.exists(), "it is held again")
        status = await asyncio.to_thread(stage.status)
        assert (status["pid"], status["retired"]) == (pid, False)


async def test_a_daemon_whose_folder_is_removed_is_met_in_a_new_one(stage: Stage) -> None:
    async with bridge(stage) as (wire, _):
        await begin(wire, stage.logs)
        pid = await asyncio.to_thread(stage.pid)
        # Away at once: the daemon may take its lock anew in a folder that is still being emptied.
        removed = stage.place.folder.rename(stage.place.folder.with_name("gone"))
        await asyncio.to_thread(shutil.rmtree, removed)
        await eventually(lambda: stage.place.read_note().get("pid") == pid, "it stands there again")
        status = await asyncio.to_thread(stage.status)
        assert (status["pid"], status["retired"]) == (pid, False)
        assert stat.S_IMODE(stage.place.folder.stat().st_mode) == 0o700


async def test_a_daemon_takes_nothing_in_a_folder_that_others_can_enter(stage: Stage) -> None:
    async with bridge(stage) as (wire, _):
        await begin(wire, stage.logs)
        stage.place.folder.rename(stage.place.folder.with_name("gone"))
        stage.place.folder.mkdir()
        stage.place.folder.chmod(0o777)
        await eventually(lambda: any("is another's" in str(record) for record in records(stage)), "it gives up")
        assert list(stage.place.folder.iterdir()) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
async def test_another_user_is_refused(stage: Stage) -> None:
    async with bridge(stage) as (wire, _):
        await begin(wire, stage.logs)
        # The folder alone keeps others out; what is behind it must, too.
        for folder in (stage.place.folder.parent, stage.place.folder):
            folder.chmod(0o711)
        stage.place.socket.chmod(0o666)
        said = await asyncio.to_thread(_said_to, OTHER_USER, str(stage.place.socket))
        stage.place.folder.chmod(0o700)
    assert (said["ok"], said["reason"]) == (False, "this is the daemon of user 0")


OTHER_USER = 65_534


def _said_to(user: int, path: str) -> dict[str, Any]:
    """The daemon's answer to a hello of that user, from a forked child that has become him."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setuid(user)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                # Who is refused by what he is may be answered before he has said a word.
                with contextlib.suppress(ConnectionError):
                    client.sendall(hello_line(Hello("/", {}, "status")))
                os.write(writing, client.recv(4096))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        told = answer.read()
    os.waitpid(child, 0)
    return json.loads(told)


async def test_a_daemon_whose_socket_is_removed_listens_anew(stage: Stage) -> None:
    async with bridge(stage) as (wire, _):
        await begin(wire, stage.logs)
        pid = await asyncio.to_thread(stage.pid)
        # As cleaners of temporary folders do.
        stage.place.socket.unlink()
        async with bridge(stage) as (other, _):
            await begin(other, stage.logs)
            status = await asyncio.to_thread(stage.status)
        assert (status["pid"], len(status["clients"])) == (pid, 2)


async def test_a_second_daemon_refuses_to_serve(stage: Stage) -> None:
    held = await asyncio.to_thread(HeldLock.take, stage.place.lock)
    assert held is not None
    process = await asyncio.create_subprocess_exec(
        PYTHON, "-m", "specloom", "daemon", env=stage.environment, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    held.release()
    assert process.returncode == 2
    assert b"a daemon is running already" in errors


@pytest.mark.parametrize("trouble", ["folder", "start", "read-only"])
async def test_without_a_daemon_the_bridge_serves_by_itself_and_says_why(trouble: str, stage: Stage) -> None:
    root = greeter(stage.logs.parent / "root")
    environment: dict[str, str] = {}
    if trouble == "folder":
        environment["SPECLOOM_RUNTIME_DIR"] = str(stage.logs.parent / "missing" / "folder")
    elif trouble == "start":
        environment["SPECLOOM_DAEMON_IDLE_S"] = "soon"
    else:
        stage.place.start.mkdir()
    async with bridge(stage, environment=environment) as (wire, process):
        # All of it at once, before anything is answered.
        wire.ask("init", "initialize", {"rootUri": root.as_uri(), "capabilities": {}})
        wire.tell("initialized", {})
        wire.ask("project", "specloom/project/get", {})
        shown = await said(wire, "window/showMessage", "no daemon")
        assert "runs end with this editor" in shown["message"]
        assert (await wire.answer("project"))["result"]["name"] == "root"
        await wire.leave()
        assert await status_of(process) == 0
        assert process.stderr is not None
        assert b"no daemon: " in await process.stderr.read()
    assert not is_held(stage.place.lock)


def test_the_bridge_loads_neither_pygls_nor_pydantic_nor_asyncio(stage: Stage) -> None:
    body = b'{"jsonrpc": "2.0", "method": "exit"}'
    done = subprocess.run(
        [PYTHON, "-c", LOADED],
        env=stage.environment,
        input=b"Content-Length: %d\r\n\r\n" % len(body) + body,
        capture_output=True,
        timeout=40,
        check=False,
    )
    # The second one finds a daemon: what it loads is what an editor waits for.
    again = subprocess.run(done.args, env=stage.environment, input=b"", capture_output=True, timeout=40, check=False)
    for run in (done, again):
        assert run.returncode == 1, run.stderr
        loaded = {name.partition(".")[0] for name in json.loads(run.stderr.splitlines()[-1])}
        assert not loaded & {"pygls", "lsprotocol", "pydantic", "asyncio", "anthropic", "cattrs", "attrs", "rich"}
    assert "subprocess" not in json.loads(again.stderr.splitlines()[-1])


def of_version(stage: Stage, version: str, folder: Path) -> dict[str, str]:
    """An environment in which the same installation says that it is another version."""
    (folder / "sitecustomize.py").write_text(f"import specloom\nspecloom.__version__ = {version!r}\n")
    return stage.environment | {"PYTHONPATH": str(folder)}


@asynccontextmanager
async def older_daemon(stage: Stage) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A daemon of an older version, listening."""
    folder = stage.logs.parent / "older"
    folder.mkdir()
    process = await asyncio.create_subprocess_exec(
        PYTHON,
        "-m",
        "specloom",
        "daemon",
        "--json",
        env=of_version(stage, "0.0.9", folder),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert b"listening" in await process.stdout.readline()
        assert len(await asyncio.to_thread(stage.place.others)) == 1
        yield process
        assert await process.wait() == 0
        assert not await asyncio.to_thread(stage.place.others)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_an_idle_daemon_of_another_version_is_replaced(stage: Stage) -> None:
    async with older_daemon(stage) as older, bridge(stage) as (wire, _):
        await begin(wire, stage.logs)
        assert await asyncio.to_thread(stage.pid) != older.pid


async def test_a_busy_daemon_of_another_version_is_used_until_it_is_idle_and_the_user_told(stage: Stage) -> None:
    async with older_daemon(stage) as older:
        folder = {"PYTHONPATH": str(stage.logs.parent / "older")}
        async with bridge(stage, environment=folder) as (attached, first):
            await begin(attached, stage.logs)
            async with bridge(stage) as (wire, second):
                answer = await begin(wire, stage.logs)
                assert answer["serverInfo"]["version"] == "0.0.9"
                shown = await said(wire, "window/showMessage", "is busy")
                assert "0.0.9" in shown["message"]
                await wire.leave()
                assert await status_of(second) == 0
            # It goes on for who was there, and ends with the last one.
            assert older.returncode is None
            await attached.leave()
            assert await status_of(first) == 0
