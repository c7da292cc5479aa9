"""Measures `specloom run` from its spawn to its first request. Refuses to judge: it prints one line of JSON.

`python benchmarks/spawn.py [--repeats N]`. The request is the first for messages, whole on the wire. In turns with
`python -c "import anthropic"`, which is what any client of the SDK pays; each run gets a fresh project whose one spec
has one task, and a scripted model in another process, this one. With `--profile N` it prints instead the N dearest
imports of one run, by package and by module (`-X importtime`).
"""

import argparse
import json
import os
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specloom.llm.scripted.server import ScriptedServer

Json = dict[str, Any]
BASELINE = [sys.executable, "-c", "import anthropic"]
LIMIT_S = 60.0
SAID = "said.txt"
IMPORTED = re.compile(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", re.MULTILINE)
"""Its own time, that with all that it imports, and the name."""
REQUIREMENTS = "# Greeter\n\n- R1.1 WHEN the program is called with a name, THE program SHALL print a greeting.\n"
SPEC = """---
id: "01"
title: Greeter
depends_on: []
requirements: [R1.1]
---

# Greeter

## Purpose

Greets.

## Tasks

- [ ] 1 Write the greeting
  - _Requirements: R1.1_
  - _Verify: `test -f greet.py`_
"""
SCRIPT = {"sessions": [{"name": "greeter", "first": "# Task 01/1", "turns": [{"answer": [{"text": "done"}]}]}]}


def prepare(root: Path) -> Path:
    """A project that is planned and not begun."""
    (root / "specs").mkdir(parents=True)
    (root / "requirements.md").write_text(REQUIREMENTS)
    (root / "specs" / "01-greeter.md").write_text(SPEC)
    return root


@contextmanager
def running(root: Path, url: str, *options: str) -> Generator[None]:
    """`specloom run --yes` as a terminal starts it, which is killed at the end; what it says is kept."""
    command = [sys.executable, *options, "-m", "specloom", "run", "--yes", "--workspace", str(root)]
    command += ["--model", "scripted-1", "--base-url", url]
    with (
        (root / SAID).open("w") as said,
        subprocess.Popen(command, env=environment(), stdout=said, stderr=said, start_new_session=True) as process,
    ):
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def environment() -> dict[str, str]:
    """Byte code is kept, as it is where Specloom was installed."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took, in seconds; CPU is that of all its threads and of what it ran."""

    wall: float
    cpu: float


def children_cpu() -> float:
    """CPU seconds of all processes that have ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def first_request(folder: Path) -> Cost:
    """From the spawn until a request for messages has come in whole; then the process is killed."""
    with ScriptedServer(SCRIPT) as server:
        before, start = children_cpu(), time.perf_counter()
        with running(prepare(folder), server.base_url):
            came = server.wait(lambda server: server.total > 0, LIMIT_S)
            taken = time.perf_counter() - start
        assert came, (folder / SAID).read_text()
    return Cost(taken, children_cpu() - before)


def baseline(_: Path) -> Cost:
    """A whole process that only imports the SDK."""
    before, start = children_cpu(), time.perf_counter()
    subprocess.run(BASELINE, env=environment(), check=True)
    return Cost(time.perf_counter() - start, children_cpu() - before)


def alternate(measures: list[Callable[[Path], Cost]], repeats: int) -> list[list[Cost]]:
    """The costs of each measure, taken in turns, so that what else the machine does meets all of them alike."""
    taken: list[list[Cost]] = [[] for _ in measures]
    with tempfile.TemporaryDirectory(prefix="specloom-benchmark-") as folder:
        for repeat in range(repeats + 1):
            for number, measure in enumerate(measures):
                cost = measure(Path(folder) / f"{repeat}-{number}")
                # The first round fills caches and compiles.
                if repeat:
                    taken[number].append(cost)
    return taken


def ratios(ours: list[float], sdk: list[float]) -> Json:
    """Medians in milliseconds; the ratio is the median of those of neighbours, its quartiles tell how calm it was."""
    pairs = [one / other for one, other in zip(ours, sdk, strict=True)]
    low, middle, high = statistics.quantiles(pairs, n=4)
    return {
        "first_request_ms": round(statistics.median(ours) * 1000),
        "import_anthropic_ms": round(statistics.median(sdk) * 1000),
        "ratio": round(middle, 3),
        "ratio_quartiles": [round(low, 3), round(high, 3)],
        "ratio_of_medians": round(statistics.median(ours) / statistics.median(sdk), 3),
    }


def compare(repeats: int) -> Json:
    """By the clock, which is what a person waits, and by CPU, which other work on the machine disturbs less."""
    ours, sdk = alternate([first_request, baseline], repeats)
    return {
        "repeats": repeats,
        "wall": ratios([cost.wall for cost in ours], [cost.wall for cost in sdk]),
        "cpu": ratios([cost.cpu for cost in ours], [cost.cpu for cost in sdk]),
    }


def profile(rows: int) -> str:
    """Microseconds of the dearest packages and modules that one run has imported by its first request, each alone."""
    with tempfile.TemporaryDirectory() as folder, ScriptedServer(SCRIPT) as server:
        root = prepare(Path(folder) / "root")
        with running(root, server.base_url, "-X", "importtime"):
            server.wait(lambda server: server.total > 0, LIMIT_S)
        said = (root / SAID).read_text()
    modules = {name: int(own) for own, name in IMPORTED.findall(said)}
    packages: Counter[str] = Counter()
    for name, own in modules.items():
        packages[name.partition(".")[0]] += own
    dearest = [*packages.most_common(rows), *Counter(modules).most_common(rows)]
    return "\n".join(f"{own:8} {name}" for name, own in dearest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--profile", type=int, metavar="ROWS", help="show the dearest imports instead")
    options = parser.parse_args()
    print(profile(options.profile) if options.profile else json.dumps(compare(options.repeats)))
