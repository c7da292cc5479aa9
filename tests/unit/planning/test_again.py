"""Planning again: what is done stays, what is unchanged is left alone, what was interrupted goes on."""

from specloom.domain.documents.specs import parse_spec
from specloom.domain.events.planning import OutlineAccepted, SpecWritten
from specloom.domain.ids import SpecId
from specloom.domain.spec import SpecStatus
from specloom.planning.ports import NotPlanned, Planned
from tests.unit.planning.planning_desk import Desk
from tests.unit.planning.planning_scripts import (
    COMMANDS,
    COMMANDS_BODY,
    COMMANDS_LIST,
    COMMANDS_SPEC,
    OUTLINE,
    REQUIREMENTS,
    STORE,
    STORE_BODY,
    STORE_LIST,
    STORE_SPEC,
    STORE_TASKS,
    WHOLE,
    says,
    script,
    session,
    submits,
)

MORE = REQUIREMENTS + "- R2.2 WHEN the program is called with `add`, THE program SHALL save a note.\n"
BIGGER = COMMANDS | {"requirements": ["R2.1", "R2.2"]}
NEW_TASKS = """- [ ] 1 Print every note
  - _Requirements: R2.1_
  - _Verify: `python -m pytest -q tests/test_all.py`_
- [ ] 2 Save a note
  - _Requirements: R2.2_
  - _Verify: `python -m pytest -q tests/test_add.py`_
"""


async def planned(desk: Desk) -> dict[str, str]:
    """The first plan; its files."""
    await desk.plan(WHOLE, await desk.order(REQUIREMENTS))
    paths = ("specs/01-store.md", "specs/02-commands.md")
    desk.events.clear()
    return {path: await desk.read(path) for path in paths}


async def test_an_unchanged_outline_writes_nothing(desk: Desk) -> None:
    before = await planned(desk)
    result = await desk.plan(script(OUTLINE), await desk.order(REQUIREMENTS))
    assert isinstance(result, Planned)
    assert desk.kinds() == ["PlanStarted", "OutlineAccepted", "PlanFinished"]
    assert {path: await desk.read(path) for path in before} == before


async def test_a_new_requirement_changes_its_spec_and_keeps_the_bytes_of_done_tasks(desk: Desk) -> None:
    before = await planned(desk)
    path = "specs/02-commands.md"
    ticked = before[path].replace("- [ ] 1 Print all notes", "- [x] 1  Print all notes").replace("\n", "\r\n")
    await desk.write(path, ticked)
    asked = session("# Outline: requirements.md", submits(STORE, BIGGER))
    tasks = session("# Write the tasks of spec 02: Commands", says(NEW_TASKS))
    result = await desk.plan(script(asked, COMMANDS_SPEC, tasks), await desk.order(MORE, kept=("02/1",)))
    assert isinstance(result, Planned)
    text = await desk.read(path)
    done = ticked[ticked.index("- [x] 1") :]
    assert done in text
    assert text.count("\n") == text.count("\r\n")
    assert [task.title for task in parse_spec(path, text).tasks] == ["Print all notes", "Save a note"]
    assert await desk.read("specs/01-store.md") == before["specs/01-store.md"]


async def test_a_changed_requirement_has_its_spec_written_anew(desk: Desk) -> None:
    await planned(desk)
    changed = REQUIREMENTS.replace("print all notes", "print all notes, newest first")
    commands = COMMANDS_SPEC | {"first": ["# Write spec 02", "newest first", "This spec as it stands"]}
    result = await desk.plan(script(OUTLINE, commands, COMMANDS_LIST), await desk.order(changed))
    assert isinstance(result, Planned)
    assert [event.spec for event in desk.events if isinstance(event, SpecWritten)] == ["02", "02"]


