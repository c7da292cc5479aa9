"""Measures reading a large project's documents again. Refuses to judge: it prints one line of JSON.

`python benchmarks/documents.py [--tasks N]`. The files of `graph.py` on a real disk: the first reading, readings where
nothing changed (each task causes several), and readings after one box was ticked; with the tasks of all specs in the
graph, asked for after each reading as the engine does.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

from graph import SIZE, text_of
from specloom.compose.draft_mailbox import DraftMailbox
from specloom.compose.files import read_root
from specloom.compose.options import loaded_options
from specloom.engine.library import Library
from specloom.store.system import SystemClock
from specloom.workspace.workspace import Workspace

REPEATS = 10


def lay(root: Path, count: int) -> list[Path]:
    """The files of a project."""
    (root / "specs").mkdir()
    (root / "requirements.md").write_text("# Measured\n\n- R1.1 THE program SHALL be measured.\n")
    files = [root / "specs" / f"{number:03}-part.md" for number in range(1, count // SIZE + 1)]
    for number, file in enumerate(files, 1):
        file.write_text(text_of(number))
    return files


async def read(library: Library, mailbox: DraftMailbox) -> float:
    """Milliseconds of one reading, with the graph that follows from it."""
    start = time.perf_counter()
    await library.refresh()
    assert mailbox.state.graph.tasks
    return 1000 * (time.perf_counter() - start)


async def measure(root: Path, count: int) -> dict[str, object]:
    """The figures."""
    files = lay(root, count)
    mailbox, clock = DraftMailbox(SystemClock()), SystemClock()
    options = loaded_options(read_root(root), {}, None, None, grant_proposals=False).options
    library = Library(Workspace.at(root), mailbox, options, clock)
    first = await read(library, mailbox)
    same = [await read(library, mailbox) for _ in range(REPEATS)]
    ticked: list[float] = []
    for file in files[:REPEATS]:
        file.write_text(file.read_text().replace("- [ ]", "- [x]", 1))
        ticked.append(await read(library, mailbox))
    return {
        "benchmark": "documents",
        "tasks": len(mailbox.state.graph.order),
        "first_ms": round(first, 1),
        "unchanged_ms_median": round(statistics.median(same), 1),
        "one_ticked_ms_median": round(statistics.median(ticked), 1),
    }


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    count = parser.parse_args().tasks
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(measure(Path(folder), count))))


if __name__ == "__main__":
    main()
