"""A run of many sessions needs at its end what it needed at its start; the code is that of the benchmark."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TIER

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "long_run.py"
TURNS = {"test": 2_000, "soak": 20_000}[TIER]
MEMORY = 1.1
"""Ratio of the last fifth to the second one; what is kept of each task and session is in it."""
SOME = 4
CPU = 1.3
"""The same, of what a turn costs; other work beside it moves this by a fifth."""


async def measured() -> dict[str, Any]:
    """The figures of one run."""
    command = (sys.executable, BENCHMARK, "--turns", str(TURNS))
    running = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told, _ = await running.communicate()
    return json.loads(told)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_a_long_run_costs_at_its_end_what_it_cost_at_its_start() -> None:
    figures = await measured()
    if figures["cpu_ms_a_turn"]["ratio"] >= CPU:
        # Cores that share their parts are slower while others are busy, which begins and ends; what grows, grows again.
        figures = await measured()
    assert (figures["turns"], figures["asked"], figures["failures"]) == (TURNS, TURNS, [])
    for name in ("files", "threads", "tasks"):
        # The pool of threads grows to its bound as chance has it; what leaks would be hundreds by then.
        assert figures[name]["last"] <= figures[name]["second"] + SOME, (name, figures[name])
    assert figures["resident_mib"]["ratio"] < MEMORY, figures
    assert figures["cpu_ms_a_turn"]["ratio"] < CPU, figures
