"""Measures whether a long run costs at its end what it cost at its start. Refuses to judge: it prints one line of JSON.

`python benchmarks/long_run.py [--turns N] [--every N]`. A scripted model without latency in another process; each task
is a session of 20 turns that write, read, run a command and claim, with a shell and a verify command of its own. After
each task the process that runs the engine looks at itself: CPU, resident memory, file descriptors, threads and tasks.
`--every` adds the course of all figures, each over so many turns.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]
TURNS_A_TASK = 20
TASKS_A_SPEC = 10
PAGE = os.sysconf("SC_PAGE_SIZE")
HEAD = '---\nid: "{id}"\ntitle: Part {id}\ndepends_on: []\nrequirements: [R1.1]\n---\n\n# Part {id}\n\n## Tasks\n\n'
TASK = "- [ ] {number} Go on\n  - _Requirements: R1.1_\n  - _Verify: `test -f file-1.txt`_\n"


@dataclass(frozen=True, slots=True)
class Sample:
    """The process after a task."""

    turns: int
    cpu_s: float
    clock_s: float
    resident: int
    files: int
    threads: int
    tasks: int


def script() -> Json:
    """Every session of every task plays this."""
    pairs = (TURNS_A_TASK - 2) // 2
    turns: list[Json] = []
    for number in range(1, pairs + 1):
        path = f"file-{number}.txt"
        content = "".join(f"line {line} of file {number}\n" for line in range(40))
        turns.append({"answer": [{"tool": "write_file", "input": {"path": path, "content": content}}]})
        turns.append({"answer": [{"text": "I look."}, {"tool": "read_file", "input": {"path": path}}]})
    turns.append({"answer": [{"tool": "run_command", "input": {"command": "echo done"}}]})
    turns.append({"answer": [{"text": "Done."}]})
    return {"sessions": [{"name": "a task", "first": "# Task ", "turns": turns}]}


def lay(root: Path, tasks: int) -> None:
    """The files of a project with so many tasks."""
    (root / "specs").mkdir(parents=True)
    (root / "requirements.md").write_text("- R1.1 THE system SHALL be measured.\n")
    for spec in range(-(-tasks // TASKS_A_SPEC)):
        first = spec * TASKS_A_SPEC
        numbers = range(1, min(TASKS_A_SPEC, tasks - first) + 1)
        text = HEAD.format(id=f"{spec + 1:03}") + "".join(TASK.format(number=number) for number in numbers)
        (root / "specs" / f"{spec + 1:03}-part.md").write_text(text)


def serve(file: Path) -> None:
    """The model: prints its URL, plays until its input ends, and then says what went wrong."""
    from specloom.llm.scripted.server import ScriptedServer

    with ScriptedServer(file) as server:
        print(server.base_url, flush=True)
        sys.stdin.readline()
        print(json.dumps({"asked": server.total, "failures": server.failures[:3]}), flush=True)


def sample(turns: int) -> Sample:
    """What the process needs now."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
    files = sum(1 for _ in Path("/proc/self/fd").iterdir())
    tasks = len(asyncio.all_tasks())
    return Sample(turns, time.process_time(), time.perf_counter(), resident, files, threading.active_count(), tasks)


async def work(root: Path, url: str) -> list[Sample]:
    """One run through everything, in this process."""
    from specloom.compose import open_runtime
    from specloom.domain.events import agents, tasks
    from specloom.domain.origin import Origin
    from specloom.domain.project import ProjectState
    from specloom.domain.runs import Budget, Scope
    from specloom.engine.api import Published

    taken: list[Sample] = []
    turns = 0

    def heard(published: Published, state: ProjectState) -> None:
        nonlocal turns
        del state
        turns += isinstance(published.event, agents.TurnFinished)
        if isinstance(published.event, tasks.TaskDone):
            taken.append(sample(turns))

    settings: Json = {"models": {"default": {"model": "scripted-1", "base_url": url}}}
    runtime = await open_runtime(root, environment={"PATH": "/usr/bin:/bin"}, overrides=settings)
    with runtime.listen(heard):
        await runtime.start_run(Scope(), Budget(), Origin("user"), unattended=True)
        await runtime.wait_idle()
        assert runtime.state.run is not None
        assert runtime.state.run.outcome == "completed", runtime.state.run.reason
    await runtime.close()
    return taken


def measured(turns: int) -> tuple[list[Sample], Json]:
    """What the run and the model saw."""
    with tempfile.TemporaryDirectory() as folder:
        file, root = Path(folder) / "script.json", Path(folder) / "project"
        file.write_text(json.dumps(script()))
        lay(root, max(turns // TURNS_A_TASK, 1))
        me = [sys.executable, __file__]
        with subprocess.Popen(
            [*me, "--serve", file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as model:
            assert model.stdout is not None
            url = model.stdout.readline().strip()
            run = subprocess.run([*me, "--work", root, url], check=True, stdout=subprocess.PIPE, text=True)
            told, _ = model.communicate("\n")
        return [Sample(**item) for item in json.loads(run.stdout)], json.loads(told)


def fifths(samples: Sequence[Sample], value: Callable[[Sample, Sample], float]) -> tuple[float, float]:
    """The median of a value over the second and the last fifth; `value` gets a sample and the one before it."""
    pairs = list(zip(samples[1:], samples, strict=False))
    size = max(len(pairs) // 5, 1)
    second, last = pairs[size : 2 * size], pairs[-size:]
    return statistics.median(value(*pair) for pair in second), statistics.median(value(*pair) for pair in last)


FIGURES: dict[str, Callable[[Sample, Sample], float]] = {
    "cpu_ms_a_turn": lambda now, before: 1000 * (now.cpu_s - before.cpu_s) / (now.turns - before.turns),
    "clock_ms_a_turn": lambda now, before: 1000 * (now.clock_s - before.clock_s) / (now.turns - before.turns),
    "resident_mib": lambda now, _: now.resident / 2**20,
    "files": lambda now, _: now.files,
    "threads": lambda now, _: now.threads,
    "tasks": lambda now, _: now.tasks,
}


def figures(samples: Sequence[Sample]) -> Json:
    """Each figure over the second fifth of the run, over the last, and their ratio."""
    found: Json = {}
    for name, value in FIGURES.items():
        second, last = fifths(samples, value)
        found[name] = {"second": round(second, 2), "last": round(last, 2), "ratio": round(last / second, 3)}
    return found


def course(samples: Sequence[Sample], every: int) -> list[Json]:
    """The figures at each of so many turns; what is counted by turn, over the turns since the one before."""
    passed = (
        now for now, before in zip(samples[1:], samples, strict=False) if now.turns // every > before.turns // every
    )
    marks = [samples[0], *passed]
    return [
        {"turns": now.turns, **{name: round(value(now, before), 2) for name, value in FIGURES.items()}}
        for now, before in zip(marks[1:], marks, strict=False)
    ]


def main() -> None:
    """Runs as what the arguments say; without any as the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=2_000, help="turns of the run")
    parser.add_argument("--every", type=int, default=0, help="turns between two points of the course; 0: none is told")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return
    if arguments.work:
        root, url = arguments.work
        print(json.dumps([asdict(item) for item in asyncio.run(work(Path(root), url))]))
        return
    samples, model = measured(arguments.turns)
    told = {"benchmark": "long_run", "turns": samples[-1].turns, **figures(samples), **model}
    print(json.dumps(told | ({"course": course(samples, arguments.every)} if arguments.every else {})))


if __name__ == "__main__":
    main()
