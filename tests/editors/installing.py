"""Installs what tests drive, by the scripts of this checkout. Refuses to do so twice at once."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "editors"
LONGEST = 1_200
"""Seconds, where all is fetched for the first time: what VS Code has of C++ is compiled for minutes, beside tests."""


def installed(script: str, *words: str, needed: bool) -> list[str]:
    """The lines that an install script prints; skips where it cannot be done, and fails if CI needs it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    # Test processes run side by side: one installs, the others wait for it.
    with (CACHE / f"{'-'.join((script, *words))}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        installed = subprocess.run(
            [ROOT / "scripts" / script, *words], capture_output=True, text=True, timeout=LONGEST, check=False
        )
    if installed.returncode == 0:
        return installed.stdout.splitlines()
    reason = installed.stderr.strip() or f"{' '.join((script, *words))}: exit status {installed.returncode}"
    if os.environ.get("CI") == "true" and needed:
        pytest.fail(f"{reason} (no editor, no green run: CI=true)")
    pytest.skip(reason)
