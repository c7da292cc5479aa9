"""Events to answers: equal to the SDK's own accumulator, and careful where it is not."""

import importlib
import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llm_samples import (
    PING,
    UNKNOWN_BLOCK,
    WHOLE_BLOCKS,
    Json,
    Listener,
    answers,
    block,
    call_block,
    ended,
    opened,
    pieces,
    sse,
    text_block,
    thinking_block,
)

from specloom.llm.decode import Accumulator, MalformedStreamError, StreamedError, decode_message
from specloom.llm.messages import ModelAnswer, Opaque, StopReason, Text, Thinking, ToolUse, Usage
from specloom.llm.sse import SseSplitter


def decode(events: list[Json], listener: Listener | None = None) -> ModelAnswer:
    accumulator = Accumulator(listener)
    for event in events:
        accumulator.feed(event)
    assert accumulator.finished
    return accumulator.answer()


def accumulate_as_sdk(events: list[Json]) -> Json:
    sdk: Any = importlib.import_module("anthropic.lib.streaming._messages")
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for event in events:
        if event["type"] not in ("ping", "message_stop"):
            event_copy: Any = json.loads(json.dumps(event))
            snapshot = sdk.accumulate_event(event=event_copy, current_snapshot=snapshot, json_bufs=buffers)
    return snapshot.to_dict()


@given(answers(), st.lists(st.integers(0, 5000)))
def test_answers_equal_those_of_the_sdk(events: list[Json], cuts: list[int]) -> None:
    splitter = SseSplitter()
    accumulator = Accumulator()
    for chunk in pieces(sse(events), cuts):
        for _, payload in splitter.feed(chunk):
            accumulator.feed(json.loads(payload))
    answer = accumulator.answer()
    expected = accumulate_as_sdk(events)
    assert [dict(part.raw) for part in answer.message.blocks] == expected["content"]
    assert (answer.id, answer.stop) == (expected["id"], expected["stop_reason"])
    usage = expected["usage"]
    assert answer.usage == Usage(
        usage["input_tokens"],
        usage["output_tokens"],
        usage["cache_read_input_tokens"],
        usage["cache_creation_input_tokens"],
    )


def test_usage_of_a_delta_replaces_and_does_not_add() -> None:
    events = [opened(), *ended(input_tokens=3, cache_read_input_tokens=20)]
    events.insert(1, {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 5, "iterations": [{}]}})
    assert decode(events).usage == Usage(input=3, output=7, cache_read=20, cache_write=5)


def test_usage_that_falls_back_to_nothing_was_said_by_an_endpoint_that_forgot_it() -> None:
    events = [opened(), *ended(input_tokens=0, cache_read_input_tokens=0)]
    assert decode(events).usage.input == decode([opened(), *ended()]).usage.input > 0


def test_absurd_or_missing_usage_counts_nothing() -> None:
    events = [opened(usage=None), *ended()]
    events[1]["usage"] = {"output_tokens": None, "input_tokens": -4, "cache_read_input_tokens": "many"}
    assert decode(events).usage == Usage()


def test_a_call_without_input_has_an_empty_input() -> None:
    answer = decode([opened(), *call_block(0), *call_block(1, "", ""), *ended("tool_use")])
    assert [(call.input, call.fault) for call in answer.message.tool_uses] == [({}, ""), ({}, "")]


@pytest.mark.parametrize(
    "text", ['{"path": "a', "[1]", '{"a": NaN}', "{}x", "[" * 100_000, '{"a": ' + "1" * 5000 + "}"]
)
def test_input_that_is_no_json_object_is_a_fault_and_not_an_input(text: str) -> None:
    (call,) = decode([opened(), *call_block(0, text), *ended("tool_use")]).message.tool_uses
    assert call.input == {}
    assert call.raw["input"] == {}
    assert "the input is not" in call.fault


@pytest.mark.parametrize("reason", ["max_tokens", "model_context_window_exceeded", "refusal"])
@pytest.mark.parametrize("parts", [(), ("",), ('{"path": "a',)])
def test_a_call_that_was_cut_off_is_dropped(reason: str, parts: tuple[str, ...]) -> None:
    answer = decode([opened(), *text_block(0, "Hm"), *call_block(1, *parts), *ended(reason)])
    assert answer.message.tool_uses == ()
    assert answer.dropped_calls == 1
    assert answer.message.text == "Hm"


@pytest.mark.parametrize("count", [True, 10**300, 10**13, -1, 2.5, "7", None])
def test_a_count_of_tokens_that_can_be_none_is_not_billed(count: Any) -> None:
    answer = decode([opened(), *text_block(0, "a"), *ended(input_tokens=count)])
    assert answer.usage == Usage(input=10, output=7, cache_write=5)


def test_a_whole_call_before_the_cut_stays() -> None:
    answer = decode([opened(), *call_block(0, '{"a": 1}'), *call_block(1, '{"b": 2}'), *ended("max_tokens")])
    assert [dict(call.input) for call in answer.message.tool_uses] == [{"a": 1}, {"b": 2}]


def test_a_call_that_was_never_closed_is_dropped() -> None:
    answer = decode([opened(), *call_block(0, '{"a": 1}', closed=False), *ended("tool_use")])
    assert (answer.message.tool_uses, answer.dropped_calls) == ((), 1)


def test_thinking_that_was_cut_before_its_signature_is_not_kept() -> None:
    answer = decode([opened(), *thinking_block(0, "", "I was abou"), *ended("max_tokens")])
    assert answer.message.blocks == ()


