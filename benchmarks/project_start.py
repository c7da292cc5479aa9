"""How long a server takes from its start until a client has all tasks of a project: of 1,000 and of 10,000.

Prints a line of JSON for each size. Of the server as a process, by the clock and of CPU, each from its start: `cold`
(no log yet), `warm` (the log is there), and `again`, the snapshot that the warm one is asked for once more; its bytes,
and the messages until it was there. Then ms of CPU of each phase, within this process; and as ratios of 10,000 to 1,000
tasks, where 10 is linear. Specs of 100 tasks, those of `graph.py`. Refuses to judge.
Usage: `python benchmarks/project_start.py [--repeats N]`
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import psutil

from documents import lay
from specloom.compose.hosting import open_runtime
from specloom.lsp.rpc import Encoded
from specloom.lsp.uris import Places
from specloom.lsp.wire_project import wire_project

SERVER = [str(Path(sys.executable).parent / "specloom"), "lsp", "--standalone"]
SIZES = (1_000, 10_000)
Figures: TypeAlias = dict[str, float]


class Client:
    """Asks one server, one thing after the other."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._to, self._from = process, process.stdin, process.stdout
        self._began = time.perf_counter()
        self._asked = 0
        self.messages = 0
        """That came, answers included."""
        self.bytes = 0
        """Of the last answer."""

    def ask(self, method: str, params: object) -> Any:
        """The result; what the server asks meanwhile is answered with nothing."""
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": params})
        while True:
            message = self._next()
            if "method" in message and "id" in message:
                self._send({"id": message["id"], "result": None})
            elif message.get("id") == self._asked:
                return message["result"]

    def tell(self, method: str, params: object) -> None:
        """A notification."""
        self._send({"method": method, "params": params})

    def used(self) -> Figures:
        """Seconds since the start."""
        times = psutil.Process(self._process.pid).cpu_times()
        return {"s": time.perf_counter() - self._began, "cpu_s": times.user + times.system}

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._to.flush()

    def _next(self) -> dict[str, Any]:
        length = 0
        while line := self._from.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = self._from.read(length)
        if not body:
            raise SystemExit("the server ended")
        self.messages, self.bytes = self.messages + 1, length
        return json.loads(body)


@contextmanager
def served(root: Path, state: Path) -> Generator[Client]:
    """A client of a server that has just been started."""
    environment = os.environ | {"SPECLOOM_STATE_DIR": str(state), "SPECLOOM_LOG_DIR": f"{state}-logs"}
    with subprocess.Popen(
        SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        client = Client(process)
        client.ask("initialize", {"processId": None, "rootUri": root.as_uri(), "capabilities": {}})
        client.tell("initialized", {})
        yield client
        client.ask("shutdown", None)
        client.tell("exit", None)


def started(root: Path, state: Path, tasks: int) -> tuple[Figures, Figures, dict[str, int]]:
    """The start, the second snapshot, and what came over the wire with the first."""
    with served(root, state) as client:
        found = client.ask("specloom/project/get", {})
        first, wire = client.used(), {"bytes": client.bytes, "messages": client.messages}
        if len(found["tasks"]) != tasks:
            raise SystemExit(f"{len(found['tasks'])} tasks are there instead of {tasks}: {found['problems']}")
        client.ask("specloom/project/get", {})
        second = client.used()
    return first, {name: second[name] - first[name] for name in first}, wire


def once(tasks: int) -> tuple[dict[str, Figures], dict[str, int]]:
    """All figures of one project, made afresh."""
    with tempfile.TemporaryDirectory(prefix="sl-") as folder:
        root, state = Path(folder) / "root", Path(folder) / "state"
        root.mkdir()
        lay(root, tasks)
        cold, _, _ = started(root, state, tasks)
        warm, again, wire = started(root, state, tasks)
    return {"cold": cold, "warm": warm, "again": again}, wire


class Clock:
    """CPU of this process by phase, in ms."""

    def __init__(self) -> None:
        self.phases: Figures = {}
        self._at = time.process_time()

    def end(self, phase: str) -> None:
        """What was used since the phase before."""
        self.phases[phase] = 1000 * (time.process_time() - self._at)
        self._at = time.process_time()


async def phases(tasks: int) -> Figures:
    """Of one project, made afresh: opened without a log and with one, then told."""
    with tempfile.TemporaryDirectory(prefix="sl-") as folder:
        root, environment = Path(folder) / "root", {"SPECLOOM_STATE_DIR": f"{folder}/state", "HOME": folder}
        root.mkdir()
        lay(root, tasks)
        clock = Clock()
        opened = await open_runtime(root, environment=environment)
        clock.end("open_cold")
        await opened.close()
        clock.end("close")
        opened = await open_runtime(root, environment=environment)
        clock.end("open_warm")
        state, problems = opened.state, opened.problems
        clock.end("problems")
        shapes = wire_project(state, problems, Places(root, root.as_uri()), read_only=False, today=opened.today)
        clock.end("shapes")
        Encoded.of(shapes)
        clock.end("encoded")
        await opened.close()
    return clock.phases


def middle(runs: list[Figures]) -> Figures:
    """The median of each figure."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def rounded(figures: Figures, digits: int) -> Figures:
    """For people."""
    return {name: round(value, digits) for name, value in figures.items()}


def main() -> None:
    """All sizes in turn, as often as was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats: int = parser.parse_args().repeats
    rounds = [{size: (once(size), asyncio.run(phases(size))) for size in SIZES} for _ in range(repeats)]
    split: dict[int, Figures] = {}
    for size in SIZES:
        starts, wire = [each[size][0][0] for each in rounds], rounds[0][size][0][1]
        split[size] = middle([each[size][1] for each in rounds])
        told = {phase: rounded(middle([start[phase] for start in starts]), 2) for phase in starts[0]}
        print(json.dumps({"benchmark": "project_start", "tasks": size, **told, **wire, "ms": rounded(split[size], 1)}))
    few, many = (split[size] for size in SIZES)
    ratios = rounded({phase: many[phase] / few[phase] for phase in many}, 1)
    print(json.dumps({"benchmark": "project_start", "of_10000_to_1000": ratios, "repeats": repeats}))


if __name__ == "__main__":
    main()
