"""Measures how events reach many clients, and how orders fare meanwhile. Refuses to judge: it prints one line of JSON.

`python benchmarks/fanout.py [--events N] [--clients 1,10,50]`. For each number of clients, in a process of its own: the
server hosts a root and commits events in groups; clients in another process read them off their sockets; one more gives
orders that are committed (skip and reset a task in turns) and asks how the project does, one at a time. Then the same
with one client beside them that reads nothing at all. The readers count frames and take nothing apart, so that the
server is what is measured; `alone` is the same without any reader.
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
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from specloom import compose
from specloom.daemon.roots import Roots, SharedHost
from specloom.domain.events.documents import SettingsChanged
from specloom.domain.origin import Origin
from specloom.engine.ledger import PROJECT, Ledger
from specloom.engine.runtime import ProjectRuntime
from specloom.lsp.editor_settings import EditorSettings
from specloom.lsp.frames import MOST_HEADER
from specloom.lsp.hosting import Sender
from specloom.lsp.server import serve_connection

GROUP = 50
"""Events of one commit."""
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


def measured(clients: int, stalled: int, events: int) -> dict[str, Any]:
    """One setting, in a process of its own: peak memory never falls."""
    words = ["--one", f"{clients},{stalled}", "--events", str(events)]
    done = subprocess.run([sys.executable, __file__, *words], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def one(clients: int, stalled: int, events: int) -> dict[str, Any]:
    """Serves, commits and waits for the readers."""
    with tempfile.TemporaryDirectory(prefix="sl-", dir="/tmp") as folder:
        root = Path(folder) / "root"
        (root / "specs").mkdir(parents=True)
        (root / "specs" / "01-one.md").write_text(SPEC)
        (root / "requirements.md").write_text("# Nothing\n")
        return asyncio.run(_serve(root, Path(folder) / "socket", clients, stalled, events))


async def _serve(root: Path, path: Path, clients: int, stalled: int, events: int) -> dict[str, Any]:
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
        last, waits = await _with_clients(runtime, path, clients, stalled, events)
    await roots.close()
    for task in tuple(serving):
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)
    return _told(last, waits, events)


async def _with_clients(
    runtime: ProjectRuntime, path: Path, clients: int, stalled: int, events: int
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """The clients come, hear everything, and go."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    orders, told = context.Pipe()
    readers = context.Process(target=read_all, args=(path, runtime.root, clients, stalled, theirs))
    person = context.Process(target=give_orders, args=(path, runtime.root, told))
    for process in (readers, person):
        process.start()
    # Both say that they are ready.
    for pipe in (ours, orders):
        await asyncio.to_thread(_received, pipe)
    last = await _commit(runtime.engine.ledger, events, ours)
    orders.send("stop")
    waits = await asyncio.to_thread(_received, orders)
    for process in (readers, person):
        await asyncio.to_thread(process.join, DEADLINE)
    return last, waits


async def _commit(ledger: Ledger, events: int, readers: Connection) -> dict[str, float]:
    begun, cpu = time.perf_counter(), time.process_time()
    group = [SettingsChanged(KEYS)] * GROUP
    for _ in range(events // GROUP):
        await ledger.append(PROJECT, group, Origin("engine"))
    committed = time.perf_counter() - begun
    readers.send(ledger.state.seq)
    await asyncio.to_thread(_received, readers)
    return {
        "committed": committed,
        "delivered": time.perf_counter() - begun,
        "cpu": time.process_time() - cpu,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _told(last: dict[str, float], waits: dict[str, list[float]], events: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "events_per_s": round(events / last["delivered"]),
        "committed_per_s": round(events / last["committed"]),
        "cpu_us_per_event": round(1e6 * last["cpu"] / events),
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
        client.ask("specloom/events/subscribe", {})
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


def give_orders(path: Path, root: Path, pipe: Connection) -> None:
    """In a process of its own: one order after the other, until it is told to stop."""
    client = Client(path, root)
    client.ask("specloom/project/get", {})
    pipe.send("ready")
    waits: dict[str, list[float]] = {"order": [], "read": []}
    while not pipe.poll() or not waits["read"]:
        for verb in ("skip", "reset"):
            order = {"taskId": "01/1", "commandId": f"{verb}-{len(waits['order'])}"}
            waits["order"].append(_timed(client, f"specloom/task/{verb}", order))
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
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--clients", default="1,10,50")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        clients, stalled = map(int, given.one.split(","))
        print(json.dumps(one(clients, stalled, given.events)))
        return
    figures: dict[str, Any] = {"events": given.events, "alone": measured(0, 0, given.events)}
    for clients in map(int, given.clients.split(",")):
        figures[f"{clients}"] = measured(clients, 0, given.events)
        figures[f"{clients}+1 stalled"] = measured(clients, 1, given.events)
    print(json.dumps({"benchmark": "fanout", **figures}))


if __name__ == "__main__":
    main()
