"""The adapter over real HTTP against the scripted model: answers, faults, breaks, cancellation."""

import asyncio
import json
import sys
from dataclasses import replace
from typing import Any

import pytest
from llm_samples import Json, Listener, request, result, say

from conftest import NewModel
from specloom.llm.anthropic_model import AnthropicModel
from specloom.llm.connection import Timeouts
from specloom.llm.errors import ProviderError, ProviderFault
from specloom.llm.messages import ModelAnswer, StopReason, ThinkingSetting
from specloom.llm.model import Model, ModelFacts
from specloom.llm.scripted import ScriptedServer
from specloom.llm.wire import WireEncoder

QUICK = Timeouts(connect=2.0, answer=2.0, stall=0.3, lookup=2.0)
UNKNOWN = {"type": "compaction_v9", "content": {"deep": [1, None]}}


def script(*turns: Json) -> Json:
    return {"sessions": [{"name": "the session", "first": "hello", "turns": list(turns)}]}


def turn(*answer: Json, **more: Any) -> Json:
    return {"answer": list(answer), **more}


SAID = turn({"text": "Hello there"})
CALLED = turn(
    {"thinking": "Which file?", "signature": "c2lnbmVk"},
    {"redacted_thinking": "EuYB"},
    {"text": "I read it"},
    {"raw": UNKNOWN},
    {"tool": "read_file", "input": {"path": "a.py"}},
    {"tool": "read_file", "input": {"path": "b.py"}},
)


async def refused(asked: AnthropicModel, **settings: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await asked.ask(request(**settings))
    return caught.value


async def test_a_conversation_goes_back_and_forth(new_model: NewModel) -> None:
    async with ScriptedServer(script(CALLED, turn({"text": "Done"}, expect="content of a"))) as server:
        model: Model = new_model(server.base_url)
        listener = Listener()
        first = await model.ask(request(), listener)
        assert first.stop is StopReason.TOOL_USE
        assert first.message.text == "I read it"
        assert [dict(call.input) for call in first.message.tool_uses] == [{"path": "a.py"}, {"path": "b.py"}]
        assert {kind for _, kind, _, _ in listener.heard} == {"text", "thinking", "tool_input"}
        second = await model.ask(request(say("hello"), first.message, result(first.message, "content of a")))
        assert (second.message.text, second.stop) == ("Done", StopReason.END_TURN)
        server.check()


async def test_thinking_and_unknown_blocks_go_back_byte_for_byte(new_model: NewModel) -> None:
    async with ScriptedServer(script(CALLED, SAID)) as server:
        model = new_model(server.base_url)
        first = await model.ask(request())
        await model.ask(request(say("hello"), first.message, result(first.message, "x")))
        sent = server.requests[-1].body["messages"][1]["content"]
        assert sent[:4] == [
            {"type": "thinking", "thinking": "Which file?", "signature": "c2lnbmVk"},
            {"type": "redacted_thinking", "data": "EuYB"},
            {"type": "text", "text": "I read it"},
            UNKNOWN,
        ]
        server.check()


async def test_facts_are_asked_once_and_cap_the_answer(new_model: NewModel) -> None:
    facts = {"id": "scripted-1", "max_input_tokens": 5000, "max_tokens": 900}
    async with ScriptedServer(script(SAID) | {"model": facts}) as server:
        model = new_model(server.base_url)
        assert await model.facts("scripted-1") == ModelFacts("scripted-1", 5000, 900)
        await asyncio.gather(model.facts("scripted-1"), model.ask(request()))
        assert [seen.path for seen in server.requests] == ["/v1/models/scripted-1", "/v1/messages"]
        assert server.requests[-1].body["max_tokens"] == 900


async def test_tokens_are_counted(new_model: NewModel) -> None:
    async with ScriptedServer(script(SAID)) as server:
        model = new_model(server.base_url)
        small = await model.count_tokens(request())
        large = await model.count_tokens(request(say("hello" * 4000)))
        assert small < 100 < 4900 < large


async def test_thinking_is_asked_for(new_model: NewModel) -> None:
    async with ScriptedServer(script(SAID)) as server:
        model = new_model(server.base_url)
        await model.ask(request(thinking=ThinkingSetting(enabled=True, budget=2000)))
        assert server.requests[-1].body["thinking"] == {"type": "enabled", "budget_tokens": 2000}


async def test_a_second_turn_reads_what_the_first_wrote_to_the_cache(new_model: NewModel) -> None:
    async with ScriptedServer(script(CALLED, SAID)) as server:
        model = new_model(server.base_url)
        opening = say("hello " + "x" * 8000)
        first = await model.ask(request(opening))
        second = await model.ask(request(opening, first.message, result(first.message, "y" * 400)))
        assert first.usage.cache_write > 2000
        assert second.usage.cache_read > 2000
        assert second.usage.cache_write < 400


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (400, ProviderFault.INVALID),
        (401, ProviderFault.KEY),
        (403, ProviderFault.KEY),
        (413, ProviderFault.TOO_LARGE),
        (429, ProviderFault.RATE_LIMITED),
        (500, ProviderFault.SERVER),
        (529, ProviderFault.OVERLOADED),
    ],
)
async def test_a_status_is_raised_once_and_the_same_request_then_succeeds(
    new_model: NewModel, status: int, fault: ProviderFault
) -> None:
    failing = turn({"text": "ok"}, fault={"status": status, "retry_after": "7"})
    async with ScriptedServer(script(failing)) as server:
        model = new_model(server.base_url)
        error = await refused(model)
        assert (error.fault, error.status, error.retry_after) == (fault, status, 7.0)
        assert server.total == 1
        assert (await model.ask(request())).message.text == "ok"


