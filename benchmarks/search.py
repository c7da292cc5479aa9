"""Measures `grep_search` and `search_files` on a tree of 50,000 files. Refuses to judge: it prints one line of JSON.

`python benchmarks/search.py [--files N] [--repeats N]`. Ours with ripgrep as a sieve and without it, and ripgrep alone,
in turns; names found by us and by `rg --files`. Without a ripgrep (`scripts/install-ripgrep`) the ratios are missing.
"""

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from specloom.tools.grep_search import GrepSearch
from specloom.tools.ports import ToolContext
from specloom.tools.search_files import SearchFiles
from specloom.workspace.workspace import Workspace

SEED = 20
WORDS = (
    "user",
    "session",
    "token",
    "order",
    "cart",
    "model",
    "view",
    "test",
    "index",
    "main",
    "util",
    "store",
    "event",
)
PATTERNS = {
    "rare words": r"order.*9999[0-9]\)",
    "no match": r"session = order\(model, 123",
    "classes": r"\w+ = \w+\(user, 77\d+\)",
}
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Context:
    """What searches need of a tool context."""

    files: Workspace
    environment: dict[str, str]


def grow(root: Path, count: int) -> None:
    """Folders four deep, ten files each, 10 to 80 lines a file."""
    chance = random.Random(SEED)
    number_below = chance.randrange

    def word() -> str:
        return chance.choice(WORDS)

    (root / ".gitignore").write_text("*.pyc\nbuild/\n/dist\n*.log\n!keep.log\n")
    for number in range(count // 10):
        folder = root / "/".join(f"{word()}{number_below(10)}" for _ in range(1 + number_below(4)))
        folder.mkdir(parents=True, exist_ok=True)
        for place in range(10):
            lines = (
                f"    {word()} = {word()}({word()}, {number_below(99999)})\n" for _ in range(10 + number_below(70))
            )
            name = f"{word()}_{word()}{number}_{place}.{chance.choice(['py', 'ts', 'go', 'md'])}"
            (folder / name).write_text("".join(lines))


def ripgrep() -> Path | None:
    """The ripgrep of the machine, or one beside the project."""
    found = subprocess.run([ROOT / "scripts" / "install-ripgrep"], capture_output=True, text=True, check=False)
    return Path(found.stdout.strip()) if found.returncode == 0 else None


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    await work()
    return 1000 * (time.perf_counter() - start)


async def alone(program: Path, root: Path, *arguments: str) -> float:
    """Milliseconds of one ripgrep."""
    command = [str(program), *arguments, str(root)]
    return await timed(lambda: asyncio.to_thread(subprocess.run, command, stdout=subprocess.DEVNULL, check=False))


async def measured(root: Path, program: Path | None, repeats: int) -> dict[str, object]:
    """All figures, medians."""
    files = Workspace.at(root)
    without = cast("ToolContext", Context(files, {"PATH": ""}))
    with_it = cast("ToolContext", Context(files, {"PATH": "" if program is None else str(program.parent)}))
    await files.walk()
    result: dict[str, object] = {"files": len(await files.walk())}
    for name, pattern in PATTERNS.items():
        rows: list[tuple[float, float, float]] = []
        for _ in range(repeats):
            ours = await timed(lambda: GrepSearch().run({"pattern": pattern}, with_it))  # noqa: B023 # awaited here
            python = await timed(lambda: GrepSearch().run({"pattern": pattern}, without))  # noqa: B023 # awaited here
            rows.append((ours, python, await alone(program, root, "-n", pattern) if program else 0.0))
        result[f"grep_search, {name}"] = _row(rows)
    names: list[tuple[float, float, float]] = []
    for _ in range(repeats):
        ours = await timed(lambda: SearchFiles().run({"query": "usrtok12"}, with_it))
        names.append((ours, ours, await alone(program, root, "--files") if program else 0.0))
    result["search_files"] = _row(names)
    return result


def _row(rows: list[tuple[float, float, float]]) -> dict[str, float]:
    ours, python, rg = (statistics.median(column) for column in zip(*rows, strict=True))
    row = {"ms": round(ours), "ms_without_ripgrep": round(python)}
    if rg:
        ratios = [(first / last, second / last) for first, second, last in rows]
        row |= {
            "ripgrep_ms": round(rg),
            "ratio": round(statistics.median(first for first, _ in ratios), 2),
            "ratio_without_ripgrep": round(statistics.median(second for _, second in ratios), 2),
        }
    return row


def main() -> None:
    """One line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        grow(Path(folder), chosen.files)
        result = asyncio.run(measured(Path(folder), ripgrep(), chosen.repeats))
    print(json.dumps({"benchmark": "search", "seed": SEED, **result}))


if __name__ == "__main__":
    main()
