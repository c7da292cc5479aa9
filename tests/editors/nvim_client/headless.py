"""A Neovim without a screen that does as told and quits."""

import subprocess
from pathlib import Path

from tests.editors.nvim_client.person import DEADLINE, PLUGIN

WITH_PLUGIN = ("--clean", "-n", "--cmd", f"set rtp^={PLUGIN}")


def headless(neovim: Path, root: Path, *words: str, start: tuple[str, ...] = WITH_PLUGIN) -> str:
    """What it says that is started in a folder; its home is beside that."""
    home = root.parent / "home"
    places = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    ran = subprocess.run(
        [neovim, "--headless", *start, *words, "-c", "qa!"],
        cwd=root,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), **places},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr
