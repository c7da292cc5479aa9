"""A machine that lacks something is told what, and how to mend it, in one line."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repo.tree import ROOT

NEEDED = ("sh", "cat", "cksum", "dirname", "rm", "env")
OLD_PYTHON = "exit 1"
PYTHON_WITHOUT_VENV = 'case "$2" in *ensurepip*) exit 1;; esac; exit 0'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `scripts/setup` reads, and a `PATH` of its own in `bin`."""
    for name in ("scripts/setup", "requirements/run.txt", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for tool in NEEDED:
        found = shutil.which(tool)
        assert found
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def add(checkout: Path, tool: str, script: str = "exit 0") -> None:
    path = checkout / "bin" / tool
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def refusal(checkout: Path) -> str:
    """The last line of what `scripts/setup run` says when it stops."""
    run = subprocess.run(
        [checkout / "scripts" / "setup", "run"],
        env={"PATH": str(checkout / "bin")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 2
    assert not list(checkout.glob(".venv/stamp-*"))
    return run.stderr.splitlines()[-1]


def test_without_git(checkout: Path) -> None:
    assert "git is missing; install it (Debian, Ubuntu: apt install git" in refusal(checkout)


def test_with_a_python_that_is_too_old(checkout: Path) -> None:
    add(checkout, "git")
    add(checkout, "python3", OLD_PYTHON)
    assert "no Python 3.11 or newer found; install one and name it" in refusal(checkout)


def test_with_a_python_without_venv(checkout: Path) -> None:
    add(checkout, "git")
    add(checkout, "python3", PYTHON_WITHOUT_VENV)
    assert "python3 has no venv module; install it (Debian, Ubuntu: apt install python3-venv)" in refusal(checkout)


def test_with_an_index_out_of_reach_the_lock_is_named(checkout: Path) -> None:
    add(checkout, "git")
    (checkout / ".venv" / "bin").mkdir(parents=True)
    python = checkout / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\ncase "$1" in -m) exit 1;; esac\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    add(checkout, "python3")
    assert "pip could not install requirements/run.txt; is a package index reachable" in refusal(checkout)
