"""Plans through the whole engine: the log, a process that is killed, a spec that is left behind."""

import asyncio
import sys
import time
from pathlib import Path

from specloom.domain.commands import SkipTask
from specloom.domain.ids import SpecId, TaskId
from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunOutcome, Scope
from specloom.domain.spec import SpecStatus
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.people import Person
from tests.integration.projects import USER, hosted
from tests.integration.stage import ended, start
from tests.unit.planning.planning_scripts import (
    COMMANDS_LIST,
    COMMANDS_SPEC,
    OUTLINE,
    REQUIREMENTS,
    STORE_BODY,
    STORE_LIST,
    STORE_SPEC,
    STORE_TASKS,
    WHOLE,
    says,
    script,
    session,
)

HELD = says(STORE_BODY, hold="half", hold_after_events=8)
LOOK = {"answer": [{"tool": "list_directory", "input": {"path": "."}}]}
SPEC = Path("specs/01-store.md")


def project(root: Path) -> Path:
    """A folder with requirements alone."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "requirements.md").write_text(REQUIREMENTS)
    return root


async def plan(runtime: ProjectRuntime, feedback: str = "") -> None:
    """Plans and waits for the end."""
    answer = await runtime.plan(None, feedback, USER)
    assert not isinstance(answer, Rejected), answer
    await runtime.wait_idle()


async def test_a_plan_ends_in_a_graph_without_problems(tmp_path: Path) -> None:
    root = project(tmp_path / "notes")
    async with ScriptedServer(WHOLE) as server, hosted(root, server) as runtime:
        await plan(runtime)
        state = runtime.state
        assert state.planning is not None
        assert state.planning.state == "finished"
        assert list(state.graph.order) == ["01/1", "01/2", "02/1"]
        assert state.state_of(TaskId("01/1")) is TaskState.READY
        assert not [problem for problems in runtime.problems.values() for problem in problems]
        server.check()


async def test_planning_again_after_a_plan_has_finished_asks_for_an_outline(tmp_path: Path) -> None:
    root = project(tmp_path / "notes")
    again = OUTLINE | {"first": ["# Outline: requirements.md", "Specs that exist"], "name": "again"}
    first = OUTLINE | {"not_first": ["Specs that exist"]}
    sessions = [first, again, *WHOLE["sessions"][1:]]
    async with ScriptedServer(script(*sessions)) as server, hosted(root, server) as runtime:
        await plan(runtime)
        await plan(runtime)
        server.check()


async def planning_process(root: Path, server: ScriptedServer) -> asyncio.subprocess.Process:
    """`specloom plan` in a process of its own."""
    arguments = ("--workspace", str(root), "--model", "scripted-1", "--base-url", server.base_url, "--json")
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "specloom",
        "plan",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def streamed(root: Path, text: str = "## Purpose") -> None:
    """Returns when the first blocks of spec 01 stand in its file."""
    await asyncio.to_thread(_streamed, root / SPEC, text)


def _streamed(file: Path, text: str) -> None:
    deadline = time.monotonic() + 90
    while not (file.exists() and text in file.read_text()):
        assert time.monotonic() < deadline, "nothing was streamed"
        time.sleep(0.01)


async def test_a_plan_that_is_killed_asks_again_only_for_the_turn_that_was_under_way(tmp_path: Path) -> None:
    root = project(tmp_path / "notes")
    store = session("# Write spec 01: Store", LOOK, HELD)
    sessions = (OUTLINE, store, COMMANDS_SPEC, STORE_LIST, COMMANDS_LIST)
    async with ScriptedServer(script(*sessions), delta_chars=16, pace_s=0.001) as server:
        first = await planning_process(root, server)
        await streamed(root)
        first.kill()
        await first.communicate()
        server.release("half")
        second = await planning_process(root, server)
        output, errors = await second.communicate()
        assert second.returncode == 0, (output, errors)
        server.check()
        assert server.repeats == 1
        assert server.total == 7
    assert STORE_BODY in (root / SPEC).read_text()


async def test_a_plan_that_is_killed_while_it_lists_tasks_asks_for_no_text_again(tmp_path: Path) -> None:
    root = project(tmp_path / "notes")
    listing = session("# Write the tasks of spec 01: Store", says(STORE_TASKS, hold="half", hold_after_events=18))
    sessions = (OUTLINE, STORE_SPEC, COMMANDS_SPEC, listing, COMMANDS_LIST)
    async with ScriptedServer(script(*sessions), delta_chars=16, pace_s=0.001) as server:
        first = await planning_process(root, server)
        await streamed(root, "- [ ] 1 Save")
        first.kill()
        await first.communicate()
        server.release("half")
        second = await planning_process(root, server)
        output, errors = await second.communicate()
        assert second.returncode == 0, (output, errors)
        server.check()
        assert (server.total, server.repeats) == (6, 1)
    assert (root / SPEC).read_text().endswith(f"{STORE_BODY}\n## Tasks\n\n{STORE_TASKS}")


async def test_a_spec_left_behind_is_a_problem_that_can_be_continued(tmp_path: Path) -> None:
    root = project(tmp_path / "notes")
    store = session("# Write spec 01: Store", HELD)
    async with (
        ScriptedServer(script(OUTLINE, store, STORE_LIST), delta_chars=16, pace_s=0.001) as server,
        hosted(root, server) as runtime,
    ):
        assert not isinstance(await runtime.plan(None, "", USER), Rejected)
        await streamed(root)
        await runtime.cancel_plan(USER)
        assert runtime.state.plan.specs[SpecId("01")].status is SpecStatus.GENERATING
        assert any(SPEC.as_posix() == path for path, found in runtime.problems.items() if found)
        server.release("half")
        assert not isinstance(await runtime.settle_spec(SpecId("01"), "continue", USER), Rejected)
        await runtime.wait_idle()
        assert list(runtime.state.graph.order) == ["01/1", "01/2"]
        server.check()
        assert server.repeats == 1


async def test_a_spec_left_behind_can_be_discarded(tmp_path: Path) -> None:
    root = project(tmp_path / "notes")
    store = session("# Write spec 01: Store", HELD)
    async with (
        ScriptedServer(script(OUTLINE, store), delta_chars=16, pace_s=0.001) as server,
        hosted(root, server) as runtime,
    ):
        assert not isinstance(await runtime.plan(None, "", USER), Rejected)
        await streamed(root)
        await runtime.cancel_plan(USER)
        answer = await runtime.settle_spec(SpecId("01"), "discard", USER)
        assert not isinstance(answer, Rejected), answer
        assert not await asyncio.to_thread((root / SPEC).exists)
        assert SpecId("01") not in runtime.state.plan.specs


async def test_run_after_a_plan_that_broke_off_is_not_complete_when_all_that_it_listed_is_done(tmp_path: Path) -> None:
    root = project(tmp_path / "notes")
    fault = {"status": 401, "message": "invalid x-api-key", "times": "always"}
    refused = session("# Write the tasks of spec 02", {**says(""), "fault": fault})
    sessions = script(OUTLINE, STORE_SPEC, COMMANDS_SPEC, STORE_LIST, refused)
    async with ScriptedServer(sessions) as server, hosted(root, server) as runtime:
        await plan(runtime)
        for task in ("01/1", "01/2"):
            assert not isinstance(await runtime.change_task(SkipTask(TaskId(task)), USER), Rejected)
        await start(runtime)
        run = await ended(runtime)
        assert run.outcome is RunOutcome.INCOMPLETE
        assert run.reason == "the plan broke off: 02 without tasks yet; plan again"
        found = runtime.estimate(Scope())
        assert not isinstance(found, Rejected)
        assert (found.tasks, found.unplanned) == (0, 1)
        await start(runtime, Scope("spec", "01"))
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


async def test_limit_of_the_day_stops_a_plan_that_goes_on_in_its_session_once_it_is_raised(tmp_path: Path) -> None:
    root = project(tmp_path / "notes")
    choices = iter((1, 0, 0, 0, 0, 0, 0))
    person = Person(lambda question: question.choices[next(choices)])
    day = {"day": {"turns": 1}}
    async with ScriptedServer(WHOLE) as server, hosted(root, server, budget=day) as runtime:
        with runtime.attach(person):
            await plan(runtime)
            assert runtime.state.planning is not None
            assert runtime.state.planning.state == "failed"
            assert runtime.state.planning.reason == "the budget of 1 turns for today is used up"
            asked = server.total
            await plan(runtime)
            assert runtime.state.planning.state == "finished"
        assert server.total > asked
        assert {question.kind for question in person.questions} == {"budget"}
        server.check()
