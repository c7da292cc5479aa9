"""Writes every generated file, or with `--check` says which are stale. Refuses to know how a text is made.

A module that generates has `generated()`: texts by path from the root of the repository.
"""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = (
    "specloom.settings.reference",
    "specloom.settings.editor_schema",
    "specloom.domain.problem_reference",
    "specloom.lsp.generate",
    "vimdoc",
)


def texts() -> Mapping[str, str]:
    """All generated texts; a floor that generates nothing has no such module."""
    found: dict[str, str] = {}
    for name in SOURCES:
        if importlib.util.find_spec(name):
            found |= importlib.import_module(name).generated()
    return found


def stale() -> list[str]:
    """Paths whose text on disk is not what would be written."""
    return [path for path, text in texts().items() if not (ROOT / path).exists() or (ROOT / path).read_text() != text]


def main(arguments: list[str]) -> int:
    """0, or 1 if `--check` found something stale."""
    if "--check" in arguments:
        old = stale()
        for path in old:
            print(f"{path} is stale; run make gen", file=sys.stderr)
        return 1 if old else 0
    for path, text in texts().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
