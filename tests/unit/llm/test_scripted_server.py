"""The scripted model over plain HTTP: what answers, laws of the API, faults, and what it tells afterwards."""

import asyncio
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from llm_samples import Json

from specloom.llm.scripted import ScriptedServer, ScriptError

KEY = {"authorization": "Bearer k"}
HELLO: Json = {"role": "user", "content": "hello"}
TOOL: Json = {"name": "read_file", "description": "d", "input_schema": {"type": "object"}}


def session(name: str, first: str, *turns: Json, **more: Any) -> Json:
    return {"name": name, "first": first, "turns": list(turns)} | more


def say(text: str, **more: Any) -> Json:
    return {"answer": [{"text": text}]} | more


CALL: Json = {"answer": [{"thinking": "hm"}, {"tool": "read_file", "input": {"path": "a"}}]}


@contextmanager
def playing(*sessions: Json, **settings: Any) -> Generator[ScriptedServer]:
    with ScriptedServer({"sessions": list(sessions)}, **settings) as server:
        yield server


def call(server: ScriptedServer, method: str, path: str, body: Any = None, headers: Any = KEY) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(server.base_url.removeprefix("http://"), timeout=10)
    try:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        read = response.read()
        kind = response.headers["content-type"]
        return response.status, json.loads(read) if kind == "application/json" else read
    finally:
        connection.close()


def body(*messages: Json, **fields: Any) -> Json:
    return {"model": "scripted-1", "max_tokens": 100, "messages": list(messages or (HELLO,))} | fields


def ask(server: ScriptedServer, *messages: Json, **fields: Any) -> tuple[int, Any]:
    return call(server, "POST", "/v1/messages", body(*messages, **fields))


def text_of(answer: tuple[int, Any]) -> str:
    status, message = answer
    assert status == 200, message
    return message["content"][0]["text"]


def said(answer: tuple[int, Any]) -> Json:
    return {"role": "assistant", "content": answer[1]["content"]}


def results(message: Json, text: str = "x") -> Json:
    calls = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
    return {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": name, "content": text} for name in calls],
    }


def test_sessions_are_known_by_their_beginning_and_turns_by_their_number() -> None:
    one = session("one", "hello", say("first"), say("second"), not_first="planner")
    two = session("two", "planner", say("plan"))
    with playing(one, two) as server:
        first = ask(server)
        assert text_of(first) == "first"
        assert text_of(ask(server, HELLO, said(first), {"role": "user", "content": "on"})) == "second"
        assert text_of(ask(server, system="You are the planner")) == "plan"
        server.check()


def test_order_of_arrival_does_not_count() -> None:
    one = session("one", "hello", say("first"), say("second"))
    with playing(one) as server:
        later = ask(server, HELLO, {"role": "assistant", "content": "anything"}, {"role": "user", "content": "on"})
        assert text_of(later) == "second"
        assert text_of(ask(server)) == "first"


def test_the_same_request_gets_the_same_answer_and_counts_as_repeat() -> None:
    with playing(session("one", "hello", CALL)) as server:
        first, second = ask(server), ask(server, max_tokens=50)
        assert first == second
        assert (server.total, server.repeats) == (2, 1)
        assert [seen.repeat for seen in server.requests] == [False, True]


def test_a_cache_breakpoint_makes_no_other_request() -> None:
    marked = {"role": "user", "content": [{"type": "text", "text": "hello", "cache_control": {"type": "ephemeral"}}]}
    plain = {"role": "user", "content": [{"type": "text", "text": "hello"}]}
    with playing(session("one", "hello", CALL)) as server:
        assert ask(server, marked)[1]["id"] == ask(server, plain)[1]["id"]


