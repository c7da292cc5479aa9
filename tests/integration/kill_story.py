"""A run that may be cut anywhere, any number of times, and whose every effect can be counted in a file afterwards.

The scripted model does what a careful one would: where the outcome of a call is unknown it looks, and goes on with the
step whose effect is not there. So nothing is done twice by it, and what is done twice was done by the engine.
"""

from pathlib import Path
from typing import Any

from tests.integration.projects import session
from tests.integration.rotation_story import SMALL_WINDOW
from tests.integration.stage import Json, command, project, read, replace_line, review, says, script, task, turn, write

QUESTION = "Which unit?"
ANSWER = "Metres, always."
WORDS = "And keep it *short*, please"
EFFECTS = "effects.log"
MOST_TURNS = 40
"""Of a session, with all that cuts add to it."""
LOOK = """\
has() { grep -qx "$1" effects.log 2>/dev/null; }
case $1 in
  1) if ! [ -e a.txt ]; then echo next: write
     elif ! has one; then echo next: first
     elif ! grep -qx two a.txt; then echo next: edit
     else echo next: hand over; fi ;;
  2) if ! has two; then echo next: second
     elif ! has three; then echo next: third
     else echo next: claim; fi ;;
  3) if [ -e b.txt ]; then echo next: claim; else echo next: bad; fi ;;
  4) if grep -qx bad b.txt; then echo next: mend; elif ! has four; then echo next: fourth; else echo next: claim; fi ;;
  5) if [ -e c.txt ]; then echo next: claim; else echo next: last; fi ;;
esac
"""
ASKS = {"tool": "ask_user", "input": {"question": QUESTION}}
HANDS_OVER = {"tool": "continue_in_new_session", "input": {"remaining": "The second and the third effect."}}


def kill_project(root: Path) -> Path:
    """A task in two sessions with a question, one whose first attempt fails, one that is reviewed."""
    project(
        root,
        task(1, "sleep 0.02; grep -qx two a.txt", "grep -qx three effects.log"),
        task(2, "sleep 0.02; grep -qx good b.txt", "grep -qx four effects.log"),
        task(3, requirements="R1.2"),
    )
    (root / "look.sh").write_text(LOOK)
    return root


def kill_script() -> Json:
    """Each turn takes the step that follows from the newest message; whatever a cut left there is looked into."""
    first = "# Task 01/1 (attempt 1)"
    return script(
        session("steps", first, turns=_turns(1, _first()), not_first="# Hand-over", optional=True),
        session("more steps", "This is session 2 of the attempt", turns=_turns(2, _second()), optional=True),
        session("fails", "# Task 01/2 (attempt 1)", turns=_turns(3, _fails()), optional=True),
        session("mends", "# Task 01/2 (attempt 2)", turns=_turns(4, _mends()), optional=True),
        session("last", "# Task 01/3 (attempt 1)", turns=_turns(5, _last()), optional=True),
        review(3, turn(read("c.txt")), turn(_PASSES)),
        session("summariser", "You are the summariser of Specloom", turns=[turn(says("Go on."))], optional=True),
    ) | {"model": {"id": "scripted-1", "max_input_tokens": SMALL_WINDOW * 4, "max_tokens": 4_000}}


def effect(name: str) -> Json:
    """A command that takes a while before and after the one effect that it has."""
    return command(f"sleep 0.02; echo {name} >> {EFFECTS}; echo {name} is there; sleep 0.02; echo went {name}")


def _turns(part: int, steps: list[Json]) -> list[Json]:
    looks = turn(command(f"sh look.sh {part}"))
    return [{"branches": [*steps, looks], "optional": True}] * MOST_TURNS


def _step(answer: Json, *after: str) -> list[Json]:
    """One answer, after any of these."""
    return [turn(answer, expect=text) for text in after]


def _first() -> list[Json]:
    return [
        *_step(ASKS, "# Task 01/1 (attempt 1)"),
        *_step(write("a.txt", "one\n"), f"the user answers: {ANSWER}", "next: write"),
        *_step(effect("one"), "a.txt created", "next: first"),
        *_step(replace_line("a.txt", 1, "one", "two"), "a.txt (1 line)"),
        *_step(read("a.txt"), "went one", "next: edit"),
        *_step(HANDS_OVER, "1 edit made", "next: hand over"),
    ]


def _second() -> list[Json]:
    return [
        *_step(effect("three"), "went two", "next: third"),
        *_step(says(), "went three", "next: claim"),
        *_step(effect("two"), "This is session 2", "next: second"),
    ]


def _fails() -> list[Json]:
    return [
        *_step(write("b.txt", "bad\n"), "# Task 01/2", "next: bad"),
        *_step(says("I think that is it."), "b.txt created", "next: claim"),
    ]


def _mends() -> list[Json]:
    mended = replace_line("b.txt", 1, "bad", "good")
    return [
        *_step(read("b.txt"), "# Task 01/2"),
        *_step(effect("four"), "next: fourth"),
        *_step(says(), "went four", "next: claim"),
        *_step(mended, "b.txt (1 line)", "next: mend"),
    ]


def _last() -> list[Json]:
    return [
        *_step(write("c.txt", "reviewed\n"), "# Task 01/3", "next: last"),
        *_step(says(), "c.txt created", "next: claim"),
    ]


_PASSES: dict[str, Any] = {
    "tool": "submit_review",
    "input": {
        "verdict": "pass",
        "citations": [{"requirement": "R1.2", "path": "c.txt", "line": 1}],
        "summary": "It is there.",
    },
}
