"""Finds the folder that a command means. Refuses to create one."""

from collections.abc import Callable
from pathlib import Path

from specloom.cli.failures import CommandError
from specloom.domain.known_projects import KnownProject, find_project

MARKS = ("requirements.md", "specs", ".kiro", ".specify", "specloom.toml", ".git")
"""Whoever has one of these is a root."""


def find_root(stated: str | None, start: Path, known: Callable[[], tuple[KnownProject, ...]]) -> Path:
    """`--workspace`, else the nearest folder upwards from `start` that has a mark, else `start` itself.

    What is no folder may be the id or the alias of a project, or how one of them begins; `known` tells all there are.
    """
    if stated is not None:
        folder = start / Path(stated).expanduser()
        named = None if "/" in stated or folder.exists() else _named(stated, known())
        return named or _checked(folder)
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in MARKS):
            return folder
    return start


def _named(word: str, known: tuple[KnownProject, ...]) -> Path | None:
    """Raises `CommandError` where the word may mean several."""
    found = find_project(known, word)
    if isinstance(found, KnownProject):
        return _checked(Path(found.root))
    if found.code == "ambiguous-project":
        raise CommandError(f"--workspace {found.message}")
    return None


def _checked(folder: Path) -> Path:
    if not folder.exists():
        raise CommandError(f"--workspace {folder}: there is no such folder, and no project of that name; name another")
    if not folder.is_dir():
        raise CommandError(f"--workspace {folder}: this is a file; name the folder it lies in")
    return folder.resolve()
