"""What people say to an agent at work: delivered once and word for word, or withdrawn; and when a pause comes."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from specloom.cli.views.endings import next_steps
from specloom.domain.events import agents, documents
from specloom.domain.ids import AgentId, PromptId
from specloom.domain.rejection import Rejected
from specloom.domain.runs import RunOutcome, RunState, Scope
from specloom.domain.states import TaskState
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import USER, hosted
from tests.integration.stage import (
    ONE,
    TWO,
    attempt,
    command,
    ended,
    events_of,
    log_of,
    newest_message,
    project,
    run_of,
    says,
    script,
    staged,
    start,
    task,
    turn,
    until,
    until_event,
    write,
)

AGENT = AgentId("agent-1")
HOLDS = "test -f a.txt"
LONG = "x" * 100_001
WORDS = "No: use  tabs.\n\nAnd `b.txt`, not a.txt – please\t"


def one_task(tmp_path: Path) -> Path:
    return project(tmp_path / "p", task(1, HOLDS))


async def said(runtime: ProjectRuntime, text: str = WORDS, command_id: str | None = None) -> PromptId:
    answer = await runtime.prompt(AGENT, text, USER, command_id)
    assert not isinstance(answer, Rejected), answer
    return PromptId(answer.id)


def last_texts(server: ScriptedServer, number: int) -> list[str]:
    """The plain texts of the newest message before a turn of the first attempt."""
    request = next(item for item in server.requests if item.session == "1 at 1" and item.turn == number)
    blocks: list[dict[str, Any]] = request.body["messages"][-1]["content"]
    return [block["text"] for block in blocks if block["type"] == "text"]


async def test_words_come_after_the_results_of_the_turn_they_were_said_in_as_they_are(tmp_path: Path) -> None:
    held = turn(write("a.txt", "a\n"), hold="on")
    async with staged(one_task(tmp_path), attempt(1, held, turn(says()))) as (runtime, server):
        await start(runtime)
        await until(runtime, lambda state: any(item.awaiting for item in state.sessions.values()))
        first, again = await said(runtime, command_id="c1"), await said(runtime, command_id="c1")
        second = await said(runtime, "And be quick")
        assert first == again, "the same order twice is one prompt"
        assert [item.text for item in runtime.state.prompts.values() if item.id == first] == [WORDS]
        assert len(runtime.state.prompts) == 2
        server.release("on")
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert last_texts(server, 2) == [WORDS, "And be quick"]
        assert [item.prompt for item in await events_of(runtime, agents.PromptDelivered)] == [first, second]
        assert not runtime.state.prompts
        assert [item.words for item in runtime.state.record(ONE).words] == [WORDS, "And be quick"]


async def test_claim_does_not_end_a_session_that_was_spoken_to_meanwhile(tmp_path: Path) -> None:
    turns = (turn(write("a.txt", "a\n")), turn(says("Done."), hold="on"), turn(says("Now it is.")))
    async with staged(one_task(tmp_path), attempt(1, *turns)) as (runtime, server):
        await start(runtime)
        await until(runtime, lambda state: any(item.awaiting == 2 for item in state.sessions.values()))
        await said(runtime)
        server.release("on")
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert last_texts(server, 3) == [WORDS]


async def test_agent_that_gives_up_hears_first_what_was_said(tmp_path: Path) -> None:
    gives_up = {"tool": "report_blocked", "input": {"reason": "which file?"}}
    turns = (turn(gives_up, hold="on"), turn(write("a.txt", "a\n")), turn(says()))
    async with staged(one_task(tmp_path), attempt(1, *turns)) as (runtime, server):
        await start(runtime)
        await until(runtime, lambda state: any(item.awaiting for item in state.sessions.values()))
        await said(runtime, "a.txt")
        server.release("on")
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


async def test_withdrawn_words_are_heard_by_nobody_and_heard_ones_cannot_be_withdrawn(tmp_path: Path) -> None:
    held = turn(write("a.txt", "a\n"), hold="on")
    async with staged(one_task(tmp_path), attempt(1, held, turn(says()))) as (runtime, server):
        await start(runtime)
        await until(runtime, lambda state: any(item.awaiting for item in state.sessions.values()))
        gone, kept = await said(runtime, "gone"), await said(runtime, "kept")
        answers = await asyncio.gather(*(runtime.withdraw_prompt(gone, USER, "the same") for _ in range(2)))
        assert not any(isinstance(answer, Rejected) for answer in answers), "the same order twice is one"
        server.release("on")
        await ended(runtime)
        assert last_texts(server, 2) == ["kept"]
        for prompt in (gone, kept):
            answer = await runtime.withdraw_prompt(prompt, USER)
            assert isinstance(answer, Rejected)
            assert answer.code == "unknown-prompt"


async def test_withdrawal_and_delivery_at_one_moment_are_one_of_both(tmp_path: Path) -> None:
    held = turn(write("a.txt", "a\n"), hold="on")
    async with staged(one_task(tmp_path), attempt(1, held, turn(says()))) as (runtime, server):
        await start(runtime)
        await until(runtime, lambda state: any(item.awaiting for item in state.sessions.values()))
        prompts = [await said(runtime, f"word {number}") for number in range(8)]
        server.release("on")
        taken = [not isinstance(await runtime.withdraw_prompt(prompt, USER), Rejected) for prompt in prompts]
        await ended(runtime)
        heard = {item.prompt for item in await events_of(runtime, agents.PromptDelivered)}
        withdrawn = {item.prompt for item in await events_of(runtime, agents.PromptWithdrawn)}
        assert withdrawn == {prompt for prompt, back in zip(prompts, taken, strict=True) if back}
        assert heard == set(prompts) - withdrawn


@pytest.mark.parametrize(
    ("agent", "text", "code"),
    [
        ("agent-9", "hello", "unknown-agent"),
        ("agent-1", " \n", "empty-prompt"),
        ("agent-1", LONG, "long-prompt"),
    ],
)
async def test_prompt_that_cannot_be_delivered_is_refused(tmp_path: Path, agent: str, text: str, code: str) -> None:
    async with staged(one_task(tmp_path)) as (runtime, _):
        answer = await runtime.prompt(AgentId(agent), text, USER)
        assert isinstance(answer, Rejected)
        assert answer.code == code
        assert not runtime.state.prompts


async def test_words_that_no_window_would_hold_are_refused_waiting_or_heard(tmp_path: Path) -> None:
    turns = (turn(write("a.txt", "a\n"), hold="on"), turn(write("b.txt", "b\n"), hold="then"), turn(says()))
    async with staged(one_task(tmp_path), attempt(1, *turns)) as (runtime, server):
        await start(runtime)
        await until(runtime, lambda state: any(item.awaiting == 1 for item in state.sessions.values()))
        for _ in range(2):
            await said(runtime, LONG[1:])
        for number in (1, 2):
            await until(
                runtime, lambda state, number=number: any(item.awaiting == number for item in state.sessions.values())
            )
            answer = await runtime.prompt(AGENT, "and one more", USER)
            assert isinstance(answer, Rejected)
            assert answer.code == "long-prompt"
            server.release("on" if number == 1 else "then")
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


async def test_words_outlive_a_crash_and_a_rotation(tmp_path: Path) -> None:
    """The state is copied while the first answer is under way; the session that goes on hands over after it heard."""
    root, copy = one_task(tmp_path), tmp_path / "after"
    hands_over = {"tool": "continue_in_new_session", "input": {"remaining": "write a.txt"}}
    first = attempt(1, turn(write("b.txt", "b\n"), hold="on"), turn(hands_over), not_first="# Hand-over")
    second = {
        "name": "next",
        "first": ["# Hand-over"],
        "turns": [turn(write("a.txt", "a\n"), expect="unasked, while the agent worked"), turn(says())],
    }
    async with ScriptedServer(script(first, second), keep=None) as server:
        async with hosted(root, server) as runtime:
            await start(runtime)
            await until(runtime, lambda state: any(item.awaiting for item in state.sessions.values()))
            await said(runtime)
            await asyncio.to_thread(shutil.copytree, root, copy)
            await runtime.cancel(USER)
            assert len(runtime.state.prompts) == 1, "what was not heard waits for the next turn, whenever that is"
        server.release("on")
        async with hosted(copy, server) as runtime:
            assert [item.text for item in runtime.state.prompts.values()] == [WORDS]
            await runtime.resume(USER, unattended=True)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
            assert len(await events_of(runtime, agents.PromptDelivered)) == 1
    assert WORDS in newest_message(server, "next", 1)


async def test_words_wait_until_what_was_cancelled_has_stopped(tmp_path: Path) -> None:
    never = turn(write("b.txt", "b\n"), hold="never", optional=True)
    again = {
        "name": "again",
        "first": ["# Task 01/1 (attempt 2)"],
        "turns": [turn(write("a.txt", "a\n")), turn(says())],
    }
    async with staged(one_task(tmp_path), attempt(1, never), again, strict=False) as (runtime, server):
        await start(runtime)
        await until(runtime, lambda state: any(item.awaiting for item in state.sessions.values()))
        await said(runtime)
        stopping = asyncio.create_task(runtime.cancel(USER))
        await start_when_possible(runtime)
        await stopping
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        (heard,) = await events_of(runtime, agents.PromptDelivered)
        order = [type(event).__name__ for event in await log_of(runtime)]
        assert order.index("RunFinished") < order.index("PromptDelivered")
        assert runtime.state.sessions[heard.session].turns == 2
        assert newest_message(server, "again", 1).endswith(WORDS)


async def start_when_possible(runtime: ProjectRuntime) -> None:
    """Another run, as soon as the one before has let go."""
    await until(runtime, lambda state: state.run is not None and state.run.state is RunState.FINISHED)
    await start(runtime)


async def test_words_that_come_too_late_are_told_of_and_heard_by_the_next_agent(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS), task(2, HOLDS))
    turns = (turn(write("a.txt", "a\n")), turn(says()))
    second = attempt(2, turn(says(), expect="use tabs"))
    async with staged(root, attempt(1, *turns), second) as (runtime, _):
        await start(runtime, Scope("task", "01/1"))
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        await said(runtime, "use tabs")
        told = "1 prompt not heard yet: the next agent at work hears what was said"
        assert next_steps(runtime.state, Scope("task", "01/1")) == [told]
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert next_steps(runtime.state, Scope()) == []


async def test_pause_after_the_task_lets_it_end_and_starts_no_other(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS), task(2, HOLDS))
    turns = (turn(write("a.txt", "a\n"), hold="on"), turn(says()))
    async with staged(root, attempt(1, *turns), attempt(2, turn(says()))) as (runtime, server):
        await start(runtime)
        await until(runtime, lambda state: any(item.awaiting for item in state.sessions.values()))
        await runtime.pause(USER, after_task=True)
        server.release("on")
        await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        assert runtime.state.record(ONE).state is TaskState.DONE
        assert runtime.state.state_of(TWO) is TaskState.READY
        await runtime.resume(USER, unattended=True)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


async def test_who_wants_a_pause_sooner_is_heard(tmp_path: Path) -> None:
    turns = (turn(write("a.txt", "a\n"), hold="on"), turn(says()))
    async with staged(one_task(tmp_path), attempt(1, *turns)) as (runtime, server):
        await start(runtime)
        await until(runtime, lambda state: any(item.awaiting for item in state.sessions.values()))
        await runtime.pause(USER, after_task=True)
        await runtime.pause(USER)
        await runtime.pause(USER, after_task=True)
        assert run_of(runtime.state).pause_after == "turn"
        server.release("on")
        await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        assert runtime.state.record(ONE).state is TaskState.IN_PROGRESS
        await runtime.resume(USER, unattended=True)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


async def test_other_settings_reach_an_agent_at_work_at_its_next_turn_and_are_told(tmp_path: Path) -> None:
    root = one_task(tmp_path)
    turns = (turn(write("a.txt", "a\n"), hold="on"), turn(says()))
    async with staged(root, attempt(1, *turns), limits={"turns": 1, "attempts": 1}) as (runtime, server):
        await start(runtime)
        await until(runtime, lambda state: any(item.awaiting for item in state.sessions.values()))
        await runtime.configure({"budget": {"task": {"turns": 7}}})
        await until_event(runtime, documents.SettingsChanged)
        (changed,) = await events_of(runtime, documents.SettingsChanged)
        assert changed.keys == ("budget.task.turns",)
        assert runtime.engine.options.task_budget.turns == 7
        await runtime.configure({"budget": {"task": {"turns": 7}}})
        assert len(await events_of(runtime, documents.SettingsChanged)) == 1
        server.release("on")
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


async def test_other_limits_of_commands_and_retries_reach_a_session_at_work(tmp_path: Path) -> None:
    busy = turn(says(), fault={"status": 529, "retry_after": "0"})
    turns = (turn(write("a.txt", "a\n"), hold="on"), turn(command("sleep 60")), busy)
    async with staged(one_task(tmp_path), attempt(1, *turns)) as (runtime, server):
        await start(runtime)
        await until(runtime, lambda state: any(item.awaiting for item in state.sessions.values()))
        await runtime.configure({"limits": {"command_timeout_s": 0.2, "stream_retries": 0}})
        server.release("on")
        assert (await ended(runtime)).outcome is RunOutcome.FAULT
        assert "0.2" in newest_message(server, "1 at 1", 3)
        assert [event.asked for event in await events_of(runtime, agents.TurnFailed)] == [1]
