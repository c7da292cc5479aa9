"""Real editors, installed on first use. Refuses to stand in for one: where it cannot be had, the reason is shown."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.editors.vscode_package import packaged
from tests.editors.vscode_workbench import Installed

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "editors"
OLDEST = "trixie"
"""Its Neovim (0.10) is the oldest that is supported; without it a run on CI has failed."""

InstallNeovim: TypeAlias = Callable[[str], Path]


@pytest.fixture(scope="session")
def neovim() -> InstallNeovim:
    """`neovim("trixie")` or `neovim("forky")`: the path of that Neovim, installed if need be.

    `SPECLOOM_NVIM` names one to use instead, on machines where Debian's packages do not run.
    """
    return _neovim


def _neovim(suite: str) -> Path:
    if own := os.environ.get("SPECLOOM_NVIM"):
        return Path(own)
    return Path(_installed("install-neovim", suite, needed=suite == OLDEST)[0])


@pytest.fixture(scope="session")
def workbench() -> Installed:
    """A VS Code workbench and a browser, installed if need be; a run on CI without them has failed."""
    return Installed(*map(Path, _installed("install-vscode", needed=True)))


@pytest.fixture(scope="session")
def extension(workbench: Installed) -> Path:
    """The .vsix of this checkout."""
    if (ROOT / "scripts" / "install-vscode-deps").exists():
        _installed("install-vscode-deps", needed=True)
    return packaged(workbench, CACHE / "extension")


@pytest.fixture
def shots(request: pytest.FixtureRequest) -> Path:
    """Where the screenshots of this test are kept; those of its last run are gone."""
    folder = ROOT / ".cache" / "screenshots" / "vscode" / request.node.name
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _installed(script: str, *words: str, needed: bool) -> list[str]:
    """The lines that an install script prints; skips where it cannot be done, and fails if CI needs it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    # Test processes run side by side: one installs, the others wait for it.
    with (CACHE / f"{'-'.join((script, *words))}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        installed = subprocess.run(
            [ROOT / "scripts" / script, *words], capture_output=True, text=True, timeout=540, check=False
        )
    if installed.returncode == 0:
        return installed.stdout.splitlines()
    reason = installed.stderr.strip() or f"{' '.join((script, *words))}: exit status {installed.returncode}"
    if os.environ.get("CI") == "true" and needed:
        pytest.fail(f"{reason} (no editor, no green run: CI=true)")
    pytest.skip(reason)