def test_blocks_that_come_whole_and_unknown_blocks_are_kept_as_they_came() -> None:
    blocks = [*WHOLE_BLOCKS, UNKNOWN_BLOCK]
    events = [event for index, start in enumerate(blocks) for event in block(index, start)]
    answer = decode([opened(), PING, *events, *ended()])
    assert [part.raw for part in answer.message.blocks] == blocks
    assert [type(part) for part in answer.message.blocks] == [Thinking, Opaque, Opaque, Opaque]


def test_an_unknown_block_grows_by_its_unknown_deltas() -> None:
    deltas = [{"type": "compaction_delta", "content": "a"}, {"type": "compaction_delta", "content": "b", "n": 2}]
    (part,) = decode([opened(), *block(0, {"type": "compaction", "content": None}, *deltas), *ended()]).message.blocks
    assert part.raw == {"type": "compaction", "content": "ab", "n": 2}


def test_input_of_a_server_tool_is_put_together() -> None:
    start: Json = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": '{"query": "x"}'}
    (part,) = decode([opened(), *block(0, start, delta), *ended()]).message.blocks
    assert part.raw == {**start, "input": {"query": "x"}}


def test_citations_are_kept_with_their_text() -> None:
    deltas = [
        {"type": "citations_delta", "citation": {"cited_text": "x"}},
        {"type": "text_delta", "text": "as x says"},
        {"type": "citations_delta", "citation": {"cited_text": "y"}},
    ]
    (part,) = decode(
        [opened(), *block(0, {"type": "text", "text": "", "citations": []}, *deltas), *ended()]
    ).message.blocks
    assert part.raw == {"type": "text", "text": "as x says", "citations": [{"cited_text": "x"}, {"cited_text": "y"}]}


def test_a_listener_hears_each_delta_with_its_block_and_tool() -> None:
    listener = Listener()
    decode(
        [opened(), *thinking_block(0, "s", "hm"), *text_block(1, "a", "b"), *call_block(2, "{}"), *ended()], listener
    )
    assert listener.heard == [
        (0, "thinking", "hm", ""),
        (1, "text", "a", ""),
        (1, "text", "b", ""),
        (2, "tool_input", "{}", "read_file"),
    ]


def test_an_error_event_ends_the_stream_with_its_error() -> None:
    with pytest.raises(StreamedError) as caught:
        decode([opened(), {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}])
    assert caught.value.error["type"] == "overloaded_error"


def test_unknown_reasons_read_as_other() -> None:
    assert decode([opened(), *ended("tired")]).stop is StopReason.OTHER


def test_a_call_without_id_gets_one() -> None:
    start: Json = {"type": "tool_use", "name": "read_file", "input": {}}
    (call,) = decode([opened(), *block(0, start), *ended("tool_use")]).message.tool_uses
    assert call.id
    assert call.raw["id"] == call.id


def test_calls_that_share_an_id_get_one_each() -> None:
    start: Json = {"type": "tool_use", "id": "call_0", "name": "read_file", "input": {}}
    first, second = decode([opened(), *block(0, start), *block(1, start), *ended("tool_use")]).message.tool_uses
    assert first.id == "call_0"
    assert second.id != first.id
    assert second.raw["id"] == second.id


def test_a_block_that_starts_twice_is_malformed_and_loses_nothing_silently() -> None:
    with pytest.raises(MalformedStreamError, match="started twice"):
        decode([opened(), *call_block(0, '{"a": 1}'), *text_block(0, "b"), *ended()])


def test_an_error_without_a_type_is_an_error() -> None:
    with pytest.raises(StreamedError, match="out of memory"):
        decode([opened(), {"error": {"code": 500, "message": "out of memory"}}])


def test_a_type_may_stand_in_the_event_name_only() -> None:
    accumulator = Accumulator()
    accumulator.feed({"message": opened()["message"]}, b"message_start")
    accumulator.feed({}, b"message_stop")
    assert accumulator.finished


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["type", "index", "delta", "content_block", "message", "usage", "text", "error", "content"]
            ),
            inner,
            max_size=4,
        )
    ),
)
KINDS = st.sampled_from(
    [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "error",
        "x",
    ]
)


@given(st.lists(st.tuples(KINDS, JSON), max_size=6))
def test_no_event_breaks_the_accumulator_in_an_unforeseen_way(events: list[tuple[str, Any]]) -> None:
    accumulator = Accumulator()
    try:
        accumulator.feed(opened())
        for kind, event in events:
            accumulator.feed({**cast("Json", event), "type": kind} if isinstance(event, dict) else event)
        accumulator.answer()
    except (MalformedStreamError, StreamedError):
        return


def test_a_whole_message_decodes_as_its_stream_does() -> None:
    events = [
        opened(),
        *thinking_block(0, "s", "hm"),
        *text_block(1, "a"),
        *call_block(2, '{"a": 1}'),
        *ended("tool_use"),
    ]
    whole = accumulate_as_sdk(events)
    assert decode_message(whole) == decode(events)


def test_a_whole_error_is_an_error() -> None:
    with pytest.raises(StreamedError, match="Overloaded"):
        decode_message({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})


def test_a_whole_error_without_a_type_is_an_error() -> None:
    with pytest.raises(StreamedError, match="no such slot"):
        decode_message({"error": {"message": "no such slot"}})


@pytest.mark.parametrize("body", [None, [], "x", {"content": ["x"]}, {"choices": []}])
def test_a_body_that_is_no_message_is_malformed(body: object) -> None:
    with pytest.raises(MalformedStreamError):
        decode_message(body)


def test_values_are_what_they_say() -> None:
    answer = decode([opened(), *text_block(0, "a"), *call_block(1, '{"a": 1}'), *ended("tool_use")])
    text, call = answer.message.blocks
    assert isinstance(text, Text)
    assert isinstance(call, ToolUse)
    assert (text.text, call.name, answer.model) == ("a", "read_file", "m")
