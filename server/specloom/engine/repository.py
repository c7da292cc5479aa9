"""What git would run by itself in a folder of the root: entries of the repository's own configuration, and its hooks.

Refuses to start git: to ask it would run what is asked about. What cannot be read counts as running programs.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from specloom.domain.permissions.git_config import hooks_path, may_run_hook, programs

LARGEST = 1 << 20
"""Bytes of a configuration that are read."""
LARGEST_INDEX = 64 << 20
MOST = 200
"""Submodules that are looked at."""
GITLINK = re.compile(rb"\x00\x00\xe0\x00.{32}..([^\x00]+)\x00", re.DOTALL)
"""Of an index up to version 3: mode, owner and size, digest, flags, path (gitformat-index(5))."""


@dataclass(frozen=True, slots=True)
class Repository:
    """Where git finds what it reads."""

    top: Path
    folder: Path
    """`.git`, or where that leads."""
    common: Path
    """As `folder`, but shared by all work trees."""


def what_git_runs(place: Path, subcommand: str) -> str:
    """Why git may run a program of the checkout's, for people; empty: it runs none. Blocks."""
    try:
        found = repositories(Path(os.path.realpath(place)))
        return next(filter(None, (_of(repository, subcommand) for repository in found)), "")
    except (OSError, ValueError) as error:
        return f"the repository cannot be read ({error.__class__.__name__})"


def repositories(start: Path) -> Iterator[Repository]:
    """All that `start` lies in, the nearest first: git passes over one that it does not take for whole."""
    for place in (start, *start.parents):
        mark = place / ".git"
        if mark.is_dir():
            yield _with_common(place, mark)
        elif os.path.lexists(mark):
            stated = mark.read_text("utf-8", "replace").removeprefix("gitdir:").strip()
            yield _with_common(place, place / stated)
        elif (place / "HEAD").exists() and (place / "config").exists():
            yield _with_common(place, place)


def nearest(root: Path) -> Repository | None:
    """The repository that git would find in `root`; `None`: there is none, or it cannot be read. Blocks."""
    try:
        return next((found for found in repositories(root) if (found.folder / "HEAD").is_file()), None)
    except (OSError, ValueError):
        return None


def _with_common(top: Path, folder: Path) -> Repository:
    shared = folder / "commondir"
    common = folder / shared.read_text("utf-8", "replace").strip() if shared.exists() else folder
    return Repository(top, folder, common)


def _of(found: Repository, subcommand: str) -> str:
    text = ""
    for config in _configs(found):
        text = _read(config) if config == found.common / "config" else text
        own = config.parent in (found.folder, found.common)
        # Commands of agents set it for the repository itself, not for those within.
        names = [name for name in programs(_read(config), subcommand) if not (own and name == "core.fsmonitor")]
        if names:
            return f"the repository's own configuration sets {names[0]}"
    stated = hooks_path(text)
    return _hook(found, subcommand, stated)


def _hook(found: Repository, subcommand: str, stated: str | None) -> str:
    if stated is not None and stated.startswith(("~", "%")):
        return f"the repository's own configuration sets core.hooksPath to {stated}"
    folder = found.common / "hooks" if stated is None else found.top / stated
    names = sorted(path.name for path in folder.iterdir() if os.access(path, os.X_OK)) if folder.is_dir() else []
    hook = next((name for name in names if may_run_hook(name, subcommand)), None)
    return "" if hook is None else f"the repository has a hook that git may run ({hook})"


def _configs(found: Repository) -> Iterator[Path]:
    """Its own, and those of the submodules that `status` and `diff` look into."""
    yield from (found.common / "config", found.folder / "config.worktree")
    yield from islice((found.common / "modules").rglob("config"), MOST)
    for path in _gitlinks(found):
        inner = found.top / path
        if os.path.lexists(inner / ".git"):
            yield from (below.common / "config" for below in islice(repositories(inner), 1))


def _gitlinks(found: Repository) -> Iterator[str]:
    index = found.folder / "index"
    if not index.is_file() or index.stat().st_size > LARGEST_INDEX:
        return
    data = index.read_bytes()
    if data[4:8] == b"\x00\x00\x00\x04" and GITLINK.search(data):
        raise ValueError("an index of this version names no whole paths")
    yield from (os.fsdecode(link[1]) for link in islice(GITLINK.finditer(data), MOST))


def _read(path: Path) -> str:
    if not path.exists():
        return ""
    if path.stat().st_size > LARGEST:
        raise ValueError("a configuration is too large")
    return path.read_text("utf-8", "replace")
