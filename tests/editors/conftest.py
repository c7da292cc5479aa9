"""Real editors, installed on first use. Refuses to stand in for one: where it cannot be had, the reason is shown."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.editors.installing import CACHE, ROOT, installed
from tests.editors.vscode_package import packaged
from tests.editors.vscode_workbench import PATH, Installed

OLDEST = "trixie"
"""Its Neovim (0.10) is the oldest that is supported; without it a run on CI has failed."""

InstallNeovim: TypeAlias = Callable[[str], Path]
LONGEST = 660
"""Seconds for a test, in which a Neovim may be installed that was never asked for before."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Gives each test here its time without what installs an editor first, which has a deadline of its own."""
    own = item.get_closest_marker("timeout")
    stated = own.args[0] if own is not None else item.config.getoption("timeout") or LONGEST
    item.add_marker(pytest.mark.timeout(max(stated, LONGEST), func_only=True), append=False)


@pytest.fixture(scope="session")
def neovim() -> InstallNeovim:
    """`neovim("trixie")` or `neovim("forky")`: the path of that Neovim, installed if need be.

    `SPECLOOM_NVIM` names one to use instead, on machines where Debian's packages do not run.
    """
    return _neovim


def _neovim(suite: str) -> Path:
    if own := os.environ.get("SPECLOOM_NVIM"):
        return Path(own)
    return Path(installed("install-neovim", suite, needed=suite == OLDEST)[0])


@pytest.fixture(scope="session")
def workbench() -> Installed:
    """A VS Code workbench and a browser, installed if need be; a run on CI without them has failed."""
    return Installed(*map(Path, installed("install-vscode", needed=True)))


@pytest.fixture(scope="session")
def extension(workbench: Installed) -> Path:
    """The .vsix of this checkout."""
    installed("install-vscode-deps", needed=True)
    return packaged(workbench, CACHE / "extension")


@pytest.fixture(scope="session")
def extension_with_server(workbench: Installed) -> Path:
    """The .vsix of this checkout that brings the server, for the Python that a person finds on the path."""
    found = subprocess.run(
        ["python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        env={"PATH": PATH},
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode != 0 or tuple(map(int, found.stdout.split("."))) < (3, 11):
        pytest.skip(f"needs a python3 of 3.11 or newer on {PATH}, beside that of the tests")
    return Path(installed("package-vscode", "--with-server", found.stdout.strip(), needed=True)[0])


@pytest.fixture
def shots(request: pytest.FixtureRequest) -> Path:
    """Where the screenshots of this test are kept; those of its last run are gone."""
    folder = ROOT / ".cache" / "screenshots" / "vscode" / request.node.name
    shutil.rmtree(folder, ignore_errors=True)
    return folder
