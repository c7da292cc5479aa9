"""Thousands of edits, damaged as models damage them: made right, refused, never wrong without a twin to blame."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TIER

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "edits.py"
ROUNDS, SEEDS = {"test": (3, (1,)), "soak": (40, tuple(range(2, 7)))}[TIER]
UNDAMAGED = ("none", "twin", "crlf")
HARMLESS = ("white space", "typography", "prefix", "indentation")


@pytest.fixture(scope="module", params=SEEDS)
def figures(request: pytest.FixtureRequest) -> dict[str, Any]:
    command = [sys.executable, str(BENCHMARK), f"--rounds={ROUNDS}", f"--seed={request.param}", "--repeats=1"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=600).stdout)


def test_no_edit_is_wrong_unless_the_stated_line_is_a_twin(figures: dict[str, Any]) -> None:
    assert figures["edits"] >= 10 * 16 * ROUNDS
    assert figures["wrong"] == []


def test_numbers_that_count_the_edits_before_them_are_never_wrong(figures: dict[str, Any]) -> None:
    assert figures["by_damage"]["numbers after the edits before"]["wrong, stated line a twin"] == 0


def test_what_can_be_understood_is_made(figures: dict[str, Any]) -> None:
    found = figures["by_damage"]
    assert {name: found[name]["right"] for name in UNDAMAGED if found[name]["right"] < 0.95} == {}
    assert {name: found[name]["right"] for name in HARMLESS if found[name]["right"] < 0.85} == {}
    assert found["behind the back"]["right"] > 0.6
    assert min(found[name]["right"] for name in found) > 0.05
