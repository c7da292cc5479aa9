"""Formatter, linter and type checker are content; run here so that one command proves it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.repo.tree import ROOT

BIN = Path(sys.executable).parent


def run(*command: str) -> None:
    """Runs one of the tools of the environment; its own words are the message."""
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_is_formatted() -> None:
    run("ruff", "format", "--check", "--quiet", ".")


def test_the_linter_is_content() -> None:
    run("ruff", "check", "--quiet", ".")


@pytest.mark.slow
@pytest.mark.xdist_group("types")
def test_types_are_strict_over_code_and_tests() -> None:
    run("pyright", "--warnings")
