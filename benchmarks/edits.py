"""Measures `edit_file`: what becomes of damaged edits, and the time of a large batch. Prints one line of JSON.

`python benchmarks/edits.py [--rounds N] [--seed S]`: N calls of one to three edits for each of ten languages and each
kind of damage. Refuses to judge; the tests hold the shares.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from editing.large import edited, resolved
from editing.outcome import VERSION, Case, Ending, cases


def shares(found: Iterable[Case]) -> dict[str, Any]:
    """Counts and shares of a set of cases."""
    counted = Counter(case.ending for case in found)
    n_calls = counted.total()
    return {"calls": n_calls, **{end.value: round(counted[end] / n_calls, 4) for end in Ending}}


def table(found: list[Case], column: str) -> dict[str, Any]:
    """The shares by a property of the cases."""
    names = dict.fromkeys(getattr(case, column) for case in found)
    return {name: shares(case for case in found if getattr(case, column) == name) for name in names}


def median(seconds: list[float]) -> float:
    """In milliseconds."""
    return round(statistics.median(seconds) * 1000, 1)


def main() -> None:
    """Parses the arguments, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="calls for each language and damage")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=9, help="times that the large batch is made")
    arguments = parser.parse_args()
    resolving = resolved(arguments.repeats)
    with tempfile.TemporaryDirectory(prefix="specloom-benchmark-") as folder:
        calls = asyncio.run(edited(Path(folder), arguments.repeats))
    found = list(cases(arguments.seed, arguments.rounds))
    figures = {
        "seed": arguments.seed,
        "python": VERSION,
        "edits": sum(len(case.call.edits) for case in found),
        "wrong": [
            f"{case.damage}, {case.language}: {case.call.edits}" for case in found if case.ending is Ending.WRONG
        ][:5],
        "all": shares(found),
        "by_damage": table(found, "damage"),
        "offset_by_lines": table([case for case in found if case.damage == "offset"], "lines_off"),
        "by_edits_of_a_call": table(found, "size"),
        "by_language": table(found, "language"),
        "batch_of_50_in_100000_lines_ms": {
            "resolve": median(resolving),
            "whole call, file on disk": median(calls),
        },
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
