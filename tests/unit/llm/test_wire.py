"""Requests to bytes: breakpoints, what goes back and what not, and no work done twice."""

import gc
import itertools
import json
from dataclasses import replace
from types import MappingProxyType
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llm_samples import READ_FILE, UNKNOWN_BLOCK, Json, request, result, say

from specloom.llm import wire
from specloom.llm.messages import (
    AnswerBlock,
    AssistantMessage,
    Message,
    ModelRequest,
    Opaque,
    Text,
    Thinking,
    ThinkingSetting,
    ToolResult,
    ToolSchema,
    ToolUse,
    UserMessage,
)
from specloom.llm.wire import RequestLimits, WireEncoder, thinking_param

THINKING = Thinking("hm", {"type": "thinking", "thinking": "hm", "signature": "s"})
CALL = ToolUse(
    "t1", "read_file", {"path": "a"}, {"type": "tool_use", "id": "t1", "name": "read_file", "input": {"path": "a"}}
)


def encode(asked: ModelRequest, limits: RequestLimits = wire.NO_LIMITS) -> Json:
    return json.loads(WireEncoder().body(asked, limits))


def answered(*blocks: AnswerBlock) -> AssistantMessage:
    return AssistantMessage(blocks or (Text.of("yes"),))


def marks(value: object, path: str = "") -> list[str]:
    """Where breakpoints stand."""
    if isinstance(value, dict):
        members = cast("Json", value)
        here = [path] if "cache_control" in members else []
        return here + [found for key, inner in members.items() for found in marks(inner, f"{path}.{key}")]
    if isinstance(value, list):
        items = enumerate(cast("list[object]", value))
        return [found for place, inner in items for found in marks(inner, f"{path}[{place}]")]
    return []


def conversation(turns: int) -> list[Message]:
    messages: list[Message] = [say("hello")]
    for turn in range(turns):
        call = ToolUse(
            f"t{turn}", "read_file", {}, {"type": "tool_use", "id": f"t{turn}", "name": "read_file", "input": {}}
        )
        message = AssistantMessage((call,))
        messages += [message, result(message, f"content {turn}")]
    return messages


def test_a_first_request_has_three_breakpoints() -> None:
    body = encode(request())
    assert marks(body) == [".tools[0]", ".system[0]", ".messages[0].content[0]"]
    assert body["stream"] is True


@given(st.integers(1, 30))
def test_later_requests_mark_the_newest_message_of_ours_and_the_one_before(turns: int) -> None:
    body = encode(request(*conversation(turns)))
    last = 2 * turns
    assert marks(body)[2:] == [f".messages[{last - 2}].content[0]", f".messages[{last}].content[0]"]


def test_an_older_breakpoint_stands_where_the_request_before_had_its_newest() -> None:
    encoder = WireEncoder()
    messages = conversation(5)
    before = json.loads(encoder.body(request(*messages[:-2])))
    now = json.loads(encoder.body(request(*messages)))
    assert marks(before)[-1] == marks(now)[-2]


@given(st.integers(2, 10), st.data())
def test_after_a_collection_the_older_breakpoint_stands_where_messages_are_still_the_same(
    turns: int, data: st.DataObject
) -> None:
    messages = conversation(turns)
    kept = data.draw(st.integers(1, 2 * turns))
    body = encode(replace(request(*messages), kept=kept))
    older = (kept - 1) // 2 * 2
    assert marks(body)[2:] == [f".messages[{older}].content[0]", f".messages[{2 * turns}].content[0]"]


def test_without_cache_nothing_is_marked_and_the_system_text_is_plain() -> None:
    body = encode(request(cache=False))
    assert marks(body) == []
    assert body["system"] == "You help"


def test_answers_go_back_as_they_came() -> None:
    unknown = Opaque("compaction_v9", UNKNOWN_BLOCK)
    asked = request(
        say("hello"), answered(THINKING, Text.of("I read"), unknown, CALL), UserMessage((ToolResult.of("t1", "x"),))
    )
    assert encode(asked)["messages"][1] == {
        "role": "assistant",
        "content": [THINKING.raw, {"type": "text", "text": "I read"}, UNKNOWN_BLOCK, CALL.raw],
    }


def test_blank_text_does_not_go_back() -> None:
    asked = request(
        say("hello"), answered(THINKING, Text.of(" \n"), CALL), UserMessage((ToolResult.of("t1", "x"), Text.of("")))
    )
    body = encode(asked)
    assert [part["type"] for part in body["messages"][1]["content"]] == ["thinking", "tool_use"]
    assert [part["type"] for part in body["messages"][2]["content"]] == ["tool_result"]


def test_a_message_without_content_is_left_out_and_its_neighbours_are_joined() -> None:
    body = encode(request(say("hello"), AssistantMessage(()), say("go on"), answered()))
    assert [message["role"] for message in body["messages"]] == ["user", "assistant"]
    assert [part["text"] for part in body["messages"][0]["content"]] == ["hello", "go on"]


