"""Makes the demo's folder: the packaged example, under git. Refuses a folder that has anything in it."""

import asyncio
import importlib.resources
import shutil
import subprocess
import tempfile
from pathlib import Path

from specloom.cli.failures import CommandError

GIT_S = 30.0
"""Seconds that git may take for the first commit."""
_IDENTITY = ("-c", "user.name=Specloom demo", "-c", "user.email=demo@specloom.invalid")
_QUIET = ("-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null", "-c", "init.defaultBranch=main")


def packaged(name: str) -> Path:
    """A folder of the packaged example."""
    return Path(str(importlib.resources.files("specloom") / "demo" / name))


async def make_folder(stated: str | None) -> Path:
    """Copies the example there, or to a new temporary folder, and commits it. Raises `CommandError`."""
    return await asyncio.to_thread(_make_folder, stated)


def _make_folder(stated: str | None) -> Path:
    source = packaged("project")
    if not source.is_dir():
        raise CommandError("the demo project is missing from this installation; install Specloom again")
    try:
        root = Path(tempfile.mkdtemp(prefix="specloom-demo-")) if stated is None else _empty_folder(Path(stated))
        shutil.copytree(source, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    except OSError as error:
        place = stated or tempfile.gettempdir()
        raise CommandError(
            f"cannot make the demo's folder in {place}: {error.strerror}; name one by --workspace"
        ) from error
    _commit(root)
    return root.resolve()


def _empty_folder(folder: Path) -> Path:
    folder = folder.expanduser().resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CommandError(f"--workspace {folder}: not an empty folder; the demo needs one, or makes one without it")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _commit(root: Path) -> None:
    for words in (("init", "-q"), ("add", "-A"), (*_IDENTITY, "commit", "-q", "-m", "The example as it comes")):
        try:
            done = subprocess.run(
                ["git", *_QUIET, *words], cwd=root, capture_output=True, text=True, timeout=GIT_S, check=False
            )
        except FileNotFoundError as error:
            raise CommandError("git is not installed; install it (apt install git, xcode-select --install)") from error
        except subprocess.TimeoutExpired as error:
            raise CommandError(f"`git {words[-1]}` in {root} did not end within {GIT_S:g} seconds") from error
        if done.returncode:
            raise CommandError(f"git could not commit the example in {root}: {done.stderr.strip()}")
