"""A script that plans the greeter in one spec with two tasks."""

from typing import Any

OUTLINE = {
    "specs": [
        {
            "id": "01",
            "slug": "greeting",
            "title": "Greeting",
            "summary": "Two files that greet.",
            "depends_on": [],
            "requirements": ["R1.1", "R1.2"],
        }
    ],
    "out_of_scope": [],
}
BODY = """\
## Purpose

Greets people (R1.1) and says goodbye (R1.2).

## Interfaces

Two text files in the root.

## Use cases

Somebody reads greeting.txt.

## Dependencies

None.
"""
TASKS = """\
- [ ] 1 Write the files
  - [ ] 1.1 Write the greeting
    - A file greeting.txt that says hello.
    - _Requirements: R1.1_
    - _Verify: `grep -q hello greeting.txt`_
  - [ ] 1.2 Write the farewell
    - A file farewell.txt that says goodbye.
    - _Requirements: R1.2_
    - _Verify: `grep -q goodbye farewell.txt`_
"""


def plan_script(**first_turn: Any) -> dict[str, Any]:
    """The planner's three sessions; `first_turn` goes to the outline's."""
    return {
        "sessions": [
            {
                "name": "outline",
                "first": "# Outline: requirements.md",
                "turns": [{"answer": [{"tool": "submit_outline", "input": OUTLINE}], **first_turn}],
            },
            {"name": "body", "first": "# Write spec 01: Greeting", "turns": [{"answer": [{"text": BODY}]}]},
            {
                "name": "tasks",
                "first": "# Write the tasks of spec 01: Greeting",
                "turns": [{"answer": [{"text": TASKS}]}],
            },
        ]
    }
