"""The tracked files, for the rules beside this. Refuses files that git does not know: those are nobody's yet."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "server" / "specloom"
MOST_LINES = 500
"""Of a file. A longer one has a second room in it that wants a door."""


@cache
def tracked(*patterns: str) -> tuple[Path, ...]:
    """Tracked files that exist, by pathspecs such as `server/*.py` (`*` crosses folders)."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return tuple(ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file())


def name_of(path: Path) -> str:
    """Relative to the root, for ids of tests and messages."""
    return path.relative_to(ROOT).as_posix()


def sources() -> tuple[Path, ...]:
    """All Python of ours."""
    return tracked("server/*.py", "tests/*.py", "benchmarks/*.py", "scripts/*.py")


def module_of(path: Path) -> str:
    """The dotted name of a file of the package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def syntax_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def text_of(path: Path) -> str | None:
    """A file's text, `None` for binary ones."""
    data = path.read_bytes()
    return None if b"\0" in data else data.decode("utf-8", "replace")
