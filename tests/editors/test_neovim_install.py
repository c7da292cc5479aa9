"""The ways into Neovim that the plugin's README names, each as a person would copy it."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.editors.nvim_client.headless import headless
from tests.editors.nvim_client.person import DEADLINE, PLUGIN
from tests.integration.projects import greeter

pytestmark = pytest.mark.editor


def repository(folder: Path) -> None:
    """The plugin where a checkout has it, committed."""
    shutil.copytree(PLUGIN, folder / "clients" / "neovim")
    person = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init", "-q"), ("add", "."), (*person, "commit", "-q", "-m", "All")):
        subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, timeout=DEADLINE)


def ways() -> dict[str, str]:
    """Lua of the README, by what it puts the plugin in with."""
    install = (PLUGIN / "README.md").read_text().partition("## Install")[2].partition("\n## ")[0]
    pack, plain = re.findall(r"```lua\n(vim\..+?)```", install, re.DOTALL)
    # Nobody is there to say yes.
    return {"vim.pack": pack.replace("load = false", "load = false, confirm = false"), "runtimepath": plain}


@pytest.mark.parametrize(("suite", "way"), [("trixie", "runtimepath"), ("forky", "runtimepath"), ("forky", "vim.pack")])
def test_what_the_readme_says_installs_it(suite: str, way: str, neovim: Callable[[str], Path], tmp_path: Path) -> None:
    repository(tmp_path / "home" / "specloom")
    init = tmp_path / "init.lua"
    init.write_text(ways()[way].replace("/home/me", str(tmp_path / "home")))
    root = greeter(tmp_path / "greeter")
    words = ("requirements.md", "-c", "Specloom help", "-c", "echo &filetype expand('%:t')")
    told = headless(neovim(suite), root, *words, start=("-u", str(init)))
    assert "Specloom: no server: pipx install" in told
    assert "help specloom.txt" in told
