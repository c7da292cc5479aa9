"""A limit that is reached pauses and asks once; what was begun goes on in the same session, also after a crash."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from specloom.domain.commands import ResetTask, SkipTask, UserTaskCommand
from specloom.domain.events import agents, runs, tasks
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, PauseCause, RunOutcome, RunState, Scope
from specloom.domain.states import TaskState
from specloom.engine.api import Question
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.people import Person, agrees
from tests.integration.projects import USER, hosted
from tests.integration.stage import (
    DEADLINE,
    ONE,
    TWO,
    Json,
    attempt,
    ended,
    events_of,
    finished,
    project,
    run_of,
    says,
    script,
    staged,
    start,
    task,
    turn,
    until,
    write,
)

HOLDS = "test -f a.txt"
WRITES = turn(write("a.txt", "a\n"))
STORY = (WRITES, turn(write("b.txt", "b\n")), turn(write("c.txt", "c\n")), turn(says()))
"""Four turns of one attempt."""


def one_task(tmp_path: Path) -> Path:
    return project(tmp_path / "p", task(1, HOLDS))


def with_budgets(*answers: str) -> tuple[Person, list[str]]:
    """Somebody who allows everything, and answers questions about budgets in this order."""
    left, asked = list(answers), list[str]()

    def answer(question: Question) -> str | None:
        if question.kind != "budget":
            return agrees(question)
        asked.append(question.subject)
        wanted = left.pop(0) if left else "nothing"
        return next((choice for choice in question.choices if choice.startswith(wanted)), None)

    return Person(answer), asked


async def begin(runtime: ProjectRuntime, **limits: Any) -> None:
    """A run that somebody watches."""
    answer = await runtime.start_run(Scope(), Budget(**limits), USER)
    assert not isinstance(answer, Rejected), answer


def sessions_of(runtime: ProjectRuntime) -> int:
    return len(runtime.state.sessions)


ATTEMPT = {"turns": 2, "continue_turns": 2}
LIMITS: dict[str, tuple[Json, Json, str]] = {
    "run": ({"turns": 2}, {}, "the budget of 2 turns is used up"),
    "task": ({}, {"budget": {"task": {"turns": 2}}}, "the budget of 2 turns for task 01/1 is used up"),
    "day": ({}, {"budget": {"day": {"turns": 2}}}, "the budget of 2 turns for today is used up"),
    "attempt": (
        {},
        {"limits": {"turns": 2, "continue_turns": 2}},
        "the 2 turns of the attempt at task 01/1 are used up",
    ),
}


@pytest.mark.parametrize("part", LIMITS)
async def test_a_limit_asks_once_and_goes_on_in_the_same_session(tmp_path: Path, part: str) -> None:
    limits, settings, told = LIMITS[part]
    person, asked = with_budgets("Continue")
    async with staged(one_task(tmp_path), attempt(1, *STORY), **settings) as (runtime, server):
        with runtime.attach(person):
            await begin(runtime, **limits)
            assert await finished(runtime) is RunOutcome.COMPLETED
        assert asked == [told]
        assert (sessions_of(runtime), server.total) == (1, 4)
        (pause,) = await events_of(runtime, runs.RunPaused)
        assert (pause.reason, pause.cause) == (told, PauseCause.BUDGET)
        (more,) = await events_of(runtime, runs.BudgetExtended)
        assert (more.part.value, more.more, more.rule) == (part, Budget(turns=2), "user")


async def test_who_stops_finds_the_attempt_where_it_was(tmp_path: Path) -> None:
    person, asked = with_budgets("Stop", "Continue")
    async with staged(one_task(tmp_path), attempt(1, *STORY)) as (runtime, server):
        with runtime.attach(person):
            await begin(runtime, turns=1)
            assert await finished(runtime) is RunOutcome.BUDGET
            assert (server.total, runtime.state.state_of(ONE)) == (1, TaskState.IN_PROGRESS)
            await begin(runtime, turns=3)
            assert await finished(runtime) is RunOutcome.COMPLETED
        assert (len(asked), sessions_of(runtime), server.total) == (1, 1, 4)
        assert len(await events_of(runtime, tasks.TaskStarted)) == 1


async def test_unattended_run_ends_and_the_next_one_goes_on_in_its_session(tmp_path: Path) -> None:
    person, asked = with_budgets()
    async with staged(one_task(tmp_path), attempt(1, *STORY), budget={"day": {"turns": 99}}) as (runtime, server):
        with runtime.attach(person):
            await start(runtime, turns=2)
            assert (await ended(runtime)).outcome is RunOutcome.BUDGET
            assert server.total == 2
            await start(runtime)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert (asked, sessions_of(runtime), server.total) == ([], 1, 4)


async def test_unattended_attempt_gets_more_turns_as_long_as_it_changes_something(tmp_path: Path) -> None:
    limits = {"turns": 1, "continue_turns": 1, "attempts": 1}
    idle = (turn(write("a.txt", "a\n")), turn({"tool": "read_file", "input": {"path": "a.txt"}}))
    async with staged(one_task(tmp_path), attempt(1, *STORY), limits=limits) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert [item.rule for item in await events_of(runtime, runs.BudgetExtended)] == ["progress"] * 3
    root = project(tmp_path / "q", task(1, HOLDS))
    async with staged(root, attempt(1, *idle), limits=limits) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.INCOMPLETE
        assert "used up its 2 turns" in runtime.state.record(ONE).reason


async def test_crash_while_it_waits_asks_again(tmp_path: Path) -> None:
    """The state folder is copied while the question stands, as a power cut would leave it."""
    root = one_task(tmp_path)
    silent, _ = with_budgets()
    person, asked = with_budgets("Continue")
    async with ScriptedServer(script(attempt(1, *STORY)), keep=None) as server:
        async with hosted(root, server, limits={"turns": 2}) as runtime:
            with runtime.attach(silent):
                await begin(runtime)
                await until(runtime, _asked_about_budget)
                await asyncio.to_thread(shutil.copytree, root, tmp_path / "after")
        async with hosted(tmp_path / "after", server, limits={"turns": 2}) as runtime:
            assert run_of(runtime.state).state is RunState.PAUSED
            with runtime.attach(person):
                assert await finished(runtime) is RunOutcome.COMPLETED
            assert asked == [LIMITS["attempt"][2]]
            assert (sessions_of(runtime), server.total) == (1, 4)
            answered = [item.rule for item in await events_of(runtime, agents.ApprovalAnswered)]
            assert answered.count("interrupted") == 1


def _asked_about_budget(state: Any) -> bool:
    return any(item.kind == "budget" for item in state.approvals.values())


async def test_run_that_waited_into_another_day_asks_for_no_more_than_leave(tmp_path: Path) -> None:
    """As after a night: the process is another one, and what was reached holds nothing any more."""
    root = one_task(tmp_path)
    silent, _ = with_budgets()
    person, asked = with_budgets("Continue")
    async with ScriptedServer(script(attempt(1, *STORY)), keep=None) as server:
        async with hosted(root, server, budget={"day": {"turns": 2}}) as runtime:
            with runtime.attach(silent):
                await begin(runtime)
                await until(runtime, _asked_about_budget)
        async with hosted(root, server, budget={"day": {"turns": 9}}) as runtime:
            with runtime.attach(person):
                assert await finished(runtime) is RunOutcome.COMPLETED
            assert asked == [f"{LIMITS['day'][2]}; by now there is room again"]
            assert not await events_of(runtime, runs.BudgetExtended)


async def test_budget_of_a_task_holds_for_one_that_is_renumbered_while_an_agent_works(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS, title="Write the file"))
    held = turn(write("b.txt", "b\n"), hold="writing")
    async with staged(root, attempt(1, WRITES, held), budget={"task": {"turns": 2}}) as (runtime, server):
        await start(runtime)
        assert await server.until(lambda known: known.total == 2, DEADLINE)
        spec = root / "specs" / "01-steps.md"
        before = task(1, HOLDS, title="Before", depends="none")
        spec.write_text(spec.read_text().replace("- [ ] 1 Write", f"{before}\n- [ ] 2 Write"))
        await runtime.refresh()
        server.release("writing")
        run = await ended(runtime)
        assert (run.outcome, run.reason) == (RunOutcome.BUDGET, "the budget of 2 turns for task 01/2 is used up")
        assert (runtime.state.record(ONE).spent.turns, runtime.state.record(TWO).spent.turns) == (0, 2)


async def test_who_wants_a_pause_after_the_task_gets_it_also_where_the_task_needs_more(tmp_path: Path) -> None:
    person, _ = with_budgets("Continue", "Continue")
    root = project(tmp_path / "p", task(1, HOLDS), task(2, HOLDS))
    first = turn(write("a.txt", "a\n"), hold="on")
    async with staged(root, attempt(1, first, *STORY[1:]), limits={"turns": 2, "continue_turns": 2}) as (
        runtime,
        server,
    ):
        with runtime.attach(person):
            await begin(runtime)
            assert await server.until(lambda known: known.total == 1, DEADLINE)
            await runtime.pause(USER, after_task=True)
            server.release("on")
            await until(runtime, lambda state: state.state_of(ONE) is TaskState.DONE)
            await ended(runtime)
            assert run_of(runtime.state).state is RunState.PAUSED
            assert run_of(runtime.state).cause is PauseCause.OTHER
            assert runtime.state.record(TWO).attempts == 0


async def test_resume_does_not_pass_a_limit(tmp_path: Path) -> None:
    silent, _ = with_budgets()
    async with staged(one_task(tmp_path), attempt(1, WRITES)) as (runtime, server):
        with runtime.attach(silent):
            await begin(runtime, turns=1)
            await until(runtime, _asked_about_budget)
            for _ in range(2):
                (standing,) = runtime.state.approvals
                await runtime.resume(USER)
                await until(
                    runtime, lambda state, old=standing: len(state.approvals) == 1 and old not in state.approvals
                )
            await runtime.cancel(USER)
            assert not runtime.state.approvals
        assert server.total == 1
        assert run_of(runtime.state).outcome is RunOutcome.CANCELLED


async def test_another_order_answers_the_question_and_goes_on_in_the_session(tmp_path: Path) -> None:
    silent, _ = with_budgets()
    async with staged(one_task(tmp_path), attempt(1, *STORY)) as (runtime, server):
        with runtime.attach(silent):
            await begin(runtime, turns=1)
            await until(runtime, _asked_about_budget)
            wrong = await runtime.start_run(Scope("task", "09/9"), Budget(turns=9), USER)
            assert isinstance(wrong, Rejected)
            assert run_of(runtime.state).state is RunState.PAUSED
            await begin(runtime, turns=9)
            assert await finished(runtime) is RunOutcome.COMPLETED
        assert not runtime.state.approvals
        assert (sessions_of(runtime), server.total) == (1, 4)


async def test_another_scope_leaves_no_attempt_behind(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS), task(2, "test -f b.txt", depends="none"))
    second = attempt(2, turn(write("b.txt", "b\n")), turn(says()))
    async with staged(root, attempt(1, WRITES), second) as (runtime, _):
        await start(runtime, turns=1)
        assert (await ended(runtime)).outcome is RunOutcome.BUDGET
        await start(runtime, Scope("task", "01/2"))
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert runtime.state.state_of(ONE) is TaskState.READY


@pytest.mark.parametrize("command", [ResetTask(ONE), SkipTask(ONE)], ids=["reset", "skip"])
async def test_person_may_decide_about_a_task_whose_attempt_a_budget_halted(
    tmp_path: Path, command: UserTaskCommand
) -> None:
    async with staged(one_task(tmp_path), attempt(1, WRITES)) as (runtime, _):
        await start(runtime, turns=1)
        await ended(runtime)
        answer = await runtime.change_task(command, USER)
        assert not isinstance(answer, Rejected), answer
        expected = TaskState.READY if isinstance(command, ResetTask) else TaskState.SKIPPED
        assert runtime.state.state_of(ONE) is expected
        assert all(item.outcome for item in runtime.state.sessions.values())


async def test_terminal_where_nobody_can_answer_ends_the_run(tmp_path: Path) -> None:
    def answer(question: Question) -> str | None:
        return None if question.kind == "budget" else agrees(question)

    async with staged(one_task(tmp_path), attempt(1, WRITES)) as (runtime, _):
        with runtime.attach(Person(answer, final=True)):
            await begin(runtime, turns=1)
            assert await finished(runtime) is RunOutcome.BUDGET


async def test_time_that_a_run_waits_counts_for_nothing(tmp_path: Path) -> None:
    async with staged(one_task(tmp_path), attempt(1, *STORY)) as (runtime, _):
        await start(runtime)
        await ended(runtime)
        spent, of_task = run_of(runtime.state).spent, runtime.state.record(ONE).spent
    assert 0 < of_task.seconds <= spent.seconds < DEADLINE
    assert (spent.turns, of_task.turns) == (4, 4)
