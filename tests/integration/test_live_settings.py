"""A setting that is changed while a session is at work counts from its next turn on, whoever works in it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from specloom.domain.events import agents, documents, runs
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, RunOutcome, Scope
from specloom.engine.delegation import LAST_TURN
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration import test_planning as plans
from tests.integration.people import Person, agrees
from tests.integration.projects import USER, hosted, session
from tests.integration.stage import (
    DEADLINE,
    ONE,
    Json,
    attempt,
    ended,
    events_of,
    finished,
    newest_message,
    project,
    read,
    says,
    staged,
    start,
    task,
    turn,
    until,
    until_event,
    write,
)
from tests.integration.test_sessions import NEXT, first_session
from tests.integration.test_subagents import results, send, sub
from tests.unit.planning.planning_scripts import script as plan_script
from tests.unit.planning.planning_scripts import session as plan_session

READS, LISTS = turn(read("requirements.md")), turn({"tool": "list_directory", "input": {"path": "."}})


def held(*parts: Json, **rest: object) -> Json:
    """A turn in whose midst somebody changes the settings."""
    return turn(*parts, **rest) | {"hold": "on"}


@asynccontextmanager
async def changed(
    root: Path, *sessions: Json, at: int = 1, **limits: object
) -> AsyncGenerator[tuple[ProjectRuntime, ScriptedServer]]:
    """A run in whose held turn, request number `at`, these limits are set, and which goes on then."""
    async with staged(root, *sessions) as (runtime, server):
        await start(runtime)
        assert await server.until(lambda known: known.total == at, DEADLINE)
        await runtime.configure({"limits": limits})
        await until_event(runtime, documents.SettingsChanged)
        server.release("on")
        yield runtime, server


async def begin(runtime: ProjectRuntime) -> None:
    """A run that somebody watches."""
    assert not isinstance(await runtime.start_run(Scope(), Budget(), USER), Rejected)


def one_task(tmp_path: Path) -> Path:
    return project(tmp_path / "p", task(1, "true"))


async def test_fewer_turns_end_a_session_at_work(tmp_path: Path) -> None:
    turns = attempt(1, held(read("requirements.md")), LISTS)
    async with changed(one_task(tmp_path), turns, turns=2, attempts=1) as (runtime, _):
        assert (await ended(runtime)).outcome is RunOutcome.INCOMPLETE
        assert runtime.state.record(ONE).reason.startswith("the attempt used up its 2 turns")


async def test_who_is_past_a_lowered_limit_is_offered_enough_to_go_on(tmp_path: Path) -> None:
    person = Person(agrees)
    turns = attempt(1, READS, LISTS, held(write("a.txt", "a\n")), turn(write("b.txt", "b\n")), turn(says()))
    async with staged(one_task(tmp_path), turns) as (runtime, server):
        with runtime.attach(person):
            await begin(runtime)
            assert await server.until(lambda known: known.total == 3, DEADLINE)
            await runtime.configure({"limits": {"turns": 1, "continue_turns": 2}})
            server.release("on")
            assert await finished(runtime) is RunOutcome.COMPLETED
        given = [event.more.turns for event in await events_of(runtime, runs.BudgetExtended)]
        assert given == [4], "twice two: one is left of them, and that is the claim"


async def test_a_lowered_share_of_the_window_ends_a_session_at_work(tmp_path: Path) -> None:
    first = first_session(held(read("requirements.md"), usage={"input": 120_000, "output": 10}))
    hands_over: Json = session("summary", "You are the summariser of Specloom", turns=[turn(says("Go on."))])
    second = session("second", NEXT, turns=[turn(says())])
    told = (first, hands_over, second)
    async with changed(one_task(tmp_path), *told, recommend_at=0.4, rotate_at=0.5) as (runtime, _):
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert next(event.reason for event in await events_of(runtime, agents.SessionEnded)) == "window 60% full"


async def test_fewer_open_files_are_warned_of_in_a_session_at_work(tmp_path: Path) -> None:
    turns = attempt(1, held(read("requirements.md"), read("specs/01-steps.md")), turn(says()))
    async with changed(one_task(tmp_path), turns, open_files=1) as (runtime, _):
        await ended(runtime)
        assert [event.files for event in await events_of(runtime, agents.OpenFilesWarned)] == [2]


async def test_shorter_answers_and_fewer_jobs_count_in_a_session_at_work(tmp_path: Path) -> None:
    job: Json = {"tool": "run_command", "input": {"command": "sleep 60", "blocking": False}}
    turns = attempt(1, turn(job), held(read("requirements.md")), turn(job), turn(says()))
    root = one_task(tmp_path)
    async with staged(root, turns) as (runtime, server):
        await start(runtime)
        assert await server.until(lambda known: known.total == 2, DEADLINE)
        await runtime.configure({"limits": {"jobs": 1}, "models": {"executor": {"max_tokens": 4_000}}})
        server.release("on")
        await ended(runtime)
        asked = [item.body["max_tokens"] for item in server.requests if item.session == "1 at 1"]
        assert asked[1] > asked[2] == 4_000
        assert "no more jobs may run" in newest_message(server, "1 at 1", 4)


async def test_questions_to_come_wait_no_longer_than_is_said_now(tmp_path: Path) -> None:
    ask: Json = {"tool": "ask_user", "input": {"question": "Which?"}}
    turns = attempt(1, held(read("requirements.md")), turn(ask), turn(says()))
    person = Person(lambda question: None if question.kind == "question" else agrees(question))
    async with staged(one_task(tmp_path), turns) as (runtime, server):
        with runtime.attach(person):
            await begin(runtime)
            assert await server.until(lambda known: known.total == 1, DEADLINE)
            await runtime.configure({"limits": {"ask_timeout_s": 0.05}})
            server.release("on")
            assert await finished(runtime) is RunOutcome.COMPLETED
        (answered,) = [item for item in await events_of(runtime, agents.ApprovalAnswered) if item.rule == "deadline"]
        assert "within 0.05 seconds" in answered.reason


async def test_a_sub_agent_past_its_lowered_limit_gets_its_last_turn(tmp_path: Path) -> None:
    parent = attempt(1, turn(send("red")), turn(says()))
    child = sub("red", READS, held(read("requirements.md")), turn(says("Red is nowhere")))
    async with changed(one_task(tmp_path), parent, child, at=3, subagent_turns=1) as (runtime, server):
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert LAST_TURN in newest_message(server, "red", 3)
        assert "Red is nowhere" in str(results(server))


async def test_fewer_turns_end_a_session_of_the_planner(tmp_path: Path) -> None:
    root = plans.project(tmp_path / "notes")
    outline = plan_session("# Outline: requirements.md", plans.LOOK | {"hold": "on"})
    async with ScriptedServer(plan_script(outline), keep=None) as server, hosted(root, server) as runtime:
        assert not isinstance(await runtime.plan(None, "", USER), Rejected)
        assert await server.until(lambda known: known.total == 1, DEADLINE)
        await runtime.configure({"limits": {"turns": 1}})
        server.release("on")
        state = await until(runtime, lambda state: state.planning is not None and state.planning.state == "failed")
        assert state.planning is not None
        assert "1 turns are used up" in state.planning.reason
