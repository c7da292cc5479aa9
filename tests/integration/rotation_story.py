"""A task of many steps that can be told in one session or in as many as it has steps."""

from pathlib import Path
from typing import Any

from tests.integration.projects import session
from tests.integration.stage import Json, command, project, says, script, task, turn, write

SMALL_WINDOW = 12_500
"""Tokens: tools, system text and a hand-over leave room for one long output."""
QUESTION = "Which unit?"
ASKS = {"tool": "ask_user", "input": {"question": QUESTION}}
UNKNOWN = "The outcome is unknown"
WORDS = 'Metres, always.\n\n```\nnever "feet"\n```\n## And: no `inch`, ünit ✓'
"""What a person answers: lines, fences, a heading and quotes are his own."""
LONG = "seq 1 7000"
SUMMARY = "The next step remains; see which file is there."


def rotation_project(root: Path, steps: int) -> Path:
    """One task, proven by what its last and its first step leave."""
    return project(root, task(1, f"grep -qx {steps} step{steps}.txt", "test -f step1.txt"))


def step(number: int, *, long: bool) -> list[Json]:
    """The calls of one step; a `long` one fills a small window."""
    return [write(f"step{number}.txt", f"{number}\n"), command(f"{LONG if long else 'true'}; echo step {number}")]


def in_one(steps: int) -> Json:
    """All steps in one session."""
    turns = [turn(ASKS), *(turn(*step(number, long=is_long(number))) for number in range(1, steps + 1)), turn(says())]
    return script(session("whole", "# Task 01/1 (attempt 1)", turns=turns, not_first="# Hand-over"))


def in_many(steps: int) -> Json:
    """A session a step: those of odd steps are full after it, the others hand over by themselves."""
    sessions = [_of_step(number, steps) for number in range(1, steps + 1)]
    summary = session("summariser", "You are the summariser of Specloom", turns=[turn(says(SUMMARY))])
    told: Json = script(*sessions, summary)
    return told | {"model": {"id": "scripted-1", "max_input_tokens": SMALL_WINDOW, "max_tokens": 4_000}}


def is_long(number: int) -> bool:
    """Whether a step fills the window."""
    return number % 2 == 1


def remaining(number: int) -> str:
    """What the session of an even step says when it hands over."""
    return f"Step {number + 1} and those after it."


def _of_step(number: int, steps: int) -> Json:
    turns = [turn(ASKS)] if number == 1 else []
    turns.append(turn(*step(number, long=is_long(number) and number < steps)))
    if number == steps:
        turns.append(turn(says()))
    elif not is_long(number):
        turns.append(turn({"tool": "continue_in_new_session", "input": {"remaining": remaining(number)}}))
    first: dict[str, Any] = {"not_first": "# Hand-over"} if number == 1 else {}
    opening = "# Task 01/1 (attempt 1)" if number == 1 else f"This is session {number} of the attempt"
    return session(f"step {number}", opening, turns=turns, **first)


def crash_story(steps: int) -> Json:
    """As `in_many`, without a question, and with a step that mends whatever a cut leaves unknown."""
    told = in_many(steps)
    for number, part in enumerate(told["sessions"][:-1], start=1):
        first, *rest = [item for item in part["turns"] if item["answer"] != [ASKS]]
        long = f"{LONG}; " if is_long(number) and number < steps else ""
        mends = turn(command(f"printf '{number}\\n' > step{number}.txt; {long}echo mended"), expect=UNKNOWN)
        last = [item | {"optional": True} for item in rest]
        part["turns"] = [first, {"branches": [mends, *rest], "optional": not rest}, *last]
    return told
