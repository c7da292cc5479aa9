"""Measures what it costs that nothing is lost: CPU of the thread that writes the log, commits, syncs, by turn.

`python benchmarks/durability.py [--turns N]`. A scripted model without latency; turns that read a small file, and turns
that write one. Syncs of all files are counted by `strace` in a run of their own where that is installed, else they are
`null`. Refuses to judge: it prints one line of JSON.
"""

import argparse
import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

Json = dict[str, Any]
KINDS = ("reads", "writes")
SPEC = """---
id: "01"
title: Benchmark
depends_on: []
requirements: [R1.1]
---

# Benchmark

## Tasks

- [ ] 1 Do it again and again
  - _Requirements: R1.1_
  - _Verify: `true`_
"""
SYNCS = re.compile(r"\b(fsync|fdatasync)\(")


def script(kind: str, turns: int) -> Json:
    """One session of so many turns, and the claim."""
    read: Json = {"tool": "read_file", "input": {"path": "small.txt"}}
    calls = [
        read if kind == "reads" else {"tool": "write_file", "input": {"path": f"{number}.txt", "content": "a line\n"}}
        for number in range(turns)
    ]
    answers = [{"answer": [{"text": "I do it."}, call]} for call in calls]
    session = {"name": "benchmark", "first": "# Task 01/1", "turns": [*answers, {"answer": [{"text": "Done."}]}]}
    return {"sessions": [session], "model": {"max_input_tokens": 100_000_000}}


def lay(root: Path) -> None:
    """The files of the project."""
    (root / "specs").mkdir(parents=True)
    (root / "requirements.md").write_text("- R1.1 THE system SHALL be measured.\n")
    (root / "specs" / "01-benchmark.md").write_text(SPEC)
    (root / "small.txt").write_text("".join(f"line {number} of a small file\n" for number in range(20)))


async def work(root: Path, url: str, turns: int) -> Json:
    """The run, in this process."""
    from specloom.compose import open_runtime
    from specloom.domain.origin import Origin
    from specloom.domain.runs import Budget, Scope
    from specloom.store.log import EventStore

    stores: list[EventStore] = []
    opened = EventStore.open

    async def kept(*arguments: Any, **rest: Any) -> EventStore:
        stores.append(await opened(*arguments, **rest))
        return stores[-1]

    EventStore.open = kept
    limits = {"turns": turns + 1, "repeated_turns": turns + 1}
    settings: Json = {"models": {"default": {"model": "scripted-1", "base_url": url}}, "limits": limits}
    runtime = await open_runtime(root, environment={"PATH": "/usr/bin:/bin"}, overrides=settings)
    before = await looked(stores[0])
    await runtime.start_run(Scope(), Budget(), Origin("user"), unattended=True)
    await runtime.wait_idle()
    assert runtime.state.run is not None
    assert runtime.state.run.outcome == "completed", runtime.state.run
    after = await looked(stores[0])
    await runtime.close()
    return {
        "cpu": after[0] - before[0],
        "commits": after[1] - before[1],
        "events": after[2] - before[2],
    }


async def looked(store: Any) -> tuple[float, int, int]:
    """CPU seconds of the thread that writes, commits and events so far."""

    def spent(_: Any) -> float:
        return time.thread_time()

    cpu = await store._write(spent)  # noqa: SLF001 - runs on the thread in question
    return cpu, store.commits, await store.last_seq()


def run(kind: str, turns: int, tracer: tuple[str, ...] = ()) -> Json:
    """The figures of one run, in a process of its own that `tracer` starts."""
    from specloom.llm.scripted.server import ScriptedServer

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        lay(root)
        with ScriptedServer(script(kind, turns)) as server:
            command = [*tracer, sys.executable, __file__, "--work", str(root), server.base_url, str(turns)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def syncs(kind: str, turns: int) -> int | None:
    """Of all files, from start to end; `None` where nobody can count them."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    with tempfile.NamedTemporaryFile("r") as log:
        run(kind, turns, (strace, "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", log.name))
        return len(SYNCS.findall(log.read()))


def figures(kind: str, turns: int) -> Json:
    """By turn and by event. Syncs: of the turns alone, from two runs of different length."""
    found = run(kind, turns)
    short, long = syncs(kind, turns // 2), syncs(kind, turns)
    return {
        "cpu_ms_a_turn": round(1000 * found["cpu"] / turns, 2),
        "cpu_us_an_event": round(1e6 * found["cpu"] / found["events"]),
        "events_a_turn": round(found["events"] / turns, 2),
        "commits_a_turn": round(found["commits"] / turns, 2),
        "syncs_a_turn": None if short is None or long is None else round((long - short) / (turns - turns // 2), 2),
    }


def main() -> None:
    """Runs as what the arguments say; without any as the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=200, help="turns of a run")
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        root, url, turns = arguments.work
        print(json.dumps(asyncio.run(work(Path(root), url, int(turns)))))
        return
    print(json.dumps({"benchmark": "durability", **{kind: figures(kind, arguments.turns) for kind in KINDS}}))


if __name__ == "__main__":
    main()
