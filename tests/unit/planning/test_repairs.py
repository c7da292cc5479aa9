"""Faults go back to the planner in the same session, within bounds, and then to the user."""

from dataclasses import replace

import pytest

from specloom.agent.ports import Halt
from specloom.domain.documents.specs import parse_spec
from specloom.domain.events.agents import SessionStarted
from specloom.domain.events.planning import OutlineAccepted, PlanFailed, PlanRefused
from specloom.domain.spec import Layout, SpecStatus
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
    WHOLE,
    says,
    script,
    session,
    submits,
)

REST = (STORE_SPEC, COMMANDS_SPEC, STORE_LIST, COMMANDS_LIST)
UNSERVED = COMMANDS | {"requirements": []}


async def test_an_outline_with_a_fault_is_mended_in_the_same_session(desk: Desk) -> None:
    wrong = submits(STORE, COMMANDS | {"requirements": ["R2.2"]})
    right = submits(STORE, COMMANDS, expect=["did you mean R2.1"], not_expect=["is not covered"])
    asked = session("# Outline: requirements.md", wrong, right)
    assert isinstance(await desk.plan(script(asked, *REST), await desk.order(REQUIREMENTS)), Planned)
    refused = [event for event in desk.events if isinstance(event, PlanRefused)]
    assert [event.repair for event in refused] == [1]
    assert [problem.code for problem in refused[0].problems] == ["unknown-requirement"]
    assert sum(isinstance(event, SessionStarted) for event in desk.recorded.events) == 5


async def test_an_outline_that_stays_wrong_comes_to_the_user_with_its_problems(desk: Desk) -> None:
    wrong = [submits(STORE, UNSERVED | {"slug": f"commands-{number}"}) for number in range(3)]
    result = await desk.plan(
        script(session("# Outline: requirements.md", *wrong)), await desk.order(REQUIREMENTS), repairs=2
    )
    assert isinstance(result, NotPlanned)
    assert result.kind == "faulty"
    assert result.reason == "the outline still has 1 fault after 2 repairs"
    assert [problem.code for problem in result.problems] == ["requirement-not-covered"]
    assert desk.events[-1] == PlanFailed(desk.events[0].plan, result.reason, result.problems)
    assert result.problems[0].span.start_line == 4


async def test_a_planner_that_only_talks_is_told_once_to_hand_in(desk: Desk) -> None:
    talk = says("I would make two specs.")
    asked = session("# Outline: requirements.md", talk, submits(STORE, COMMANDS, expect=["Call `submit_outline`"]))
    assert isinstance(await desk.plan(script(asked, *REST), await desk.order(REQUIREMENTS)), Planned)


async def test_a_planner_that_goes_on_talking_ends_the_plan(desk: Desk) -> None:
    asked = session("# Outline: requirements.md", says("Two specs."), says("As I said, two."))
    result = await desk.plan(script(asked), await desk.order(REQUIREMENTS))
    assert isinstance(result, NotPlanned)
    assert result.kind == "refused"
    assert "handed in no outline" in result.reason


async def test_what_no_spec_serves_is_written_down_with_its_reason(desk: Desk) -> None:
    asked = session("# Outline: requirements.md", submits(STORE, left_out=(("R2.1", "there is a program for that"),)))
    result = await desk.plan(script(asked, STORE_SPEC, STORE_LIST), await desk.order(REQUIREMENTS))
    assert isinstance(result, Planned)
    accepted = next(event for event in desk.events if isinstance(event, OutlineAccepted))
    assert accepted.out_of_scope == (("R2.1", "there is a program for that"),)


async def test_a_spec_without_a_section_is_asked_for_again(desk: Desk) -> None:
    short = STORE_BODY.partition("## Use cases")[0]
    again = session("# Write spec 01: Store", says(short), says(STORE_BODY, expect=["`## Use cases` is missing"]))
    result = await desk.plan(
        script(OUTLINE, again, COMMANDS_SPEC, STORE_LIST, COMMANDS_LIST), await desk.order(REQUIREMENTS)
    )
    assert isinstance(result, Planned)
    assert STORE_BODY in await desk.read("specs/01-store.md")


