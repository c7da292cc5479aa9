"""The files of a root that no ignore rule hides. Refuses to follow links, and to show what is closed to tools."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from specloom.workspace.forbidden import is_forbidden
from specloom.workspace.ports import EntryKind, FolderEntry

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILES = (".gitignore", ".ignore")
"""The later one wins, as in ripgrep."""

ALWAYS = (
    "node_modules/",
    "__pycache__/",
    ".venv/",
    ".tox/",
    ".mypy_cache/",
    ".ruff_cache/",
    ".pytest_cache/",
    ".DS_Store",
)
"""Hidden unless an ignore file takes them back with `!`."""


GROUP = re.compile(r"\(\?P<\w+>")
"""A name may stand once in a pattern: joined rules lose theirs."""


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """The rules written in one folder."""

    start: str
    """The folder: `""` or ending in `/`."""
    rules: "GitIgnoreSpec"
    touched: re.Pattern[str]
    """All rules as one pattern. Most paths match none, and are told so in one step instead of one a rule."""

    @classmethod
    def of(cls, start: str, lines: Sequence[str]) -> "IgnoreFile":
        """From the lines of an ignore file."""
        from pathspec import GitIgnoreSpec

        rules = GitIgnoreSpec.from_lines(lines)
        known = [cast("re.Pattern[str] | None", cast("Any", rule).regex) for rule in rules.patterns]
        whole = "|".join(f"(?:{GROUP.sub('(?:', regex.pattern)})" for regex in known if regex is not None)
        return cls(start, rules, re.compile(whole or "(?!)"))

    def verdict(self, relative: str) -> bool | None:
        """Whether a path (a folder ends in `/`) is hidden; `None`: no rule speaks of it."""
        path = relative[len(self.start) :]
        return self.rules.check_file(path).include if self.touched.search(path) else None


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules in force in one folder: its own and those of the folders above."""

    levels: tuple[IgnoreFile, ...] = ()
    """Outermost first."""

    def hides(self, relative: str, folder: bool) -> bool:
        """Whether the innermost rule that speaks of the path hides it."""
        name = f"{relative}/" if folder else relative
        for level in reversed(self.levels):
            verdict = level.verdict(name)
            if verdict is not None:
                return verdict
        return False

    def below(self, folder: Path, relative: str) -> "IgnoreRules":
        """With the ignore files of `folder`, which is `relative` to the root."""
        lines = [line for name in IGNORE_FILES for line in _lines(folder / name)]
        return self.plus(f"{relative}/" if relative else "", lines) if lines else self

    def plus(self, start: str, lines: Sequence[str]) -> "IgnoreRules":
        """With rules that count below `start`."""
        return IgnoreRules((*self.levels, IgnoreFile.of(start, lines)))


def files_below(root: Path, below: str = "") -> tuple[str, ...]:
    """Paths relative to `root` of all visible files in the folder `below`, sorted. Blocking."""
    rules, hidden = _rules_down_to(root, below)
    return () if hidden else tuple(sorted(_files(root, below, rules)))


def entries_of(root: Path, relative: str) -> tuple[FolderEntry, ...]:
    """What stands in one folder, closed names left out, sorted. Blocking. Raises `OSError`."""
    rules, hidden = _rules_down_to(root, relative)
    rules = rules.below(root / relative, relative)
    with os.scandir(root / relative) as entries:
        found = [
            _entry(entry, _join(relative, entry.name), rules, hidden)
            for entry in entries
            if not is_forbidden(entry.name)
        ]
    return tuple(sorted(found, key=lambda entry: entry.name))


def _rules_down_to(root: Path, relative: str) -> tuple[IgnoreRules, bool]:
    """The rules above `relative`, and whether they hide it."""
    rules = IgnoreRules().plus("", ALWAYS)
    folder = ""
    hidden = False
    for part in relative.split("/") if relative else ():
        rules = rules.below(root / folder, folder)
        folder = _join(folder, part)
        hidden = hidden or rules.hides(folder, folder=True)
    return rules, hidden


def _files(root: Path, relative: str, rules: IgnoreRules) -> Iterator[str]:
    waiting = [(relative, rules)]
    while waiting:
        folder, known = waiting.pop()
        found = _scanned(root / folder)
        if any(entry.name in IGNORE_FILES for entry in found):
            known = known.below(root / folder, folder)
        for entry in found:
            path = _join(folder, entry.name)
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_forbidden(entry.name) or known.hides(path, is_folder):
                continue
            if is_folder:
                waiting.append((path, known))
            elif entry.is_file(follow_symlinks=False):
                yield path


def _scanned(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _entry(entry: os.DirEntry[str], path: str, rules: IgnoreRules, hidden: bool) -> FolderEntry:
    kind = _kind(entry)
    size = entry.stat(follow_symlinks=False).st_size if kind == "file" else 0
    return FolderEntry(entry.name, kind, size, hidden or rules.hides(path, kind == "folder"))


def _kind(entry: os.DirEntry[str]) -> EntryKind:
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "other"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
