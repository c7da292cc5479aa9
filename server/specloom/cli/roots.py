"""Finds the folder that a command means. Refuses to create one."""

from pathlib import Path

from specloom.cli.failures import CommandError

MARKS = ("requirements.md", "specs", ".kiro", ".specify", "specloom.toml", ".git")
"""Whoever has one of these is a root."""


def find_root(stated: str | None, start: Path) -> Path:
    """`--workspace`, else the nearest folder upwards from `start` that has a mark, else `start` itself."""
    if stated is not None:
        return _checked(start / Path(stated).expanduser())
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in MARKS):
            return folder
    return start


def _checked(folder: Path) -> Path:
    if not folder.exists():
        raise CommandError(f"--workspace {folder}: there is no such folder; create it or name another")
    if not folder.is_dir():
        raise CommandError(f"--workspace {folder}: this is a file; name the folder it lies in")
    return folder.resolve()