async def test_what_a_person_put_around_the_sections_stays_when_they_are_written_anew(desk: Desk) -> None:
    before = await planned(desk)
    path = "specs/02-commands.md"
    mine = before[path].replace("---\n\n# Commands\n", "owner: me\n---\n\n# Commands\n\nMy note.\n")
    await desk.write(path, f"{mine}\n## Ideas\n\nLater.\n")
    renamed = COMMANDS | {"title": "Command line", "requirements": ["R2.1", "R2.2"]}
    asked = session("# Outline: requirements.md", submits(STORE, renamed))
    written = session("# Write spec 02: Command line", says(COMMANDS_BODY.replace("List two notes", "List three")))
    tasks = session("# Write the tasks of spec 02: Command line", says(NEW_TASKS))
    assert isinstance(await desk.plan(script(asked, written, tasks), await desk.order(MORE)), Planned)
    text = await desk.read(path)
    assert "owner: me\n---\n\n# Command line\n\nMy note.\n\n## Purpose\n" in text
    assert text.endswith(f"## Tasks\n\n{NEW_TASKS}\n## Ideas\n\nLater.\n")
    assert "List three" in text
    assert "title: Command line\n" in text
    assert parse_spec(path, text).requirements[1].id == "R2.2"


async def test_a_spec_without_hashes_of_its_requirements_is_left_alone(desk: Desk) -> None:
    before = await planned(desk)
    path = "specs/01-store.md"
    spec = parse_spec(path, before[path])
    written = ", ".join(f"{ref.id}@{ref.hash}" for ref in spec.requirements)
    await desk.write(path, before[path].replace(written, "R1"))
    assert isinstance(await desk.plan(script(OUTLINE), await desk.order(REQUIREMENTS)), Planned)
    assert "requirements: [R1]" in await desk.read(path)


async def test_an_outline_that_drops_or_renames_a_spec_is_refused(desk: Desk) -> None:
    await planned(desk)
    dropped = submits(COMMANDS | {"requirements": ["R1.1", "R1.2", "R2.1"], "depends_on": []})
    renamed = submits(STORE | {"slug": "files"}, COMMANDS, expect=["Spec 01 exists (specs/01-store.md) and is missing"])
    right = submits(STORE, COMMANDS, expect=["keep its slug 'store'"])
    asked = session("# Outline: requirements.md", dropped, renamed, right)
    assert isinstance(await desk.plan(script(asked), await desk.order(REQUIREMENTS)), Planned)


async def test_a_spec_is_written_anew_when_the_outline_says_so(desk: Desk) -> None:
    await planned(desk)
    asked = session("# Outline: requirements.md", submits(STORE | {"rewrite": True}, COMMANDS))
    asked["first"].append("use SQLite")
    order = await desk.order(REQUIREMENTS, feedback="use SQLite")
    assert isinstance(await desk.plan(script(asked, STORE_SPEC, STORE_LIST), order), Planned)
    assert [event.spec for event in desk.events if isinstance(event, SpecWritten)] == ["01", "01"]


async def test_an_interrupted_plan_goes_on_where_it_was(desk: Desk) -> None:
    wrong = session("# Write spec 02: Commands", says("No sections."))
    first = await desk.plan(script(OUTLINE, STORE_SPEC, wrong), await desk.order(REQUIREMENTS), repairs=0)
    assert isinstance(first, NotPlanned)
    store = await desk.read("specs/01-store.md")
    accepted = next(event for event in desk.events if isinstance(event, OutlineAccepted))
    order = await desk.order(REQUIREMENTS, outline=accepted.outline)
    assert order.known.specs[1].status is SpecStatus.GENERATING
    result = await desk.plan(script(COMMANDS_SPEC, STORE_LIST, COMMANDS_LIST), order)
    assert result == Planned((SpecId("01"), SpecId("02")))
    assert (await desk.read("specs/01-store.md")).startswith(store)


async def test_an_outline_that_no_longer_fits_is_asked_for_again(desk: Desk) -> None:
    await planned(desk)
    stored = '{"specs": [], "out_of_scope": []}'
    order = await desk.order(REQUIREMENTS, outline=stored)
    assert isinstance(await desk.plan(script(OUTLINE), order), Planned)


