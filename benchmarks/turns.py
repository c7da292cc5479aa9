"""Measures what a turn of the whole engine costs. Refuses to judge: it prints one line of JSON.

`python benchmarks/turns.py [--turns N]`. A scripted model without latency in another process; each turn reads a small
file. CPU and memory are those of the process that runs the engine, SDK, log and files included; the time between the
end of an answer and the arrival of the next request is measured by the server.
"""

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]
PLACES = (10, 100, 500)
WINDOW = 10
"""Turns up to a place over which its figures are taken."""
SPEC = """---
id: "01"
title: Benchmark
depends_on: []
requirements: [R1.1]
---

# Benchmark

## Tasks

- [ ] 1 Read again and again
  - _Requirements: R1.1_
  - _Verify: `true`_
"""


def script(turns: int) -> Json:
    """One session that reads until it claims."""
    reads = {
        "answer": [{"text": "I look."}, {"tool": "read_file", "input": {"path": "small.txt"}}],
        "repeat": turns - 1,
    }
    session = {"name": "benchmark", "first": "# Task 01/1", "turns": [reads, {"answer": [{"text": "Done."}]}]}
    return {"sessions": [session], "model": {"max_input_tokens": 100_000_000}}


def lay(root: Path) -> None:
    """The files of the project."""
    (root / "specs").mkdir()
    (root / "requirements.md").write_text("- R1.1 THE system SHALL be measured.\n")
    (root / "specs" / "01-benchmark.md").write_text(SPEC)
    (root / "small.txt").write_text("".join(f"line {number} of a small file\n" for number in range(20)))


def serve(file: Path) -> None:
    """The model: prints its URL, and at the end of its input the milliseconds between answers and requests."""
    from specloom.llm.scripted.handler import ScriptedHandler
    from specloom.llm.scripted.server import ScriptedServer

    asked: list[float] = []
    told: list[float] = []

    answer = ScriptedHandler.do_POST

    def timed(self: ScriptedHandler) -> None:
        asked.append(time.perf_counter())
        answer(self)
        told.append(time.perf_counter())

    ScriptedHandler.do_POST = timed
    with ScriptedServer(file) as server:
        print(server.base_url, flush=True)
        sys.stdin.readline()
    print(json.dumps([1000 * (after - before) for before, after in zip(told, asked[1:], strict=False)]), flush=True)


async def work(root: Path, url: str, turns: int) -> Json:
    """The run, in this process: CPU seconds at each turn, and the peak of its memory."""
    from specloom.compose import open_runtime
    from specloom.domain.events import agents
    from specloom.domain.origin import Origin
    from specloom.domain.project import ProjectState
    from specloom.domain.runs import Budget, Scope
    from specloom.engine.api import Published

    cpu: list[float] = []

    def heard(published: Published, state: ProjectState) -> None:
        del state
        if isinstance(published.event, agents.TurnFinished):
            cpu.append(time.process_time())

    settings: Json = {
        "models": {"default": {"model": "scripted-1", "base_url": url}},
        "limits": {"turns": turns, "repeated_turns": turns},
    }
    runtime = await open_runtime(root, environment={"PATH": "/usr/bin:/bin"}, overrides=settings)
    with runtime.listen(heard):
        await runtime.start_run(Scope(), Budget(), Origin("user"), unattended=True)
        await runtime.wait_idle()
        assert runtime.state.run is not None
        assert runtime.state.run.outcome == "completed", runtime.state.run
    await runtime.close()
    return {"cpu": cpu, "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


def measured(turns: int) -> tuple[Json, list[float]]:
    """What the run and the model saw."""
    with tempfile.TemporaryDirectory() as folder:
        file, root = Path(folder) / "script.json", Path(folder) / "project"
        file.write_text(json.dumps(script(turns)))
        root.mkdir()
        lay(root)
        me = [sys.executable, __file__]
        with subprocess.Popen(
            [*me, "--serve", file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as model:
            assert model.stdout is not None
            url = model.stdout.readline().strip()
            run = subprocess.run([*me, "--work", root, url, str(turns)], check=True, capture_output=True, text=True)
            gaps, _ = model.communicate("\n")
        return json.loads(run.stdout), json.loads(gaps)


def mean_ms(cpu: Sequence[float], upto: int, over: int) -> float:
    """CPU milliseconds of a turn, mean of the `over` turns up to turn `upto`."""
    return round(1000 * (cpu[upto - 1] - cpu[upto - 1 - over]) / over, 2)


def main() -> None:
    """Runs as what the arguments say; without any as the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=max(PLACES), help="turns of the long run")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return
    if arguments.work:
        root, url, turns = arguments.work
        print(json.dumps(asyncio.run(work(Path(root), url, int(turns)))))
        return
    short, _ = measured(100)
    long, gaps = measured(arguments.turns)
    places = [place for place in PLACES if place <= arguments.turns]
    figures = {
        "benchmark": "turns",
        "cpu_ms_a_turn_of_100": mean_ms(short["cpu"], 99, 98),
        "cpu_ms_at_turn": {place: mean_ms(long["cpu"], place - 1, min(WINDOW, place - 2)) for place in places},
        "gap_ms_at_turn": {place: round(statistics.median(gaps[max(place - 20, 0) : place]), 2) for place in places},
        "gap_ms_median": round(statistics.median(gaps[:100]), 2),
        "peak_mib_of_100": round(short["peak_kib"] / 1024, 1),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
