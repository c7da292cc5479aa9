"""What the model says in the stories that a person plays in the workbench, and the projects that they begin with."""

import json
from pathlib import Path
from typing import Any

from tests.integration.projects import SPEC, WRITES, greeter
from tests.unit.planning.planning_scripts import says, script, submits
from tests.unit.planning.planning_scripts import session as planned

DELTA = 12
"""Characters of a delta where the model streams long answers."""
END = "\n\nThe end is here."
REQUIREMENTS = """# Greeter

- R1.1 THE greeting SHALL end with an exclamation mark.
- R1.2 THE program SHALL say goodbye.
"""
CODE = 'def greet(name):\n    return "Hello " + name\n'
OUTLINE = {
    "id": "01",
    "slug": "greeter",
    "title": "Greeter",
    "summary": "Greets people, and says goodbye.",
    "depends_on": [],
    "requirements": ["R1.1", "R1.2"],
}
BODY = """## Purpose

Greets people by name (R1.1), and says goodbye (R1.2).

## Interfaces

`greet.py`: `greet(name)` returns the greeting; `bye.py`: `bye(name)` the farewell.

## Use cases

Greet Ann: `Hello Ann!`. Say goodbye: `Bye Ann`.

## Dependencies

None; Python 3.11.
"""
TASKS = """- [ ] 1 Greeting
  - [ ] 1.1 Say goodbye
    - `bye.py`: `bye`
    - _Requirements: R1.2_
    - _Depends: none_
    - _Verify: `python3 -c "from bye import bye; assert bye('Ann') == 'Bye Ann'"`_
  - [ ] 1.2 End with an exclamation mark
    - `greet.py`: `greet` adds it
    - _Requirements: R1.1_
    - _Verify: `python3 -c "from greet import greet; assert greet('Ann') == 'Hello Ann!'"`_
"""
MANY = "- [ ] {number} Task number {number}\n  - _Requirements: R1.1_\n  - _Depends: none_\n  - _Verify: `true`_\n"
FAREWELL = 'def bye(name):\n    return "Bye " + name\n'
LINE = '    return "Hello " + name'
EDIT = {"start_line": 2, "start_text": LINE, "end_line": 2, "end_text": LINE, "new_text": f'{LINE} + "!"'}

FIRST: list[dict[str, Any]] = [
    {
        "answer": [
            {"thinking": "Nothing says goodbye yet.\n\nA function of its own will do."},
            {"text": "I write **bye.py**:\n\n1. a function\n2. nothing else"},
            {"tool": "write_file", "input": {"path": "bye.py", "content": FAREWELL}},
        ]
    },
    {
        "answer": [
            {"text": "Now I try `bye.py:2`."},
            {
                "tool": "run_command",
                "input": {"command": "cd $(pwd); for n in 1 2 3; do python3 -c 'print(6 * 7)'; done"},
            },
        ]
    },
    {
        "expect": "42",
        "answer": [{"text": "It answers."}, {"tool": "read_file", "input": {"path": "bye.py"}}],
        "hold": "steered",
    },
    {
        "expect": "Keep it short",
        "answer": [{"text": ["Short it is."] * 40}, {"tool": "list_directory", "input": {}}],
        "hold": "reloaded",
        "hold_after_events": 12,
    },
    {"answer": [{"text": "bye.py says goodbye."}]},
]
SECOND: list[dict[str, Any]] = [
    {"answer": [{"tool": "read_file", "input": {"path": "greet.py"}}]},
    {"answer": [{"tool": "edit_file", "input": {"path": "greet.py", "edits": [EDIT]}}], "hold": "typed"},
    {"answer": [{"text": "It ends with an exclamation mark."}], "hold": "killed"},
]


def project(root: Path) -> Path:
    """Requirements, and code that serves none of them."""
    root.mkdir()
    (root / "requirements.md").write_text(REQUIREMENTS)
    (root / "greet.py").write_text(CODE)
    return root


def whole_job() -> dict[str, Any]:
    """A plan of one spec with two tasks, held wherever the person has something to do."""
    return script(
        planned("# Outline: requirements.md", submits(OUTLINE)),
        planned("# Write spec 01: Greeter", says(BODY, hold="half", hold_after_events=8)),
        planned("# Write the tasks of spec 01: Greeter", says(TASKS)),
        planned("# Task 01/1.1 (attempt 1)", *FIRST),
        planned("# Task 01/1.2 (attempt 1)", *SECOND),
    )


def folders(place: Path) -> Path:
    """A workspace of two small projects, one of ten thousand tasks, and a folder that is none; its file."""
    streaming(place / "greeter")
    greeter(place / "other", SPEC.split("  - [ ] 1.2")[0].replace('"01"', '"07"'))
    (place / "notes").mkdir()
    (place / "notes" / "README.md").write_text("# Notes\n")
    many = place / "many" / "specs"
    many.mkdir(parents=True)
    (place / "many" / "requirements.md").write_text("# Many\n\n- R1.1 THE work SHALL be done.\n")
    for number in range(100):
        head = f'---\nid: "{number:02d}"\ntitle: Part {number}\ndepends_on: []\nrequirements: [R1.1]\n---\n'
        tasks = "".join(MANY.format(number=task) for task in range(1, 101))
        (many / f"{number:02d}-part.md").write_text(f"{head}\n# Part {number}\n\n## Tasks\n\n{tasks}")
    workspace = place / "all.code-workspace"
    workspace.write_text(json.dumps({"folders": [{"path": name} for name in ("greeter", "other", "notes", "many")]}))
    return workspace


def begun() -> dict[str, Any]:
    """Two first answers, which nobody waits for."""
    turn = {"answer": [{"text": "I begin."}], "hold": "never"}
    return script(*(planned(f"# Task {task} (attempt 1)", turn) for task in ("01/1.1", "07/1.1")))


def streaming(root: Path) -> Path:
    """One task that is to be worked on."""
    return greeter(root, SPEC.split("  - [ ] 1.2")[0])


def long_answer(deltas: int, *, ends: bool = True) -> dict[str, Any]:
    """Its first answer streams in this many pieces of `DELTA` characters, in one line unless that `ends`.

    The second answer waits until it is released.
    """
    line = "The agent says one more sentence of its long answer, with `code` and **weight**.\n"
    text = "".join(line if number % 6 else "\n" for number in range(deltas * DELTA // len(line) * 6 // 5 + 1))
    text = text if ends else text.replace("\n", " ")
    said = {"text": text[: deltas * DELTA - len(END)] + END}
    turns = [{"answer": [said, *WRITES[0]["answer"][1:]], "hold": "begin"}, WRITES[1] | {"hold": "more"}]
    return script(planned("# Task 01/1.1 (attempt 1)", *turns))