async def test_the_tasks_of_one_spec_are_derived_anew(desk: Desk) -> None:
    before = await planned(desk)
    again = session("# Write the tasks of spec 01: Store", says(STORE_TASKS.replace("damaged file", "broken file")))
    again["first"].append("call it broken")
    order = await desk.spec_order(REQUIREMENTS, "01", feedback="call it broken")
    assert await desk.extract(script(again), order) == Planned((SpecId("01"),))
    changed = before["specs/01-store.md"].replace("Tell of a damaged file", "Tell of a broken file")
    assert await desk.read("specs/01-store.md") == changed


async def test_a_done_task_under_another_number_is_refused(desk: Desk) -> None:
    before = await planned(desk)
    moved = STORE_TASKS.replace("- [ ] 2 ", "- [ ] 3 ").replace("- [ ] 1 ", "- [ ] 2 ")
    fault = "Task 1 is done or in progress and stands here as 2; keep its number"
    again = session("# Write the tasks of spec 01: Store", says(moved), says(STORE_TASKS, expect=[fault]))
    order = await desk.spec_order(REQUIREMENTS, "01", kept=("01/1",))
    assert isinstance(await desk.extract(script(again), order), Planned)
    assert await desk.read("specs/01-store.md") == before["specs/01-store.md"]


async def test_a_spec_left_unfinished_is_continued(desk: Desk) -> None:
    await planned(desk)
    matter = '---\nid: "01"\ntitle: Store\nrequirements: [R1.1, R1.2]\nstatus: generating\n---\n'
    half = f"{matter}\n# Store\n\n## Purpose\n\nKeeps"
    await desk.write("specs/01-store.md", half)
    order = await desk.spec_order(REQUIREMENTS, "01")
    assert await desk.resume(script(STORE_SPEC, STORE_LIST), order) == Planned((SpecId("01"),))
    text = await desk.read("specs/01-store.md")
    assert text.endswith(f"# Store\n\n{STORE_BODY}\n## Tasks\n\n{STORE_TASKS}")
    assert parse_spec("specs/01-store.md", text).status is SpecStatus.READY


async def test_a_spec_whose_text_is_whole_is_continued_with_its_tasks(desk: Desk) -> None:
    before = await planned(desk)
    whole, _, _ = before["specs/01-store.md"].partition("- [ ] 2")
    await desk.write("specs/01-store.md", whole.replace("---\n\n#", "status: generating\n---\n\n#"))
    await desk.resume(script(STORE_LIST), await desk.spec_order(REQUIREMENTS, "01"))
    assert await desk.read("specs/01-store.md") == before["specs/01-store.md"]


async def test_a_spec_that_nothing_needs_any_more_is_left_alone(desk: Desk) -> None:
    before = await planned(desk)
    less = "".join(line for line in REQUIREMENTS.splitlines(keepends=True) if "R2.1" not in line)
    asked = session("# Outline: requirements.md", submits(STORE, COMMANDS | {"requirements": []}))
    assert isinstance(await desk.plan(script(asked), await desk.order(less)), Planned)
    assert {path: await desk.read(path) for path in before} == before


async def test_a_list_that_is_not_taken_leaves_the_present_tasks_and_names_its_lines(desk: Desk) -> None:
    before = await planned(desk)
    wrong = session("# Write the tasks of spec 01: Store", says(STORE_TASKS.replace("- [ ] 2 Tell", "- [ ] 1 Tell")))
    result = await desk.extract(script(wrong), await desk.spec_order(REQUIREMENTS, "01"), repairs=0)
    assert isinstance(result, NotPlanned)
    assert result.problems[0].message.startswith("`- [ ] 1 Tell of a damaged file`: Task number 1 is already used")
    assert await desk.read("specs/01-store.md") == before["specs/01-store.md"]
