"""Faults of the model and its endpoint: what is tried again, what ends the run, what the model is told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from specloom.agent.ask import RetryPolicy
from specloom.domain.events import agents
from specloom.domain.runs import RunOutcome
from specloom.domain.states import TaskState
from specloom.engine.options import EngineOptions
from specloom.llm.errors import ProviderError, ProviderFault
from tests.integration.stage import (
    ONE,
    attempt,
    command,
    ended,
    events_of,
    newest_message,
    project,
    says,
    staged,
    start,
    task,
    turn,
    write,
)

WRITES = turn(write("a.txt", "a\n"))
HOLDS = "test -f a.txt"


def impatient(options: EngineOptions) -> EngineOptions:
    """As the options are, with no wait between two tries."""
    return replace(options, retry=replace(options.retry, first_wait=0.0))


def faulty(**fault: Any) -> dict[str, Any]:
    """The fault of an endpoint that wants to be asked again at once."""
    return {"retry_after": "0", **fault}


async def test_an_overloaded_endpoint_is_asked_again_and_each_retry_is_an_event(tmp_path: Path) -> None:
    overloaded = turn(write("a.txt", "a\n"), fault=faulty(status=529, times=2))
    async with staged(project(tmp_path / "p", task(1, HOLDS)), attempt(1, overloaded, turn(says()))) as (runtime, _):
        runtime.engine.options = impatient(runtime.engine.options)
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        failed = await events_of(runtime, agents.TurnFailed)
        assert [(event.turn, event.fault, event.retry_in_s) for event in failed] == [(1, "overloaded", 0.0)] * 2
        assert [(event.asked, event.tries) for event in failed] == [(1, 11), (2, 11)]
        requested = await events_of(runtime, agents.TurnRequested)
        assert [(event.turn, event.attempt_no) for event in requested] == [(1, 1), (1, 2), (1, 3), (2, 1)]


async def test_an_endpoint_that_stays_overloaded_ends_the_run_and_frees_the_task(tmp_path: Path) -> None:
    overloaded = turn(write("a.txt", "a\n"), fault=faulty(status=529, times="always"))
    root = project(tmp_path / "p", task(1, HOLDS))
    async with staged(root, attempt(1, overloaded), limits={"stream_retries": 2}) as (runtime, server):
        runtime.engine.options = impatient(runtime.engine.options)
        await start(runtime)
        run = await ended(runtime)
        assert run.outcome is RunOutcome.FAULT
        assert "529" in run.reason
        assert server.total == 3
        assert runtime.state.state_of(ONE) is TaskState.READY
        assert [event.retry_in_s for event in await events_of(runtime, agents.TurnFailed)] == [0.0, 0.0, None]


async def test_a_refused_key_ends_the_run_at_once_and_says_which_key(tmp_path: Path) -> None:
    refused = turn(write("a.txt", "a\n"), fault=faulty(status=401, message="invalid x-api-key", times="always"))
    async with staged(project(tmp_path / "p", task(1, HOLDS)), attempt(1, refused)) as (runtime, server):
        await start(runtime)
        run = await ended(runtime)
        assert run.outcome is RunOutcome.FAULT
        assert "key" in run.reason
        assert server.total == 1
        assert runtime.state.state_of(ONE) is TaskState.READY


async def test_after_a_fault_the_next_run_goes_on(tmp_path: Path) -> None:
    refused = turn(write("a.txt", "a\n"), fault=faulty(status=401, times=1))
    sessions = (attempt(1, refused), attempt(1, WRITES, turn(says()), at=2))
    async with staged(project(tmp_path / "p", task(1, HOLDS)), *sessions) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.FAULT
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


@pytest.mark.parametrize(
    "fault",
    [
        {"close": True},
        {"cut_after_events": 3},
        {"cut_after_bytes": 300},
        {"garbage": True, "after_events": 2},
        {"error_event": "overloaded_error", "after_events": 2},
    ],
    ids=lambda fault: next(iter(fault)),
)
async def test_a_broken_stream_is_asked_again_and_runs_no_half_call(tmp_path: Path, fault: dict[str, Any]) -> None:
    broken = turn(write("a.txt", "a\n" * 400), fault=fault)
    async with staged(project(tmp_path / "p", task(1, HOLDS)), attempt(1, broken, turn(says()))) as (runtime, server):
        runtime.engine.options = impatient(runtime.engine.options)
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert server.total == 3
        assert len(await events_of(runtime, agents.ToolRequested)) == 1
    assert (tmp_path / "p" / "a.txt").read_text() == "a\n" * 400


async def test_what_broke_off_counts_before_the_same_turn_is_asked_again(tmp_path: Path) -> None:
    broken = turn(write("a.txt", "a\n" * 400), fault={"cut_after_events": 3})
    root = project(tmp_path / "p", task(1, HOLDS))
    async with staged(root, attempt(1, broken), strict=False) as (runtime, server):
        runtime.engine.options = impatient(runtime.engine.options)
        await start(runtime, tokens=10)
        run = await ended(runtime)
        assert run.outcome is RunOutcome.BUDGET
        assert "10 tokens" in run.reason
        assert server.total == 1
        assert runtime.state.state_of(ONE) is TaskState.IN_PROGRESS


def test_an_endpoint_that_wants_to_be_asked_at_once_is_given_time() -> None:
    policy = RetryPolicy()

    def waits(said: float | None) -> list[float]:
        error = ProviderError(ProviderFault.OVERLOADED, "busy", retry_after=said)
        return [policy.wait(failed, error) for failed in (1, 2, 3, 9)]

    assert waits(0.0) == waits(-1.0) == waits(None) == [1.0, 2.0, 4.0, 60.0]
    assert waits(3.0) == [3.0, 3.0, 4.0, 60.0]
    assert waits(1e9) == [60.0] * 4


def test_who_failed_together_does_not_come_back_together_and_nobody_comes_too_soon() -> None:
    policy = RetryPolicy(chance=lambda: 1.0)
    own = ProviderError(ProviderFault.OVERLOADED, "busy")
    told = ProviderError(ProviderFault.OVERLOADED, "busy", retry_after=10.0)
    assert [policy.wait(failed, own) for failed in (1, 2, 9)] == [0.75, 1.5, 45.0]
    assert [policy.wait(failed, told) for failed in (1, 9)] == [10.25, 60.0]


async def test_a_wait_that_is_not_believed_is_told(tmp_path: Path) -> None:
    absurd = turn(write("a.txt", "a\n"), fault={"status": 429, "retry_after": "86400"})
    async with staged(project(tmp_path / "p", task(1, HOLDS)), attempt(1, absurd, turn(says()))) as (runtime, _):
        options = runtime.engine.options
        runtime.engine.options = replace(options, retry=replace(options.retry, first_wait=0.0, longest_wait=0.01))
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        (failed,) = await events_of(runtime, agents.TurnFailed)
        assert (failed.retry_in_s, failed.message.endswith("(it asks to wait 86400 s)")) == (0.01, True)


async def test_a_refusal_of_the_model_fails_the_attempt_with_its_words(tmp_path: Path) -> None:
    refusal = turn(says("I will not do this."), stop="refusal")
    sessions = (attempt(1, refusal), attempt(1, WRITES, turn(says()), at=2))
    async with staged(project(tmp_path / "p", task(1, HOLDS)), *sessions) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert "I will not do this." in newest_message(server, "1 at 2", 1)


HALF = {"tool": "write_file", "input": {"path": "half.txt", "content": "half " * 50}, "cut": 40}


@pytest.mark.parametrize("parts", [[], [HALF], [says("I write."), HALF]], ids=["at once", "in a call", "after text"])
async def test_a_refusal_without_a_word_or_within_a_call_is_asked_for_once(tmp_path: Path, parts: list[Any]) -> None:
    refusal = turn(*parts, stop="refusal")
    sessions = (attempt(1, refusal), attempt(1, WRITES, turn(says()), at=2))
    async with staged(project(tmp_path / "p", task(1, HOLDS)), *sessions) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert server.total == 3
        assert "the model did not go on" in newest_message(server, "1 at 2", 1)
    assert not (tmp_path / "p" / "half.txt").exists()


@pytest.mark.parametrize("before", [[], [says("I write.")]], ids=["alone", "after text"])
@pytest.mark.parametrize("stop", ["length", "tool_use"])
async def test_a_call_that_is_not_whole_for_a_reason_nobody_knows_is_no_claim(
    tmp_path: Path, before: list[dict[str, Any]], stop: str
) -> None:
    told = "the input is not valid JSON" if stop == "tool_use" else "was not run"
    first, whole = turn(*before, HALF, stop=stop), turn(write("a.txt", "a\n"), expect=told)
    turns = [first, whole, turn(says())]
    if stop == "length" and not before:
        turns = [{"branches": [first | {"not_expect": "was not run"}, whole]}, turn(says())]
    root = project(tmp_path / "p", task(1, HOLDS))
    async with staged(root, attempt(1, *turns), limits={"attempts": 1}) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert server.total == 3
    assert not (tmp_path / "p" / "half.txt").exists()


async def test_an_answer_cut_at_the_length_limit_goes_on(tmp_path: Path) -> None:
    cut = turn(says("Let me think about"), stop="max_tokens")
    turns = (cut, turn(write("a.txt", "a\n"), expect="cut off at the length limit"), turn(says()))
    async with staged(project(tmp_path / "p", task(1, HOLDS)), attempt(1, *turns)) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


@pytest.mark.parametrize("before", [[], [says("I write.")]], ids=["alone", "after text"])
async def test_a_call_cut_at_the_length_limit_is_not_run_and_the_model_is_told(
    tmp_path: Path, before: list[dict[str, Any]]
) -> None:
    first = turn(*before, HALF, stop="max_tokens")
    whole = turn(write("a.txt", "a\n"), expect="was not run")
    if before:
        turns = [first, whole, turn(says())]
    else:
        # An answer without a block is not sent back: the model is asked at the same place, with one more sentence.
        turns = [{"branches": [first | {"not_expect": "was not run"}, whole]}, turn(says())]
    async with staged(project(tmp_path / "p", task(1, HOLDS)), attempt(1, *turns)) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert server.total == 3
    assert not (tmp_path / "p" / "half.txt").exists()


async def test_answers_that_are_cut_off_again_and_again_end_the_attempt(tmp_path: Path) -> None:
    cut = turn(says("Let me think about"), stop="max_tokens")
    root = project(tmp_path / "p", task(1, HOLDS))
    async with staged(root, attempt(1, cut, cut, cut), limits={"attempts": 1}) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.INCOMPLETE
        record = runtime.state.record(ONE)
        assert record.state is TaskState.FAILED
        assert "cut off" in record.reason


async def test_an_empty_answer_is_asked_again(tmp_path: Path) -> None:
    empty = {"branches": [turn()]}
    root = project(tmp_path / "p", task(1, HOLDS))
    async with staged(root, attempt(1, empty), limits={"stream_retries": 1}) as (runtime, server):
        runtime.engine.options = impatient(runtime.engine.options)
        await start(runtime)
        run = await ended(runtime)
        assert run.outcome is RunOutcome.FAULT
        assert "answered nothing" in run.reason
        assert server.total == 2


async def test_an_unknown_tool_and_a_wrong_input_are_told_to_the_model(tmp_path: Path) -> None:
    unknown: dict[str, Any] = {"tool": "write_files", "input": {}}
    wrong = {"tool": "write_file", "input": {"path": "a.txt", "text": "a"}}
    broken = {"tool": "write_file", "raw_input": '{"path": '}
    turns = (
        turn(unknown),
        turn(wrong, expect="there is no tool 'write_files' (did you mean 'write_file'?)"),
        turn(broken, expect="content"),
        turn(write("a.txt", "a\n"), expect="send the call again"),
        turn(says()),
    )
    async with staged(project(tmp_path / "p", task(1, HOLDS)), attempt(1, *turns)) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


async def test_a_paused_turn_is_sent_back_as_it_is(tmp_path: Path) -> None:
    paused = turn(says("Searching."), stop="pause_turn")
    async with staged(project(tmp_path / "p", task(1, HOLDS)), attempt(1, paused, WRITES, turn(says()))) as (
        runtime,
        _,
    ):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED


async def test_an_attempt_that_uses_up_its_turns_fails(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, HOLDS))
    sessions = (attempt(1, turn(command("true")), turn(command("true"))), attempt(1, WRITES, turn(says()), at=2))
    async with staged(root, *sessions, limits={"turns": 2}) as (runtime, server):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert "used up its 2 turns" in newest_message(server, "1 at 2", 1)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"turns": 1}, "1 turns"),
        ({"tokens": 10}, "10 tokens"),
        ({"usd": 0.001}, "$0.00"),
        ({"minutes": 0.0}, "0 minutes"),
    ],
    ids=["turns", "tokens", "usd", "minutes"],
)
async def test_a_budget_ends_the_run_before_the_next_request(
    tmp_path: Path, limits: dict[str, Any], reason: str
) -> None:
    sessions = () if "minutes" in limits else (attempt(1, WRITES),)
    prices = {"scripted-1": {"input": 1000.0, "output": 1000.0}}
    async with staged(project(tmp_path / "p", task(1, HOLDS)), *sessions, prices=prices) as (runtime, server):
        await start(runtime, **limits)
        run = await ended(runtime)
        assert run.outcome is RunOutcome.BUDGET
        assert reason in run.reason
        assert server.total == len(sessions)
        begun = TaskState.IN_PROGRESS if sessions else TaskState.READY
        assert runtime.state.state_of(ONE) is begun, "an attempt that is begun goes on another time"


async def test_a_budget_that_is_used_up_by_the_claim_does_not_keep_it_from_being_verified(tmp_path: Path) -> None:
    async with staged(project(tmp_path / "p", task(1, HOLDS)), attempt(1, WRITES, turn(says()))) as (runtime, _):
        await start(runtime, turns=2)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        assert runtime.state.record(ONE).state is TaskState.DONE
