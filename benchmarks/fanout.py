"""Measures how events reach many clients, and how orders fare meanwhile. Refuses to judge: it prints one line of JSON.

`python benchmarks/fanout.py [--events N] [--seconds S] [--clients 1,10,50]`. For each number of clients, in a process
of its own: the server hosts a root; clients in another process read events and output off their sockets; one more gives
orders that are committed (skip and reset a task in turns) and asks how the project does, one at a time. `flood`: the
server commits events in groups as fast as it can. `stream`: for some seconds it publishes 1,000 deltas a second and
commits 20 turns a second, each of 4 events, as ten agents at work would; the orders come every 20 ms. Then both with
one client beside them that reads nothing at all. The readers count frames and take nothing apart, so that the server is
what is measured; `alone` is the same without any reader.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import astuple, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from specloom import compose
from specloom.daemon.roots import Roots, SharedHost
from specloom.domain.events.documents import SettingsChanged
from specloom.domain.ids import SessionId
from specloom.domain.origin import Origin
from specloom.engine.api import OutputChunk
from specloom.engine.ledger import PROJECT, Ledger
from specloom.engine.runtime import ProjectRuntime
from specloom.lsp.editor_settings import EditorSettings
from specloom.lsp.frames import MOST_HEADER
from specloom.lsp.hosting import Sender
from specloom.lsp.server import serve_connection

GROUP = 50
"""Events of one commit of a flood."""
TURN = 4
"""Events of one commit of a stream."""
TICK = 0.01
"""Seconds between the deltas of a stream, of which a tick brings as many as there are blocks."""
BLOCKS = 10
TICKS_A_TURN = 5
WORDS = "a few words of it. "
PAUSE = 0.02
"""Seconds between the orders beside a stream."""
KEYS = tuple(f"models.role-{number}.thinking" for number in range(12))
"""Of each event, so that it is about as long as those of a run: 600 bytes."""
SEQ = re.compile(rb'"seq": ([0-9]+),')
TAIL = 4096
"""Bytes that hold at least one whole event."""
SPEC = """---
id: "01"
title: One
depends_on: []
requirements: []
---

# One

## Tasks

- [ ] 1 First
  - _Verify: `true`_
- [ ] 2 Second
  - _Verify: `true`_
"""
DEADLINE = 600.0


@dataclass(frozen=True, slots=True)
class Setting:
    """What is measured at once."""

    clients: int
    stalled: int
    events: int
    seconds: float
    """Of a stream; 0: a flood."""


def measured(setting: Setting) -> dict[str, Any]:
    """One setting, in a process of its own: peak memory never falls."""
    words = ["--one", json.dumps(astuple(setting))]
    done = subprocess.run([sys.executable, __file__, *words], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def one(setting: Setting) -> dict[str, Any]:
    """Serves, commits and waits for the readers."""
    with tempfile.TemporaryDirectory(prefix="sl-", dir="/tmp") as folder:
        root = Path(folder) / "root"
        (root / "specs").mkdir(parents=True)
        (root / "specs" / "01-one.md").write_text(SPEC)
        (root / "requirements.md").write_text("# Nothing\n")
        return asyncio.run(_serve(root, Path(folder) / "socket", setting))


async def _serve(root: Path, path: Path, setting: Setting) -> dict[str, Any]:
    environment = {"PATH": os.environ.get("PATH", ""), "XDG_STATE_HOME": str(path.parent / "state")}
    roots = Roots(lambda: compose, 0.0)
    host = SharedHost(roots, environment)
    serving: set[asyncio.Task[None]] = set()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def send(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        await serve_connection(lambda: host, reader, send)
        writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(attend(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    sender = Sender(environment, EditorSettings())
    server = await asyncio.start_unix_server(accept, path, limit=MOST_HEADER)
    async with server, roots.joined(root, sender, "benchmark") as runtime:
        assert isinstance(runtime, ProjectRuntime)
        last, waits = await _with_clients(runtime, path, setting)
    await roots.close()
    for task in tuple(serving):
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)
    return _told(last, waits)


async def _with_clients(
    runtime: ProjectRuntime, path: Path, setting: Setting
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """The clients come, hear everything, and go."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    orders, told = context.Pipe()
    readers = context.Process(target=read_all, args=(path, runtime.root, setting.clients, setting.stalled, theirs))
    person = context.Process(target=give_orders, args=(path, runtime.root, PAUSE if setting.seconds else 0.0, told))
    for process in (readers, person):
        process.start()
    # Both say that they are ready.
    for pipe in (ours, orders):
        await asyncio.to_thread(_received, pipe)
    last = await _sent(runtime, setting, ours)
    orders.send("stop")
    waits = await asyncio.to_thread(_received, orders)
    for process in (readers, person):
        await asyncio.to_thread(process.join, DEADLINE)
    return last, waits


