"""The editors that the other tests here drive do start."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.editor


@pytest.mark.parametrize(("suite", "oldest"), [("trixie", (0, 10)), ("forky", (0, 11))])
def test_neovim_starts_and_runs_a_script(
    suite: str, oldest: tuple[int, int], neovim: Callable[[str], Path], tmp_path: Path
) -> None:
    script = tmp_path / "version.lua"
    script.write_text('io.stdout:write(tostring(vim.version()), " ", vim.fn.has("nvim"), "\\n")')
    run = subprocess.run(
        [neovim(suite), "--headless", "-u", "NONE", "-l", script],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env={f"XDG_{kind}_HOME": str(tmp_path) for kind in ("CONFIG", "DATA", "STATE", "CACHE")},
    )
    version = re.match(r"(\d+)\.(\d+)\.\d+\S* 1$", run.stdout.strip())
    assert version, run.stdout
    assert (int(version[1]), int(version[2])) >= oldest