def test_branches_are_chosen_by_the_newest_message() -> None:
    turn = {"branches": [say("bad", expect="Error", not_expect="warning"), say("good", expect=["ok"])]}
    with playing(session("one", "hello", CALL, turn)) as server:
        first = said(ask(server))
        assert text_of(ask(server, HELLO, first, results(first, "all ok"))) == "good"
        assert text_of(ask(server, HELLO, first, results(first, "Error: no"))) == "bad"
        status, error = ask(server, HELLO, first, results(first, "Error and warning"))
        assert status == 400
        assert "session 'one', turn 2: expected ['Error'] without ['warning'] or ['ok']" in error["error"]["message"]
        assert "newest message: Error and warning" in server.failures[0]


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (
            ({"role": "user", "content": "who?"},),
            "no session begins like this; there are 'one', 'two'; first message: who?",
        ),
        (({"role": "user", "content": "hello planner"},), "several sessions begin like this: 'one', 'two'"),
        (
            (HELLO, {"role": "assistant", "content": "x"}, {"role": "user", "content": "more"}),
            "session 'one', turn 2: the script has only 1 turns; newest message: more",
        ),
    ],
)
def test_what_no_script_foresees_fails_loudly(messages: tuple[Json, ...], words: str) -> None:
    with playing(session("one", "hello", say("x")), session("two", "planner", say("y"))) as server:
        status, error = ask(server, *messages)
        assert (status, error["error"]["type"]) == (400, "invalid_request_error")
        assert words in error["error"]["message"]
        with pytest.raises(ScriptError, match="never asked: session 'two', turn 1"):
            server.check()
        assert words in server.failures[0]


def test_what_nobody_asked_is_told_unless_it_is_optional() -> None:
    plays = (session("one", "hello", say("x"), say("y")), session("two", "w", say("z"), optional=True))
    with playing(*plays, session("three", "v", say("a"), say("b", optional=True))) as server:
        ask(server)
        assert server.unused() == ["session 'one', turn 2", "session 'three', turn 1"]


SAMPLE: Json = {"content": [{"type": "thinking"}, {"type": "tool_use", "id": "t"}]}
THOUGHT: Json = {"type": "thinking", "thinking": "other", "signature": "scripted-0"}