async def test_an_unknown_model_is_named_with_those_close_to_it(new_model: NewModel) -> None:
    async with ScriptedServer(script(SAID)) as server:
        error = await refused(new_model(server.base_url), model="scripted-2")
        assert error.fault is ProviderFault.NOT_FOUND
        for word in ("'scripted-2'", "close to it: scripted-1", "--model"):
            assert word in str(error)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"close": True}, "closed the connection before its answer"),
        ({"cut_after_events": 0}, "in the middle"),
        ({"cut_after_events": 7}, "in the middle"),
        ({"garbage": True, "after_events": 5}, "no answer of the Messages API"),
        ({"stall_s": 30, "after_events": 4}, "sent nothing for 0.3 s"),
    ],
)
async def test_a_broken_stream_is_an_error_and_the_next_request_succeeds(
    new_model: NewModel, fault: Json, words: str
) -> None:
    async with ScriptedServer(script(turn({"text": "ok " * 100}, fault=fault))) as server:
        model = new_model(server.base_url, timeouts=QUICK)
        error = await refused(model)
        assert error.fault is ProviderFault.BROKEN_STREAM
        assert error.retryable
        assert words in str(error)
        assert (await model.ask(request())).message.text == "ok " * 100


async def test_an_error_in_the_stream_has_the_fault_of_its_type(new_model: NewModel) -> None:
    failing = turn({"text": "ok"}, fault={"error_event": "overloaded_error", "after_events": 3})
    async with ScriptedServer(script(failing)) as server:
        assert (await refused(new_model(server.base_url))).fault is ProviderFault.OVERLOADED


async def test_a_stream_cut_at_any_byte_is_broken_or_whole_and_never_wrong(new_model: NewModel) -> None:
    answer = ({"thinking": "hm"}, {"text": "é" * 30}, {"tool": "read_file", "input": {"path": "a"}})
    async with ScriptedServer(script(turn(*answer)), delta_chars=9) as server:
        whole = await new_model(server.base_url).ask(request())
    results: list[ModelAnswer | ProviderFault] = []
    places = range(0, 2600, 23)
    cuts = [{"cut_after_bytes": place} for place in places]
    async with ScriptedServer(script(turn(*answer, fault=cuts)), delta_chars=9) as server:
        model = new_model(server.base_url, timeouts=QUICK)
        for _ in places:
            try:
                results.append(await model.ask(request()))
            except ProviderError as error:
                results.append(error.fault)
    assert results[0] is ProviderFault.BROKEN_STREAM
    assert results[-1] == whole
    assert all(found in (ProviderFault.BROKEN_STREAM, whole) for found in results)


async def test_pings_keep_a_slow_stream_alive(new_model: NewModel) -> None:
    slow = Timeouts(connect=2.0, answer=2.0, stall=0.2)
    async with ScriptedServer(script(turn({"text": "word " * 60})), pace_s=0.02, delta_chars=10) as server:
        answer = await new_model(server.base_url, timeouts=slow).ask(request())
        assert answer.message.text == "word " * 60


async def test_a_cancelled_request_closes_its_connection(new_model: NewModel) -> None:
    async with ScriptedServer(script(turn({"text": "never"}, hold="gate", hold_after_events=2))) as server:
        model = new_model(server.base_url)
        task = asyncio.create_task(model.ask(request()))
        assert await server.until(lambda seen: seen.total == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await server.until(lambda seen: seen.disconnected == 1)


async def test_a_silent_endpoint_is_given_up(new_model: NewModel) -> None:
    async with ScriptedServer(script(turn({"text": "never"}, hold="gate"))) as server:
        error = await refused(new_model(server.base_url, timeouts=replace(QUICK, answer=0.2)))
        assert error.fault is ProviderFault.BROKEN_STREAM
        assert "no byte of an answer for 0.2 s" in str(error)


async def test_connections_are_used_again(new_model: NewModel) -> None:
    async with ScriptedServer(script(SAID)) as server:
        model = new_model(server.base_url)
        for _ in range(3):
            await model.ask(request())
        assert len({seen.client_port for seen in server.requests}) == 1


async def test_many_requests_at_once_are_kept_apart(new_model: NewModel) -> None:
    sessions = [{"name": f"s{n}", "first": f"[{n}]", "turns": [turn({"text": f"answer {n}"})]} for n in range(20)]
    async with ScriptedServer({"sessions": sessions}) as server:
        model = new_model(server.base_url)
        answers = await asyncio.gather(*(model.ask(request(say(f"[{n}]"))) for n in range(20)))
        assert [answer.message.text for answer in answers] == [f"answer {n}" for n in range(20)]
        server.check()


async def test_what_is_sent_stays_equal_however_often_it_is_sent(new_model: NewModel) -> None:
    async with ScriptedServer(script(SAID), keep=None) as server:
        model = new_model(server.base_url)
        await model.ask(request())
        await model.ask(request())
        bodies = [seen.body for seen in server.requests if seen.path == "/v1/messages"]
        assert bodies[0] == bodies[1]
        assert server.repeats == 1
        expected = replace(request(), max_tokens=32_000)
        assert bodies[0] == json.loads(WireEncoder().body(expected))


async def test_the_sdk_is_imported_with_the_first_request_only() -> None:
    code = (
        "import sys; from specloom.llm.anthropic_model import AnthropicModel;"
        "AnthropicModel(api_key=None, base_url=None);"
        "print([m for m in ('anthropic', 'httpx2', 'pydantic') if m in sys.modules])"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert output.decode().strip() == "[]"
