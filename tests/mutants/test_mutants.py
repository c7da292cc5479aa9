"""Breaks promises on purpose, in a copy of the tree, and expects red tests. Refuses to count a crash as red."""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.repo.tree import ROOT, tracked

CATALOGUE = Path(__file__).with_name("catalogue.toml")
PROMISES = {
    "your buffers are the truth",
    "done means proven",
    "nothing is lost",
    "any LSP editor drives all of it",
    "what a repository says is a proposal",
}
GREEN, RED = 0, 1
"""Exit statuses of pytest; all others mean that the tests could not be run."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file that breaks a promise."""

    promise: str
    breaks: str
    file: str
    find: str
    replace: str
    tests: list[str]


MUTANTS = [Mutant(**entry) for entry in tomllib.loads(CATALOGUE.read_text())["mutant"]]
every_mutant = pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.breaks)


@every_mutant
def test_a_mutation_finds_its_place(mutant: Mutant) -> None:
    assert mutant.promise in PROMISES
    assert (ROOT / mutant.file).read_text().count(mutant.find) == 1
    assert mutant.find != mutant.replace
    assert all((ROOT / test.partition("::")[0]).exists() for test in mutant.tests)


@pytest.fixture(scope="module")
def copied_tree() -> Iterator[Path]:
    """All tracked files, tests green, in a folder that other users may read: some tests give up their rights."""
    with tempfile.TemporaryDirectory(prefix="specloom-mutant-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        for path in tracked():
            copy = root / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
        code, report = outcome(sorted({test for mutant in MUTANTS for test in mutant.tests}), root)
        assert code == GREEN, f"not green without a mutation:\n{report}"
        yield root


@pytest.mark.mutants
@pytest.mark.timeout(1800)
@every_mutant
def test_a_broken_promise_turns_its_tests_red(mutant: Mutant, copied_tree: Path) -> None:
    file = copied_tree / mutant.file
    whole = file.read_text()
    file.write_text(whole.replace(mutant.find, mutant.replace))
    try:
        for test in mutant.tests:
            code, report = outcome([test], copied_tree)
            assert code == RED, f"{test} did not notice that {mutant.breaks}:\n{report}"
    finally:
        file.write_text(whole)


def outcome(tests: list[str], root: Path) -> tuple[int, str]:
    """Exit status and report of tests that run on the copy of the package in `root`."""
    environment = {**os.environ, "PYTHONPATH": str(root / "server"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    run = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=900, check=False)
    return run.returncode, run.stdout + run.stderr
