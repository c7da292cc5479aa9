"""An answer that is cut off at its length limit is continued, not asked again."""

from specloom.planning.ports import NotPlanned, Planned
from tests.unit.planning.planning_desk import Desk
from tests.unit.planning.planning_scripts import (
    COMMANDS,
    COMMANDS_LIST,
    COMMANDS_SPEC,
    OUTLINE,
    REQUIREMENTS,
    STORE,
    STORE_BODY,
    STORE_LIST,
    STORE_SPEC,
    STORE_TASKS,
    says,
    script,
    session,
    submits,
)

PATH = "specs/01-store.md"
REST = (COMMANDS_SPEC, STORE_LIST, COMMANDS_LIST)
HALF = STORE_BODY.index("returns a list")
LINE = STORE_BODY.rindex("\n", 0, HALF) + 1


async def test_a_spec_that_is_cut_off_is_continued_without_repeat_or_gap(desk: Desk) -> None:
    first = says(STORE_BODY[:HALF], stop="max_tokens")
    rest = says(STORE_BODY[LINE:], expect=["cut off", "Begin with this line", STORE_BODY[LINE:HALF].strip()])
    asked = session("# Write spec 01: Store", first, rest)
    assert isinstance(await desk.plan(script(OUTLINE, asked, *REST), await desk.order(REQUIREMENTS)), Planned)
    assert (await desk.read(PATH)).count(STORE_BODY) == 1
    shown = "".join(text for spec, text in desk.seen if spec == "01")
    assert shown.count("## Purpose") == 1


async def test_a_list_that_is_cut_off_twice_is_whole_at_the_end(desk: Desk) -> None:
    places = [STORE_TASKS.index("tests/test_store"), STORE_TASKS.index("names the path")]
    lines = [STORE_TASKS.rindex("\n", 0, place) + 1 for place in places]
    turns = (
        says(STORE_TASKS[: places[0]], stop="max_tokens"),
        says(STORE_TASKS[lines[0] : places[1]], stop="max_tokens"),
        says(STORE_TASKS[lines[1] :].lstrip()),
    )
    asked = session("# Write the tasks of spec 01: Store", *turns)
    sessions = script(OUTLINE, STORE_SPEC, COMMANDS_SPEC, asked, COMMANDS_LIST)
    assert isinstance(await desk.plan(sessions, await desk.order(REQUIREMENTS)), Planned)
    assert (await desk.read(PATH)).endswith(STORE_TASKS)


async def test_a_fault_in_an_answer_of_pieces_is_answered_with_a_whole_one(desk: Desk) -> None:
    wrong = STORE_BODY.replace("## Use cases", "## Cases")
    turns = (
        says(wrong[:HALF], stop="max_tokens"),
        says(wrong[LINE:]),
        says(STORE_BODY, expect=["`## Use cases` is missing"]),
    )
    asked = session("# Write spec 01: Store", *turns)
    assert isinstance(await desk.plan(script(OUTLINE, asked, *REST), await desk.order(REQUIREMENTS)), Planned)
    assert (await desk.read(PATH)).count(STORE_BODY) == 1


async def test_an_answer_without_end_is_continued_only_so_often(desk: Desk) -> None:
    turns = [says(f"## Purpose\n\nMore {number}", stop="max_tokens") for number in range(3)]
    result = await desk.plan(
        script(OUTLINE, session("# Write spec 01: Store", *turns)), await desk.order(REQUIREMENTS), continuations=2
    )
    assert isinstance(result, NotPlanned)
    assert "3 answers in a row were cut off" in result.reason


async def test_an_outline_that_is_cut_off_is_asked_for_in_fewer_words(desk: Desk) -> None:
    call = {"tool": "submit_outline", "input": {"specs": [STORE]}, "cut": 30}
    cut = {"answer": [{"text": "Here it is."}, call], "stop": "max_tokens"}
    asked = session("# Outline: requirements.md", cut, submits(STORE, COMMANDS, expect=["in fewer words"]))
    sessions = script(asked, STORE_SPEC, *REST)
    assert isinstance(await desk.plan(sessions, await desk.order(REQUIREMENTS)), Planned)
