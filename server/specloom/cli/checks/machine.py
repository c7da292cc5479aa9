"""Python, git, ripgrep and editors of this machine."""

import re
import shutil
import sys

from specloom.cli.checks.check import Check, Level, first_line

NEWEST_TOO_OLD = (3, 10)
OLDEST_NEOVIM = (0, 10)
EDITORS = {"nvim": "Neovim", "code": "VS Code", "hx": "Helix", "emacs": "Emacs"}


def check_python() -> Check:
    """The interpreter that runs this, and the system below it."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}"
    if sys.version_info[:2] <= NEWEST_TOO_OLD:
        return Check("python", Level.FAIL, f"Python {version} is too old", "install Python 3.11 or newer")
    if sys.platform == "win32":
        return Check("python", Level.FAIL, f"Python {version} on Windows", "use WSL, a container or a remote machine")
    return Check("python", Level.OK, f"Python {version}")


async def check_git() -> Check:
    """Needed by many projects' commands, and by the demo."""
    said = await first_line("git", "--version")
    if said is None:
        return Check("git", Level.FAIL, "git is not on PATH", "apt install git, or xcode-select --install")
    return Check("git", Level.OK, said)


async def check_ripgrep() -> Check:
    """Only makes searches faster."""
    said = await first_line("rg", "--version")
    if said is None:
        return Check("ripgrep", Level.WARN, "rg is not on PATH: searches are slower", "apt install ripgrep")
    return Check("ripgrep", Level.OK, said)


async def check_editors() -> Check:
    """Any one editor will do, and none is needed for the command line."""
    found = [name for name in EDITORS if shutil.which(name)]
    if not found:
        return Check(
            "editors", Level.WARN, "no nvim, code, hx or emacs on PATH", "any editor with LSP can run `specloom lsp`"
        )
    neovim = await first_line("nvim", "--version") if "nvim" in found else None
    names = ", ".join(neovim if name == "nvim" and neovim else EDITORS[name] for name in found)
    if neovim is not None and _version(neovim) < OLDEST_NEOVIM:
        return Check("editors", Level.WARN, f"{names}: this Neovim is too old", "install Neovim 0.10 or newer")
    return Check("editors", Level.OK, names)


def _version(text: str) -> tuple[int, int]:
    match = re.search(r"(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)
