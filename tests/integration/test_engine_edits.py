"""What the model sees of its own calls: corrected ones, one base for all edits of a turn, the same after a restart."""

from pathlib import Path
from typing import Any, cast

from specloom.domain.events import agents
from specloom.domain.runs import RunOutcome, RunState
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import USER, hosted
from tests.integration.stage import (
    DEADLINE,
    attempt,
    ended,
    events_of,
    project,
    read,
    replace_line,
    run_of,
    says,
    script,
    staged,
    start,
    task,
    turn,
    until,
)

READS, CLAIMS = turn(read("a.txt")), turn(says())
TEXT = "".join(f"line {number}\n" for number in range(1, 11))


def edit_in(body: dict[str, Any], turn_number: int) -> dict[str, Any]:
    """The input of the call in the so-manieth answer of a conversation."""
    answers = [message for message in body["messages"] if message["role"] == "assistant"]
    call = next(block for block in answers[turn_number - 1]["content"] if block["type"] == "tool_use")
    return call["input"]["edits"][0]


def without_breakpoints(value: Any) -> Any:
    """Messages as they are, whatever is to be cached of them this time."""
    if isinstance(value, list):
        return [without_breakpoints(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        known = cast("dict[str, Any]", value)
        return {key: without_breakpoints(item) for key, item in known.items() if key != "cache_control"}
    return value


async def test_a_call_that_was_accepted_elsewhere_is_sent_back_corrected_also_after_a_restart(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "grep -q LINE a.txt"))
    (root / "a.txt").write_text(TEXT)
    misplaced = turn(replace_line("a.txt", 7, "line 5", "LINE 5"))
    held = turn(read("a.txt"), hold="reading")
    async with ScriptedServer(script(attempt(1, READS, misplaced, held, CLAIMS)), keep=None) as server:
        async with hosted(root, server) as runtime:
            await start(runtime)
            assert await server.until(lambda known: known.total == 3, DEADLINE)
            await runtime.pause(USER)
            server.release("reading")
            await until(runtime, lambda state: run_of(state).state is RunState.PAUSED)
        async with hosted(root, server) as runtime:
            await runtime.resume(USER, unattended=True)
            assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        server.check()
        assert server.repeats == 0
        third, fourth = (item.body for item in server.requests if item.turn in (3, 4))
    assert edit_in(third, 2)["start_line"] == 5
    before, after = without_breakpoints(third["messages"]), without_breakpoints(fourth["messages"])
    assert after[: len(before)] == before, "a restart changes no word"
    assert fourth["tools"] == third["tools"]
    assert fourth["system"] == third["system"]


async def test_the_edits_of_one_turn_mean_the_lines_as_they_were_before_it(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "grep -q LINE a.txt"))
    (root / "a.txt").write_text(TEXT)
    inserts = replace_line("a.txt", 2, "line 2", "line 2\nnew\nnew\nnew\nnew\nnew")
    both = turn(inserts, replace_line("a.txt", 9, "line 9", "LINE 9"))
    async with staged(root, attempt(1, READS, both, CLAIMS)) as (runtime, _):
        await start(runtime)
        assert (await ended(runtime)).outcome is RunOutcome.COMPLETED
        settled = await events_of(runtime, agents.ToolSettled)
        assert [(event.is_error, event.corrected) for event in settled] == [(False, "")] * 3
    assert "line 8\nLINE 9\nline 10\n" in (root / "a.txt").read_text()
