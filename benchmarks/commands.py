"""Measures what a command costs in an agent's shell and in a fresh one. Refuses to judge: it prints one line of JSON.

`python benchmarks/commands.py [--repeats N]`. In turns within one run: the shell that stays (`AgentShell.run`), a fresh
`bash -c` with the same promises (`process.run`, which verification uses), and a bare `bash -c` through asyncio with its
output read. Each carries out `true`, `echo`, and a program of its own (`/bin/true`); milliseconds are medians, ratios
are medians of pairs. The same by CPU, ours and that of all children: waiting for a core is not in it. Then how long a
fresh shell takes to take over, and how fast output passes.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil

from specloom.domain.redact import Redactor
from specloom.workspace.process import run
from specloom.workspace.shell.agent_shell import AgentShell

Json = dict[str, Any]
COMMANDS = {"builtin": "true", "output": "echo hello", "program": "/bin/true"}
ENV = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
MEBIBYTES = 128


async def milliseconds(work: Callable[[], Awaitable[object]]) -> float:
    """How long `work` takes."""
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1000


async def cpu_milliseconds(work: Callable[[], Awaitable[object]], repeats: int) -> float:
    """What one `work` of many costs, here and in all processes below, those that have ended included."""
    before = cpu_seconds()
    for _ in range(repeats):
        await work()
    return (cpu_seconds() - before) / repeats * 1000


def cpu_seconds() -> float:
    """Of this process and all below it so far."""
    ours = psutil.Process()
    return sum(sum(process.cpu_times()[:4]) for process in (ours, *ours.children(recursive=True)))


async def bare(command: str, root: Path) -> bytes:
    """The least that a fresh shell costs in asyncio."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command, cwd=root, env=ENV, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    return (await process.communicate())[0]


async def compared(shell: AgentShell, root: Path, command: str, repeats: int) -> Json:
    """All three in turns."""
    times: list[tuple[float, float, float]] = [
        (
            await milliseconds(lambda: shell.run(command, 60)),
            await milliseconds(lambda: run(command, root, ENV, 60)),
            await milliseconds(lambda: bare(command, root)),
        )
        for _ in range(repeats)
    ]
    cpu = [
        await cpu_milliseconds(work, repeats)
        for work in (lambda: shell.run(command, 60), lambda: run(command, root, ENV, 60), lambda: bare(command, root))
    ]
    stays, fresh, least = (statistics.median(column) for column in zip(*times, strict=True))
    return {
        "shell_ms": round(stays, 2),
        "fresh_ms": round(fresh, 2),
        "bare_bash_ms": round(least, 2),
        "shell_to_fresh": round(statistics.median(a / b for a, b, _ in times), 2),
        "shell_to_bare": round(statistics.median(a / c for a, _, c in times), 2),
        "cpu_ms": dict(zip(("shell", "fresh", "bare_bash"), (round(value, 2) for value in cpu), strict=True)),
    }


async def measure(repeats: int) -> Json:
    """Everything, on a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        shell = AgentShell(root, ENV, root / "logs", Redactor())
        try:
            first = await milliseconds(lambda: shell.run("true", 60))
            result: Json = {kind: await compared(shell, root, text, repeats) for kind, text in COMMANDS.items()}
            deaths = [await milliseconds(lambda: shell.run("exit", 60)) for _ in range(max(repeats // 10, 3))]
            copying = await milliseconds(lambda: shell.run(f"head -c {MEBIBYTES}M /dev/zero | tr '\\0' '\\n'", 600))
        finally:
            await shell.close()
    result["first_command_ms"] = round(first, 1)
    result["death_and_take_over_ms"] = round(statistics.median(deaths), 1)
    result["output_mib_per_s"] = round(MEBIBYTES / copying * 1000)
    return result


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    print(json.dumps({"benchmark": "commands", **asyncio.run(measure(parser.parse_args().repeats))}))


if __name__ == "__main__":
    main()