@given(
    st.lists(
        st.lists(st.text(max_size=3), max_size=3).flatmap(lambda texts: st.tuples(st.booleans(), st.just(texts))),
        max_size=8,
    )
)
def test_any_messages_make_valid_json_with_alternating_roles(drawn: list[tuple[bool, list[str]]]) -> None:
    messages = [
        UserMessage(tuple(map(Text.of, texts))) if ours else AssistantMessage(tuple(map(Text.of, texts)))
        for ours, texts in drawn
    ]
    body = json.loads(WireEncoder().body(ModelRequest("m", "", tuple(messages))))
    roles = [message["role"] for message in body["messages"]]
    assert all(first != second for first, second in itertools.pairwise(roles))
    sent = [part["text"] for message in body["messages"] for part in message["content"]]
    assert sent == [text for _, texts in drawn for text in texts if text.strip()]
    assert len(marks(body)) <= 4


def test_half_a_surrogate_pair_is_replaced_since_it_would_spoil_the_whole_request() -> None:
    assert encode(request(say("a\ud83dz")))["messages"][0]["content"][0]["text"] == "a\ufffdz"


def test_read_only_mappings_are_encoded() -> None:
    schema = ToolSchema("t", "d", MappingProxyType({"type": "object", "properties": MappingProxyType({})}))
    assert encode(request(tools=(schema,)))["tools"][0]["input_schema"] == {"type": "object", "properties": {}}


def test_tools_come_as_they_are_described() -> None:
    (tool,) = encode(request(cache=False))["tools"]
    assert tool == {"name": "read_file", "description": "Reads a file", "input_schema": READ_FILE.input_schema}


def test_sessions_with_other_tools_or_system_do_not_share_a_head() -> None:
    encoder = WireEncoder()
    first, second = request(), request(system="You plan", tools=())
    assert json.loads(encoder.body(first))["system"][0]["text"] == "You help"
    body = json.loads(encoder.body(second))
    assert body["system"][0]["text"] == "You plan"
    assert "tools" not in body
    assert encoder.body(first) == WireEncoder().body(first)


def test_max_tokens_are_capped_by_the_model() -> None:
    assert encode(request())["max_tokens"] == 32_768
    assert encode(request(), RequestLimits(max_output_tokens=8192))["max_tokens"] == 8192
    assert encode(request(max_tokens=100), RequestLimits(max_output_tokens=8192))["max_tokens"] == 100


ON = ThinkingSetting(enabled=True)
BUDGET = ThinkingSetting(enabled=True, budget=5000)


@pytest.mark.parametrize(
    ("setting", "types", "expected"),
    [
        (ThinkingSetting(), None, None),
        (ThinkingSetting(), {"adaptive"}, None),
        (ThinkingSetting(), {"disabled", "enabled"}, {"type": "disabled"}),
        (ON, None, {"type": "adaptive"}),
        (ON, {"enabled"}, {"type": "enabled", "budget_tokens": 4000}),
        (BUDGET, None, {"type": "enabled", "budget_tokens": 5000}),
        (BUDGET, {"adaptive"}, {"type": "adaptive"}),
        (BUDGET, {"disabled"}, None),
        (replace(BUDGET, budget=90_000), None, {"type": "enabled", "budget_tokens": 7999}),
        (replace(BUDGET, budget=1), None, {"type": "enabled", "budget_tokens": 1024}),
    ],
)
def test_thinking_is_asked_for_as_the_model_accepts_it(
    setting: ThinkingSetting, types: set[str] | None, expected: Json | None
) -> None:
    param = thinking_param(setting, 8000, frozenset(types) if types is not None else None)
    assert param == ({} if expected is None else {"thinking": expected})


def test_no_room_for_thinking_asks_for_none() -> None:
    assert thinking_param(BUDGET, 1024, None) == {}


def test_a_message_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[object] = []
    plain = vars(wire)["_dump"]

    def counted(value: object) -> bytes:
        encoded.append(value)
        return plain(value)

    monkeypatch.setattr("specloom.llm.wire._dump", counted)
    encoder = WireEncoder()
    messages = conversation(200)
    encoder.body(request(*messages[:-2]))
    encoded.clear()
    encoder.body(request(*messages))
    # The settings, one call, one result with and without breakpoint
    assert len(encoded) == 4


def test_what_nobody_holds_any_more_is_forgotten() -> None:
    encoder = WireEncoder()
    messages = conversation(10)
    encoder.body(request(*messages))
    assert len(encoder) == 21
    del messages[1:]
    gc.collect()
    assert len(encoder) == 1


def test_counting_sends_the_same_without_what_only_an_answer_needs() -> None:
    encoder = WireEncoder()
    body, count = json.loads(encoder.body(request())), json.loads(encoder.count_body(request()))
    assert count == {key: value for key, value in body.items() if key not in ("stream", "max_tokens")}


@pytest.mark.parametrize("blank", [(), (Text.of(" \n"),)])
def test_an_answer_that_ends_in_thinking_goes_back_with_a_text_behind_it(blank: tuple[Text, ...]) -> None:
    sent = encode(replace(request(), messages=(say("go"), answered(THINKING, *blank), say("go on"))))
    content = sent["messages"][1]["content"]
    assert content == [THINKING.raw, {"type": "text", "text": "(no words)"}], "the API refuses thinking at the end"
