"""Real editors, installed on first use. Refuses to stand in for one: where it cannot be had, the reason is shown."""

import fcntl
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

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
    CACHE.mkdir(parents=True, exist_ok=True)
    # Test processes run side by side: one installs, the others wait for it.
    with (CACHE / f"{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        installed = subprocess.run(
            [ROOT / "scripts" / "install-neovim", suite], capture_output=True, text=True, timeout=540, check=False
        )
    if installed.returncode == 0:
        return Path(installed.stdout.strip())
    reason = installed.stderr.strip() or f"install-neovim {suite}: exit status {installed.returncode}"
    if os.environ.get("CI") == "true" and suite == OLDEST:
        pytest.fail(f"{reason} (no editor, no green run: CI=true)")
    pytest.skip(reason)
