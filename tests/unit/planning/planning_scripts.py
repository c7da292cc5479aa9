"""A small plan of two specs, as documents and as the answers of a scripted planner."""

from typing import Any

REQUIREMENTS = """# Notes

- R1.1 WHEN a note is saved, THE program SHALL keep it in a file.
- R1.2 IF the file is damaged, THEN THE program SHALL say so.
- R2.1 WHEN the program is called with `list`, THE program SHALL print all notes.
"""

STORE = {
    "id": "01",
    "slug": "store",
    "title": "Store",
    "summary": "Keeps notes in a file.",
    "depends_on": [],
    "requirements": ["R1.1", "R1.2"],
}
COMMANDS = {
    "id": "02",
    "slug": "commands",
    "title": "Commands",
    "summary": "The command line.",
    "depends_on": ["01"],
    "requirements": ["R2.1"],
}

STORE_BODY = """## Purpose

Keeps notes in a file (R1.1, R1.2).

## Interfaces

`notes/store.py`:

- `load(path)` returns a list
- `save(path, notes)` writes it

## Use cases

1. Save a note.
2. Load a damaged file: `StoreError`.

## Dependencies

None; Python 3.11.
"""
COMMANDS_BODY = """## Purpose

The command line (R2.1).

## Interfaces

`python -m notes list` prints one note a line.

## Use cases

List two notes.

## Dependencies

`load` of spec 01.
"""

STORE_TASKS = """- [ ] 1 Save and load notes
  - `notes/store.py` and `tests/test_store.py`
  - _Requirements: R1.1_
  - _Depends: none_
  - _Verify: `python -m pytest -q tests/test_store.py`_
- [ ] 2 Tell of a damaged file
  - `StoreError` names the path
  - _Requirements: R1.2_
  - _Verify: `python -m pytest -q tests/test_damaged.py`_
"""
COMMANDS_TASKS = """- [ ] 1 Print all notes
  - `notes/__main__.py`
  - _Requirements: R2.1_
  - _Depends: 01/2_
  - _Verify: `python -m pytest -q tests/test_list.py`_
"""


def says(text: str, **rest: Any) -> dict[str, Any]:
    """A turn of plain text."""
    return {"answer": [{"text": text}], **rest}


def submits(*specs: dict[str, Any], left_out: tuple[tuple[str, str], ...] = (), **rest: Any) -> dict[str, Any]:
    """A turn that hands in an outline."""
    named = [{"requirement": name, "reason": reason} for name, reason in left_out]
    return {"answer": [{"tool": "submit_outline", "input": {"specs": list(specs), "out_of_scope": named}}], **rest}


def session(first: str, *turns: dict[str, Any]) -> dict[str, Any]:
    """A session known by the first line of its first message."""
    return {"name": first, "first": [first], "turns": list(turns)}


def script(*sessions: dict[str, Any]) -> dict[str, Any]:
    """A script."""
    return {"sessions": list(sessions)}


OUTLINE = session("# Outline: requirements.md", submits(STORE, COMMANDS))
STORE_SPEC = session("# Write spec 01: Store", says(STORE_BODY))
COMMANDS_SPEC = session("# Write spec 02: Commands", says(COMMANDS_BODY))
STORE_LIST = session("# Write the tasks of spec 01: Store", says(STORE_TASKS))
COMMANDS_LIST = session("# Write the tasks of spec 02: Commands", says(COMMANDS_TASKS))
WHOLE = script(OUTLINE, STORE_SPEC, COMMANDS_SPEC, STORE_LIST, COMMANDS_LIST)