def lawless(answer: Json) -> dict[str, tuple[list[Json], Json]]:
    """Requests that break one law each."""
    call_block = answer["content"][1]
    good = results(answer)
    text = {"type": "text", "text": "also"}
    extra = {"type": "tool_result", "tool_use_id": "toolu_x", "content": ""}
    marked = {**text, "cache_control": {"type": "ephemeral"}}
    return {
        "without `tool_result` blocks": ([HELLO, answer, {"role": "user", "content": "no"}], {}),
        "`tool_use` ids were found": ([HELLO, answer], {}),
        "unexpected `tool_use_id`": ([HELLO, answer, {"role": "user", "content": [*good["content"], extra]}], {}),
        "single result": ([HELLO, answer, {"role": "user", "content": good["content"] * 2}], {}),
        "must come first": ([HELLO, answer, {"role": "user", "content": [text, *good["content"]]}], {}),
        "cannot be modified": ([HELLO, {"role": "assistant", "content": [THOUGHT, call_block]}, good], {}),
        "must remain": ([HELLO, {"role": "assistant", "content": [call_block]}, good], {}),
        "roles must alternate": ([HELLO, HELLO], {}),
        "expected 'user'": ([{"role": "assistant", "content": "hello"}], {}),
        "must be non-empty": ([{"role": "user", "content": [{"type": "text", "text": ""}]}], {}),
        "non-empty content": ([{"role": "user", "content": []}], {}),
        "at least one message": ([], {}),
        "Found 5": ([{"role": "user", "content": [{**text, "text": "hello"}, *[marked] * 5]}], {}),
        "99999 > 32000": ([HELLO], {"max_tokens": 99_999}),
        "greater than or equal to 1": ([HELLO], {"max_tokens": 0}),
        "equal to 1024": ([HELLO], {"thinking": {"type": "enabled", "budget_tokens": 7}}),
        "greater than `thinking.": ([HELLO], {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        "names must be unique": ([HELLO], {"tools": [TOOL, TOOL]}),
        "input_schema: field required": ([HELLO], {"tools": [{"name": "x"}]}),
        "system.0": ([HELLO], {"system": [{"type": "text", "text": " "}]}),
        "'user' or 'assistant'": ([HELLO, answer, good, {"role": "system", "content": "now"}], {}),
        "tools.0.name: String": ([HELLO], {"tools": [{**TOOL, "name": "read file"}]}),
        "tool_use.id: String": ([HELLO, {"role": "assistant", "content": [{**call_block, "id": "call:0"}]}], {}),
        "trailing whitespace": ([HELLO, {"role": "assistant", "content": "and so "}], {}),
        "should be an object": ([HELLO, {"role": "assistant", "content": [{**call_block, "input": "x"}]}], {}),
    }


@pytest.mark.parametrize("words", list(lawless(SAMPLE)))
def test_a_request_against_the_laws_of_the_api_is_refused(words: str) -> None:
    with playing(session("one", "hello", CALL, say("x"))) as server:
        answer = said(ask(server))
        messages, fields = lawless(answer)[words]
        request = body() | {"messages": messages} | fields
        status, error = call(server, "POST", "/v1/messages", request)
        assert (status, error["error"]["type"]) == (400, "invalid_request_error")
        assert words in error["error"]["message"]
        assert server.failures == [error["error"]["message"]]


def test_a_signed_thought_may_not_change_even_where_no_call_follows() -> None:
    thought = {"answer": [{"thinking": "hm"}, {"text": "so"}]}
    with playing(session("one", "hello", thought, say("x"))) as server:
        answer = said(ask(server))
        answer["content"][0]["thinking"] = "hmm"
        status, error = ask(server, HELLO, answer, {"role": "user", "content": "on"})
        assert (status, "cannot be modified" in error["error"]["message"]) == (400, True)


def test_errors_of_the_user_are_no_failures_of_the_play() -> None:
    with ScriptedServer({"model": {"max_input_tokens": 50}, "sessions": [session("one", "hello", say("x"))]}) as server:
        assert ask(server, model="other")[1]["error"] == {"type": "not_found_error", "message": "model: other"}
        assert "prompt is too long" in ask(server, {"role": "user", "content": "hello" * 99})[1]["error"]["message"]
        assert call(server, "POST", "/v1/messages", b"{")[0] == 400
        assert call(server, "POST", "/v1/other", {})[0] == 404
        assert call(server, "GET", "/v1/other")[0] == 404
        assert server.failures == []


def test_a_key_is_needed_and_may_be_fixed() -> None:
    with playing(session("one", "hello", say("x")), key="right") as server:
        assert call(server, "POST", "/v1/messages", body(), {})[0] == 401
        assert call(server, "GET", "/v1/models", None, {"x-api-key": "wrong"})[0] == 401
        assert call(server, "POST", "/v1/messages", body(), {"x-api-key": "right"})[0] == 200
    with playing(session("one", "hello", say("x"))) as server:
        assert call(server, "POST", "/v1/messages", body(), {})[0] == 401


def test_models_and_tokens_are_told() -> None:
    with playing(session("one", "hello", say("x"))) as server:
        status, listing = call(server, "GET", "/v1/models?limit=10")
        assert (status, [entry["id"] for entry in listing["data"]]) == (200, ["scripted-1"])
        assert call(server, "GET", "/v1/models/scripted-1")[1]["max_input_tokens"] == 200_000
        counted = call(server, "POST", "/v1/messages/count_tokens", body({"role": "user", "content": "x" * 4000}))
        assert 1000 < counted[1]["input_tokens"] < 1100


def test_a_stream_is_cut_into_deltas_of_the_set_size() -> None:
    with playing(session("one", "hello", say("abcdefgh")), delta_chars=3) as server:
        _, stream = ask(server, stream=True)
        events = [json.loads(line[6:]) for line in stream.decode().splitlines() if line.startswith("data: ")]
        assert [event["delta"]["text"] for event in events if event["type"] == "content_block_delta"] == [
            "abc",
            "def",
            "gh",
        ]
        assert [event["type"] for event in events][:2] == ["message_start", "ping"]
        assert events[-1]["type"] == "message_stop"


def test_many_events_may_share_a_chunk() -> None:
    def chunks(coalesce: bool) -> int:
        with playing(session("one", "hello", say("abcdefgh")), delta_chars=1, coalesce=coalesce) as server:
            host, port = server.base_url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port))) as connection:
                data = json.dumps(body(stream=True))
                head = f"POST /v1/messages HTTP/1.1\r\nx-api-key: k\r\nconnection: close\r\ncontent-length: {len(data)}"
                connection.sendall(f"{head}\r\n\r\n{data}".encode())
                with connection.makefile("rb") as reader:
                    lines = reader.read().split(b"\r\n")
        return sum(line.isalnum() for line in lines) - 1

    assert (chunks(coalesce=True), chunks(coalesce=False)) == (1, 14)


