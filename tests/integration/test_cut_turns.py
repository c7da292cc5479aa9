"""What an answer cost that a pause, or the end of a run, cut off: it is charged once, by what the stream had told."""

import asyncio
from pathlib import Path

import pytest

from specloom.domain.events import agents
from specloom.engine.api import OutputChunk
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import USER, hosted
from tests.integration.stage import DEADLINE, Json, attempt, ended, events_of, project, says, script, start, task, turn

WORDS = "one two three four five six seven eight"


async def first_words(runtime: ProjectRuntime) -> None:
    """Returns when some of an answer has come."""
    come = asyncio.Event()

    def heard(chunk: OutputChunk) -> None:
        if chunk.kind == "text":
            come.set()

    with runtime.watch_output(heard):
        await start(runtime)
        async with asyncio.timeout(DEADLINE):
            await come.wait()


@pytest.mark.parametrize("how", ["pause", "cancel"])
async def test_an_answer_that_is_cut_off_is_charged_by_what_it_had_told(tmp_path: Path, how: str) -> None:
    root = project(tmp_path / "p", task(1, "true"))
    held: Json = turn(says(WORDS), hold="never", hold_after_events=4, usage={"input": 700, "cache_read": 50})
    async with ScriptedServer(script(attempt(1, held)), keep=None) as server:
        async with hosted(root, server) as runtime:
            await first_words(runtime)
            await (runtime.pause(USER, at_once=True) if how == "pause" else runtime.cancel(USER))
            await ended(runtime)
            [cut] = await events_of(runtime, agents.TurnFailed)
            assert (cut.fault, cut.retry_in_s, cut.usage.input, cut.usage.cache_read) == ("interrupted", None, 700, 50)
            assert 0 < cut.usage.output <= len(WORDS)
            assert runtime.state.usage.tokens == cut.usage.tokens
        async with hosted(root, server) as runtime:
            assert runtime.state.usage.tokens == cut.usage.tokens


async def test_a_request_that_is_cut_off_before_its_answer_is_charged_by_an_estimate(tmp_path: Path) -> None:
    root = project(tmp_path / "p", task(1, "true"))
    held: Json = turn(says(WORDS), hold="never")
    async with ScriptedServer(script(attempt(1, held)), keep=None) as server, hosted(root, server) as runtime:
        await start(runtime)
        assert await server.until(lambda known: known.total == 1)
        await runtime.pause(USER, at_once=True)
        await ended(runtime)
        [cut] = await events_of(runtime, agents.TurnFailed)
        assert (cut.usage.input > 0, cut.usage.output) == (True, 0)
        assert runtime.state.usage.tokens == cut.usage.tokens
