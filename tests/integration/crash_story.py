"""One run that has everything in it, told so that it can be cut anywhere: each effect has an answer to *unknown*."""

from pathlib import Path
from typing import Any

from tests.integration.stage import (
    attempt,
    command,
    project,
    read,
    replace_line,
    review,
    says,
    script,
    task,
    turn,
    write,
)

UNKNOWN = "The outcome is unknown"
FILES = {"a.txt": "two\n", "runs.txt": "ran\n", "b.txt": "good\n", "c.txt": "reviewed\n"}
"""What stands there at the end, cut or not."""


def crash_project(root: Path) -> Path:
    """A task of several kinds of calls; one whose first attempt fails; one that is reviewed."""
    return project(
        root,
        task(1, "grep -q two a.txt", "test -f runs.txt"),
        task(2, "grep -q good b.txt"),
        task(3, requirements="R1.2"),
    )


def crash_script() -> dict[str, Any]:
    """After a cut the model is told that an outcome is unknown, and mends it in a way that may be done twice."""
    return script(_edits(), _fails(), _repairs(), _writes(), _passes())


def _turns(repairs: list[dict[str, Any]], steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A turn more than steps; each takes the step that follows from the newest message, or mends what was cut."""
    branches = [{**repair, "expect": UNKNOWN} for repair in repairs]
    turns = [{"branches": [*branches[n : n + 1], *steps]} for n in range(len(steps))]
    return [*turns, {"branches": steps, "optional": True}]


def _edits() -> dict[str, Any]:
    repairs = [
        turn(command("printf 'one\\n' > a.txt; echo wrote"), read("a.txt")),
        turn(command("[ -s runs.txt ] || echo ran > runs.txt; echo went")),
        turn(command("printf 'two\\n' > a.txt; echo changed")),
    ]
    steps = [
        turn(command("sleep 0.05; echo ran >> runs.txt; echo went"), expect="a.txt created"),
        turn(command("sleep 0.05; echo ran >> runs.txt; echo went"), expect="wrote"),
        turn(replace_line("a.txt", 1, "one", "two"), expect="went"),
        turn(says(), expect="1 edit made"),
        turn(says(), expect="changed"),
    ]
    turns = _turns(repairs, steps)[:3]
    last = [{"branches": steps, "optional": True}] * 2
    return attempt(1, turn(write("a.txt", "one\n")), *turns, *last)


def _fails() -> dict[str, Any]:
    repair = turn(command("printf 'bad\\n' > b.txt; echo wrote"), expect=UNKNOWN)
    claim = turn(says("I think that is it."), expect="b.txt")
    last = turn(says("I think that is it."), expect="wrote")
    return attempt(2, turn(write("b.txt", "bad\n")), {"branches": [repair, claim]}, last | {"optional": True})


def _repairs() -> dict[str, Any]:
    repair = turn(command("printf 'good\\n' > b.txt; echo wrote"), expect=UNKNOWN)
    claim = turn(says(), expect="made")
    last = turn(says(), expect="wrote")
    edit = replace_line("b.txt", 1, "bad", "good")
    return attempt(2, turn(read("b.txt")), turn(edit), {"branches": [repair, claim]}, last | {"optional": True}, at=2)


def _writes() -> dict[str, Any]:
    repair = turn(command("printf 'reviewed\\n' > c.txt; echo wrote"), expect=UNKNOWN)
    claim = turn(says(), expect="c.txt")
    last = turn(says(), expect="wrote")
    return attempt(3, turn(write("c.txt", "reviewed\n")), {"branches": [repair, claim]}, last | {"optional": True})


def _passes() -> dict[str, Any]:
    verdict = {
        "verdict": "pass",
        "citations": [{"requirement": "R1.2", "path": "c.txt", "line": 1}],
        "summary": "It is there.",
    }
    return review(3, turn(read("c.txt")), turn({"tool": "submit_review", "input": verdict}))