async def _sent(runtime: ProjectRuntime, setting: Setting, readers: Connection) -> dict[str, float]:
    begun, cpu, ledger = time.perf_counter(), time.process_time(), runtime.engine.ledger
    if setting.seconds:
        events = await _stream(runtime, setting.seconds)
    else:
        events = await _flood(ledger, setting.events)
    committed = time.perf_counter() - begun
    readers.send(ledger.state.seq)
    await asyncio.to_thread(_received, readers)
    return {
        "events": events,
        "committed": committed,
        "delivered": time.perf_counter() - begun,
        "cpu": time.process_time() - cpu,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


async def _flood(ledger: Ledger, events: int) -> int:
    group = [SettingsChanged(KEYS)] * GROUP
    for _ in range(events // GROUP):
        await ledger.append(PROJECT, group, Origin("engine"))
    return events // GROUP * GROUP


async def _stream(runtime: ProjectRuntime, seconds: float) -> int:
    """Deltas and turns at their pace; what is late is made up for, so that the load is the same whatever it costs."""
    loop, turns = asyncio.get_running_loop(), 0
    begun, session = loop.time(), SessionId("session")
    for tick in range(round(seconds / TICK)):
        for block in range(BLOCKS):
            runtime.engine.output.publish(OutputChunk(session, f"{turns}.{block}", "text", WORDS))
        if tick % TICKS_A_TURN == 0:
            turns += 1
            await runtime.engine.ledger.append(PROJECT, [SettingsChanged(KEYS)] * TURN, Origin("engine"))
        await asyncio.sleep(max(begun + (tick + 1) * TICK - loop.time(), 0.0))
    return turns * TURN


def _told(last: dict[str, float], waits: dict[str, list[float]]) -> dict[str, Any]:
    events = last["events"]
    told: dict[str, Any] = {
        "events_per_s": round(events / last["delivered"]),
        "committed_per_s": round(events / last["committed"]),
        "cpu_us_per_event": round(1e6 * last["cpu"] / events),
        "cpu_percent": round(100 * last["cpu"] / last["delivered"], 1),
        "peak_mib": round(last["peak"], 1),
    }
    for name, found in waits.items():
        found.sort()
        told[f"{name}_ms"] = {
            "count": len(found),
            "p50": round(1e3 * found[len(found) // 2], 1),
            "p99": round(1e3 * found[min(len(found) - 1, int(len(found) * 0.99))], 1),
            "most": round(1e3 * found[-1], 1),
        }
    return told


def _received(pipe: Connection) -> Any:
    if not pipe.poll(DEADLINE):
        raise TimeoutError("a process of the benchmark says nothing")
    return pipe.recv()


class Client:
    """One connection with blocking calls."""

    def __init__(self, path: Path, root: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(str(path))
        self._data = b""
        self._number = 0
        self.ask("initialize", {"processId": None, "rootUri": root.as_uri(), "capabilities": {}})
        self.tell({"method": "initialized", "params": {}})

    def tell(self, message: dict[str, Any]) -> None:
        """Sends."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.socket.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def ask(self, method: str, params: Any) -> dict[str, Any]:
        """The answer; passes over what comes before it."""
        self._number += 1
        self.tell({"id": self._number, "method": method, "params": params})
        while (message := self._next()).get("id") != self._number or "method" in message:
            continue
        return message

    def _next(self) -> dict[str, Any]:
        while b"\r\n\r\n" not in self._data:
            self._data += self._more()
        header, _, rest = self._data.partition(b"\r\n\r\n")
        length = int(header.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(rest) < length:
            rest += self._more()
        self._data = rest[length:]
        return json.loads(rest[:length])

    def _more(self) -> bytes:
        data = self.socket.recv(1 << 18)
        if not data:
            raise EOFError("the server ended the connection")
        return data


def read_all(path: Path, root: Path, clients: int, stalled: int, pipe: Connection) -> None:
    """In a process of its own: subscribes, and answers once every reading client has read up to the stated event."""
    readers = [Client(path, root) for _ in range(clients)]
    silent = [Client(path, root) for _ in range(stalled)]
    for client in (*readers, *silent):
        client.ask("specloom/events/subscribe", {"output": True})
    chosen = selectors.DefaultSelector()
    tails: dict[socket.socket, bytes] = {}
    for client in readers:
        chosen.register(client.socket, selectors.EVENT_READ)
        tails[client.socket] = b""
    pipe.send("ready")
    waiting, until = set(tails), 0
    while waiting or not until:
        if not until and pipe.poll():
            until = pipe.recv()
        for key, _ in chosen.select(0.05):
            found = key.fileobj
            assert isinstance(found, socket.socket)
            tails[found] = (tails[found] + found.recv(1 << 18))[-TAIL:]
        if until:
            waiting = {item for item in waiting if _newest(tails[item]) < until}
    pipe.send("done")


def _newest(tail: bytes) -> int:
    """The last sequence number that was read."""
    return max((int(found[1]) for found in SEQ.finditer(tail)), default=0)


def give_orders(path: Path, root: Path, pause: float, pipe: Connection) -> None:
    """In a process of its own: one order after the other, `pause` seconds between them, until it is told to stop."""
    client = Client(path, root)
    client.ask("specloom/project/get", {})
    pipe.send("ready")
    waits: dict[str, list[float]] = {"order": [], "read": []}
    while not pipe.poll() or not waits["read"]:
        for verb in ("skip", "reset"):
            order = {"taskId": "01/1", "commandId": f"{verb}-{len(waits['order'])}"}
            waits["order"].append(_timed(client, f"specloom/task/{verb}", order))
            time.sleep(pause)
        waits["read"].append(_timed(client, "specloom/health/get", {}))
    pipe.send(waits)


def _timed(client: Client, method: str, params: dict[str, Any]) -> float:
    begun = time.perf_counter()
    answer = client.ask(method, params)
    if "error" in answer:
        raise ValueError(f"{method}: {answer['error']}")
    return time.perf_counter() - begun


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="of a flood")
    parser.add_argument("--seconds", type=float, default=15.0, help="of a stream")
    parser.add_argument("--clients", default="1,10,50")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(Setting(*json.loads(given.one)))))
        return
    figures: dict[str, Any] = {"events": given.events, "seconds": given.seconds}
    numbers = [(count, stalled) for count in map(int, given.clients.split(",")) for stalled in (0, 1)]
    for name, seconds in (("flood", 0.0), ("stream", given.seconds)):
        found = figures[name] = {}
        for count, stalled in ((0, 0), *numbers):
            called = f"{count}+1 stalled" if stalled else f"{count}" if count else "alone"
            found[called] = measured(Setting(count, stalled, given.events, seconds))
    print(json.dumps({"benchmark": "fanout", **figures}))


if __name__ == "__main__":
    main()