def test_faults_follow_each_other_and_count_for_each_request_by_itself() -> None:
    faults = [{"status": 529, "times": 2}, {"status": 429, "retry_after": "9", "type": "rate_limit_error"}]
    with playing(session("one", "hello", say("x", fault=faults))) as server:
        assert [ask(server)[0] for _ in range(4)] == [529, 529, 429, 200]
        other = {"role": "user", "content": "hello again"}
        assert [ask(server, other)[0] for _ in range(4)] == [529, 529, 429, 200]


def test_an_answer_waits_at_its_gate() -> None:
    with playing(session("one", "hello", say("x", hold="gate"))) as server:
        answers: list[tuple[int, Any]] = []
        thread = threading.Thread(target=lambda: answers.append(ask(server)))
        thread.start()
        assert server.wait(lambda seen: seen.total == 1)
        assert answers == []
        server.release("gate")
        thread.join(timeout=10)
        assert answers[0][0] == 200


def test_usage_can_be_set_and_is_else_worked_out() -> None:
    usage = {"input": 5, "output": 6, "cache_read": 7, "cache_write": 8}
    with playing(session("one", "hello", say("x", usage=usage), say("y"))) as server:
        answer = ask(server)
        assert answer[1]["usage"] == {
            "input_tokens": 5,
            "output_tokens": 6,
            "cache_read_input_tokens": 7,
            "cache_creation_input_tokens": 8,
        }
        worked_out = ask(server, HELLO, said(answer), {"role": "user", "content": "on"})[1]["usage"]
        assert worked_out["input_tokens"] > 10
        assert worked_out["cache_read_input_tokens"] == 0


def test_recorded_requests_are_bounded_unless_all_are_asked_for() -> None:
    with playing(session("one", "hello", say("x")), keep=2) as server:
        for _ in range(5):
            ask(server)
        assert (len(server.requests), server.total) == (2, 5)
        assert (server.requests[0].session, server.requests[0].turn) == ("one", 1)


async def test_entering_and_leaving_does_not_block_the_loop() -> None:
    async with ScriptedServer({"sessions": [session("one", "hello", say("x"))]}) as server:
        assert (await asyncio.to_thread(ask, server))[0] == 200
        assert await server.until(lambda seen: seen.total == 1)
        assert not await server.until(lambda seen: seen.total == 2, timeout=0.01)


@pytest.mark.parametrize("waiting", [say("x", delay_s=600), say("x", hold="gate")])
def test_a_stop_ends_what_waits(waiting: Json) -> None:
    broken: list[Exception] = []

    def ask_in_vain(server: ScriptedServer) -> None:
        try:
            ask(server)
        except (http.client.HTTPException, ConnectionError) as error:
            broken.append(error)

    with playing(session("one", "hello", waiting)) as server:
        thread = threading.Thread(target=ask_in_vain, args=(server,))
        thread.start()
        assert server.wait(lambda seen: seen.total == 1)
    thread.join(timeout=10)
    assert len(broken) == 1


def test_a_server_that_was_not_started_has_no_address() -> None:
    with pytest.raises(ScriptError, match="not started"):
        _ = ScriptedServer({"sessions": []}).base_url


@pytest.mark.parametrize(("asks", "status"), [(True, 0), (False, 1)])
def test_it_runs_from_the_command_line(tmp_path: Path, asks: bool, status: int) -> None:
    script = tmp_path / "play.json"
    script.write_text(json.dumps({"sessions": [session("one", "hello", say("x"))]}))
    command = [sys.executable, "-m", "specloom.llm.scripted", str(script), "--check"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip().removeprefix("http://")
        if asks:
            connection = http.client.HTTPConnection(address, timeout=10)
            connection.request("POST", "/v1/messages", json.dumps(body()), KEY)
            assert connection.getresponse().status == 200
            connection.close()
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=10)
    assert process.returncode == status
    assert ("never asked" in complaints) is not asks


def test_a_wrong_script_ends_the_command_with_its_mistake(tmp_path: Path) -> None:
    script = tmp_path / "play.json"
    script.write_text('{"sesions": []}')
    command = [sys.executable, "-m", "specloom.llm.scripted", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "unknown key 'sesions'" in done.stderr