async def test_words_and_fences_around_an_answer_are_dropped(desk: Desk) -> None:
    wrapped = session("# Write spec 01: Store", says(f"Here it is:\n\n```markdown\n# Store\n\n{STORE_BODY}```\nDone."))
    tasks = session("# Write the tasks of spec 01: Store", says(f"```\n{STORE_TASKS}```\n\nThese cover all."))
    await desk.plan(script(OUTLINE, wrapped, COMMANDS_SPEC, tasks, COMMANDS_LIST), await desk.order(REQUIREMENTS))
    assert (await desk.read("specs/01-store.md")).endswith(f"\n# Store\n\n{STORE_BODY}\n## Tasks\n\n{STORE_TASKS}")


async def test_a_task_list_with_faults_is_mended_with_the_exact_lines(desk: Desk) -> None:
    wrong = STORE_TASKS.replace("- [ ] 2 Tell", "- [ ] 1 Tell").replace("R1.2", "R1.9")
    mended = says(
        STORE_TASKS,
        expect=["`- [ ] 1 Tell of a damaged file`: Task number 1 is already used", "did you mean R1.", "R1.2 of this"],
    )
    tasks = session("# Write the tasks of spec 01: Store", says(wrong), mended)
    result = await desk.plan(
        script(OUTLINE, STORE_SPEC, COMMANDS_SPEC, tasks, COMMANDS_LIST), await desk.order(REQUIREMENTS)
    )
    assert isinstance(result, Planned)
    assert (await desk.read("specs/01-store.md")).endswith(STORE_TASKS)


async def test_a_list_without_any_verify_command_is_doubted_once_and_then_taken(desk: Desk) -> None:
    bare = "".join(line for line in STORE_TASKS.splitlines(keepends=True) if "_Verify" not in line)
    tasks = session("# Write the tasks of spec 01: Store", says(bare), says(bare, expect=["No task has a _Verify:_"]))
    result = await desk.plan(
        script(OUTLINE, STORE_SPEC, COMMANDS_SPEC, tasks, COMMANDS_LIST), await desk.order(REQUIREMENTS)
    )
    assert isinstance(result, Planned)
    assert (await desk.read("specs/01-store.md")).endswith(bare)


async def test_a_task_list_that_stays_wrong_leaves_the_spec_out_of_the_graph(desk: Desk) -> None:
    cyclic = STORE_TASKS.replace("_Depends: none_", "_Depends: 2_").replace(
        "_Requirements: R1.2_", "_Requirements: R1.2_\n  - _Depends: 1_"
    )
    tasks = session("# Write the tasks of spec 01: Store", says(cyclic), says(cyclic, expect=["wait for each other"]))
    result = await desk.plan(
        script(OUTLINE, STORE_SPEC, COMMANDS_SPEC, tasks), await desk.order(REQUIREMENTS), repairs=1
    )
    assert isinstance(result, NotPlanned)
    assert [problem.code for problem in result.problems] == ["task-cycle"]
    spec = parse_spec("specs/01-store.md", await desk.read("specs/01-store.md"))
    assert spec.status is SpecStatus.GENERATING
    assert result.problems[0].span == spec.tasks[0].span


async def test_a_closed_gate_ends_the_plan_with_its_reason(desk: Desk) -> None:
    desk.gate.halt = Halt("budget", "the budget is used up")
    result = await desk.plan(script(), await desk.order(REQUIREMENTS))
    assert result == NotPlanned("budget", "the budget is used up")
    assert desk.kinds() == ["PlanStarted", "PlanFailed"]


async def test_an_endpoint_that_refuses_ends_the_plan_with_its_words(desk: Desk) -> None:
    refused = session("# Outline: requirements.md", submits(STORE) | {"fault": {"status": 403, "times": "always"}})
    result = await desk.plan(script(refused), await desk.order(REQUIREMENTS))
    assert isinstance(result, NotPlanned)
    assert result.kind == "fault"


@pytest.mark.parametrize("text", ["", "# Notes\n\nNothing yet.\n"])
async def test_a_document_without_requirements_asks_no_model(desk: Desk, text: str) -> None:
    result = await desk.plan(script(), await desk.order(text))
    assert isinstance(result, NotPlanned)
    assert [problem.code for problem in result.problems] == ["no-requirements"]


async def test_specs_of_another_tool_are_not_rewritten(desk: Desk) -> None:
    await desk.plan(WHOLE, await desk.order(REQUIREMENTS))
    order = await desk.order(REQUIREMENTS)
    foreign = tuple(replace(spec, layout=Layout.KIRO) for spec in order.known.specs)
    result = await desk.plan(script(), replace(order, known=replace(order.known, specs=foreign)))
    assert isinstance(result, NotPlanned)
    assert "another tool" in result.reason
