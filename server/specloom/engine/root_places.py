"""Where the paths of commands lead on a real root. Refuses to judge: the domain does."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path

from specloom.domain.permissions.places import Place, Standing
from specloom.engine.repository import what_git_runs
from specloom.tools.writing import covers
from specloom.workspace.forbidden import FOLDERS, is_forbidden

MOST = 5_000
"""Files and folders that are looked at for one question."""
GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class RootPlaces:
    """`domain.permissions.places.Places` on a real root; blocks."""

    root: Path
    """Without links."""
    read_only: tuple[str, ...] = ()
    closed: Path | None = None
    """Where grants are kept, should that be below the root."""

    def find(self, path: str, folder: str) -> Place:
        """Links are followed, also those of a folder that does not exist yet."""
        try:
            real = Path(os.path.realpath(self.root / folder / path))
        except (OSError, ValueError):
            return Place(path, Standing.OUTSIDE)
        if not real.is_relative_to(self.root):
            return Place(path, Standing.OUTSIDE)
        relative = real.relative_to(self.root).as_posix()
        shown = "" if relative == "." else relative
        if any(map(is_forbidden, Path(shown).parts)) or any(map(is_forbidden, Path(path).parts)):
            return Place(shown, Standing.CLOSED)
        if self.closed is not None and real.is_relative_to(self.closed):
            return Place(shown, Standing.CLOSED)
        closed = any(covers(item, shown) for item in self.read_only)
        return Place(shown, Standing.READ_ONLY if closed else Standing.OPEN)

    def may_be_bare(self, folder: str) -> bool:
        """Going upwards, git stops at `.git`, or where `HEAD`, `objects` and `refs` lie; here `HEAD` is enough."""
        real = Path(os.path.realpath(self.root / folder))
        for place in (real, *real.parents):
            if os.path.lexists(place / ".git"):
                return False
            if os.path.lexists(place / "HEAD"):
                return True
        return False

    def holds(self, path: str, folder: str) -> Standing:
        """Looks at the folder itself, not at all that is below it."""
        try:
            real = Path(os.path.realpath(self.root / folder / path))
            if self.root.is_relative_to(real) or any(os.path.lexists(real / name) for name in FOLDERS):
                return Standing.CLOSED
        except (OSError, ValueError):
            return Standing.OUTSIDE
        if self.closed is not None and self.closed.is_relative_to(real):
            return Standing.CLOSED
        inside = real.relative_to(self.root).as_posix() if real.is_relative_to(self.root) else "/"
        documents = any(item.startswith(f"{inside}/") for item in self.read_only)
        return Standing.READ_ONLY if documents else Standing.OPEN

    def below(self, path: str, folder: str) -> tuple[Place, ...] | None:
        """Links are not followed."""
        top = Path(os.path.normpath(self.root / folder / path))
        found = tuple(islice(self._walk(top), MOST + 1))
        return None if len(found) > MOST else found

    def _walk(self, path: Path) -> Iterator[Place]:
        if path.is_symlink():
            yield Place(os.path.relpath(path, self.root), Standing.OUTSIDE)
        elif path.exists():
            place = self.find(str(path), "")
            yield place
            # What is closed is so as a whole.
            for below in _listed(path) if place.standing is not Standing.CLOSED else ():
                yield from self._walk(below)

    def expand(self, pattern: str, folder: str) -> tuple[str, ...] | None:
        """As the shell does without options of its own."""
        if "[:" in pattern or "**" in pattern:
            return None
        top = Path("/") if pattern.startswith("/") else self.root / folder
        parts = [part for part in pattern.replace("[^", "[!").split("/") if part]
        try:
            found = tuple(islice(_expanded(top, "/" if pattern.startswith("/") else "", parts), MOST + 1))
        except (OSError, ValueError):
            return None
        return None if len(found) > MOST else found

    def is_folder(self, path: str, folder: str) -> bool:
        """Links are followed."""
        try:
            return (self.root / folder / path).is_dir()
        except (OSError, ValueError):
            return False

    def git_runs(self, folder: str, subcommand: str) -> str:
        """Its configuration and its hooks are read; what belongs to the user alone is not."""
        return what_git_runs(self.root / folder, subcommand)


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK) else []


def _expanded(folder: Path, shown: str, parts: list[str]) -> Iterator[str]:
    """Every name below a folder that fits the parts; a dot at the beginning has to be written."""
    if not parts:
        yield shown.rstrip("/")
        return
    part, rest = parts[0], parts[1:]
    names = [part] if not GLOB.search(part) else [path.name for path in _listed(folder)]
    for name in names:
        hidden = name.startswith(".") and not part.startswith(".")
        if name == part or (not hidden and fnmatchcase(name, part)):
            yield from _expanded(folder / name, f"{shown}{name}/", rest)
