"""Keys, redirects and compatible endpoints, against servers that send exactly these bytes."""

import asyncio
import contextlib
import json
import logging
import socket

import pytest
from llm_samples import (
    Json,
    block,
    call_block,
    ended,
    http,
    http_stream,
    opened,
    raw_server,
    request,
    sse,
    text_block,
)

from conftest import NewModel
from specloom.llm.connection import Timeouts
from specloom.llm.errors import ProviderError, ProviderFault
from specloom.llm.messages import StopReason, Usage
from specloom.llm.model import ModelFacts

KEY = "sk-test-key-0123456789"
MESSAGES = "/v1/messages"
ANSWER = http_stream(sse([opened(), *text_block(0, "ok"), *ended()]))


async def failure(new_model: NewModel, url: str, **settings: object) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await new_model(url, **settings).ask(request())
    return caught.value


async def test_a_loopback_endpoint_needs_no_key(new_model: NewModel) -> None:
    with raw_server({MESSAGES: ANSWER}) as server:
        assert (await new_model(server.url, api_key=None).ask(request())).message.text == "ok"


async def test_another_endpoint_needs_a_key_and_is_not_asked_without(new_model: NewModel) -> None:
    error = await failure(new_model, "https://models.invalid", api_key=None)
    assert error.fault is ProviderFault.NO_KEY
    for word in ("models.invalid", "ANTHROPIC_API_KEY", ".env", "local endpoint"):
        assert word in str(error)


async def test_the_password_in_an_address_that_is_none_is_not_repeated(new_model: NewModel) -> None:
    error = await failure(new_model, "htp://bob:hunter2@models.invalid")
    assert "htp://models.invalid" in str(error)
    assert "hunter2" not in str(error)


async def test_a_key_goes_out_as_both_headers_that_endpoints_know(new_model: NewModel) -> None:
    with raw_server({MESSAGES: ANSWER}) as server:
        await new_model(server.url).ask(request())
        asked = server.asked[-1].lower()
        assert f"authorization: bearer {KEY}" in asked
        assert f"x-api-key: {KEY}" in asked


async def test_a_token_goes_out_as_bearer_only(new_model: NewModel) -> None:
    with raw_server({MESSAGES: ANSWER}) as server:
        await new_model(server.url, api_key=None, auth_token="token-of-mine").ask(request())
        asked = server.asked[-1].lower()
        assert "authorization: bearer token-of-mine" in asked
        assert "x-api-key" not in asked


async def test_keys_of_the_environment_are_not_picked_up(new_model: NewModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-of-somebody-else")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-of-somebody-else")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "Authorization: Bearer somebody-else")
    with raw_server({MESSAGES: ANSWER}) as server:
        await new_model(server.url).ask(request())
        assert "somebody-else" not in "".join(server.asked)


async def test_a_proxy_of_the_environment_does_not_get_loopback_requests(
    new_model: NewModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_server({MESSAGES: ANSWER}) as server, raw_server({}) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        await new_model(server.url).ask(request())
        assert proxy.asked == []


async def test_no_key_shows_in_repr_errors_or_logs(new_model: NewModel, caplog: pytest.LogCaptureFixture) -> None:
    echo = http(json.dumps({"error": {"message": f"bad key {KEY}"}}).encode(), status="401 Unauthorized")
    with raw_server({MESSAGES: echo}) as server, caplog.at_level(logging.DEBUG):
        model = new_model(server.url)
        error = await failure(new_model, server.url)
        assert error.fault is ProviderFault.KEY
        with pytest.raises(ProviderError) as caught:
            await model.ask(request())
        shown = [str(error), repr(error), str(caught.getrepr(chain=True)), repr(model), repr(vars(model))]
        assert not [text for text in shown if KEY in text]
        assert KEY not in caplog.text


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
async def test_a_redirect_is_not_followed(new_model: NewModel, status: str) -> None:
    with raw_server({MESSAGES: ANSWER}) as elsewhere:
        away = http(b"", status=status, location=elsewhere.url + MESSAGES)
        with raw_server({MESSAGES: away}) as server:
            error = await failure(new_model, server.url)
            assert error.fault is ProviderFault.NOT_FOUND
            assert "redirect" in str(error)
            assert elsewhere.asked == []


async def test_nobody_listening_is_unreachable(new_model: NewModel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = await failure(new_model, f"http://127.0.0.1:{port}")
    assert error.fault is ProviderFault.UNREACHABLE
    assert f"127.0.0.1:{port} could not be reached" in str(error)


async def test_an_unknown_host_is_unreachable(new_model: NewModel) -> None:
    error = await failure(new_model, "https://no-such-host.invalid")
    assert error.fault is ProviderFault.UNREACHABLE
    assert "no-such-host.invalid" in str(error)


async def test_a_server_that_speaks_no_tls_is_unreachable_over_https(new_model: NewModel) -> None:
    with raw_server({}) as server:
        error = await failure(new_model, server.url.replace("http://", "https://"), timeouts=Timeouts(connect=1.0))
        assert error.fault is ProviderFault.UNREACHABLE


async def test_a_base_url_without_scheme_says_how_to_write_it(new_model: NewModel) -> None:
    error = await failure(new_model, "localhost:11434")
    assert error.fault is ProviderFault.NOT_FOUND
    assert "http://localhost:11434" in str(error)


async def test_a_base_url_may_end_in_v1_or_have_a_path(new_model: NewModel) -> None:
    with raw_server({MESSAGES: ANSWER, "/anthropic/v1/messages": ANSWER}) as server:
        assert (await new_model(f"{server.url}/v1").ask(request())).message.text == "ok"
        assert (await new_model(f"{server.url}/anthropic/").ask(request())).message.text == "ok"


async def test_an_endpoint_that_tells_nothing_of_models_is_asked_once(new_model: NewModel) -> None:
    with raw_server({MESSAGES: ANSWER}) as server:
        model = new_model(server.url)
        assert await model.facts("m") == ModelFacts("m", None, None)
        await model.ask(request(model="m"))
        await model.ask(request(model="m"))
        assert [asked.split()[1] for asked in server.asked] == [
            "/v1/models/m",
            "/v1/models?limit=1000",
            MESSAGES,
            MESSAGES,
        ]


async def test_an_openai_shaped_list_of_models_is_understood(new_model: NewModel) -> None:
    entries = [{"id": "other"}, {"id": "org/m", "object": "model", "max_model_len": 40960}]
    listing = http(json.dumps({"object": "list", "data": entries}).encode())
    with raw_server({"/v1/models?limit=1000": listing}) as server:
        assert await new_model(server.url).facts("org/m") == ModelFacts("org/m", 40960, None)
        assert server.asked[0].startswith("GET /v1/models/org%2Fm ")


async def test_capabilities_decide_how_thinking_is_asked_for(new_model: NewModel) -> None:
    types = {"adaptive": {"supported": True}, "enabled": {"supported": False}, "disabled": {"supported": True}}
    entry = http(json.dumps({"id": "m", "capabilities": {"thinking": {"types": types}}}).encode())
    with raw_server({"/v1/models/m": entry, MESSAGES: ANSWER}) as server:
        await new_model(server.url).ask(request(model="m"))
        assert '"thinking":{"type":"disabled"}' in server.asked[-1]


ODD = (b"", b"[]", b"<html>", b'{"data": 7}', b'{"id": "m", "max_input_tokens": "many"}', b"[" * 99_999)


@pytest.mark.parametrize("body", [*ODD, b'{"max_input_tokens": true, "context_length": -1}'], ids=lambda body: body[:9])
async def test_odd_answers_of_the_models_api_tell_nothing(new_model: NewModel, body: bytes) -> None:
    with raw_server({"/v1/models/m": http(body)}) as server:
        assert await new_model(server.url).facts("m") == ModelFacts("m", None, None)


async def test_a_models_api_that_fails_for_now_stops_no_request_and_is_left_alone(new_model: NewModel) -> None:
    broken = http(b"{}", status="500 Internal Server Error")
    with raw_server({"/v1/models/m": broken, MESSAGES: ANSWER}) as server:
        model = new_model(server.url)
        with pytest.raises(ProviderError):
            await model.facts("m")
        assert (await model.ask(request(model="m"))).message.text == "ok"
        assert (await model.ask(request(model="m"))).message.text == "ok"
        assert sum("/v1/models" in asked for asked in server.asked) == 2


async def test_too_long_an_answer_is_asked_for_again_with_a_limit_where_the_models_api_had_failed(
    new_model: NewModel,
) -> None:
    said = b'{"error": {"type": "invalid_request_error", "message": "max_tokens: 32768 > 8192, the maximum"}}'
    broken, refused = http(b"{}", status="529 Overloaded"), http(said, status="400 Bad Request")
    answers = {"/v1/models/m": broken, MESSAGES: refused}
    with raw_server(answers) as server:
        model = new_model(server.url)
        with pytest.raises(ProviderError) as caught:
            await model.ask(request(model="m"))
        assert caught.value.retryable
        answers |= {"/v1/models/m": http(b'{"id": "m", "max_tokens": 8192}'), MESSAGES: ANSWER}
        assert (await model.ask(request(model="m"))).message.text == "ok"
        assert '"max_tokens":8192' in server.asked[-1]
        answers[MESSAGES] = refused
        with pytest.raises(ProviderError) as caught:
            await model.ask(request(model="m"))
        assert not caught.value.retryable


async def test_a_models_api_that_never_ends_its_answer_holds_no_request_up(new_model: NewModel) -> None:
    serving: list[asyncio.Task[None] | None] = []

    async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER if head.startswith(b"POST") else http(b"{", length=99_999))
            while head.startswith(b"GET") and not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()

    async with await asyncio.start_server(drips, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        model = new_model(url, timeouts=Timeouts(connect=2.0, answer=5.0, stall=5.0, lookup=0.2))
        async with asyncio.timeout(4.0):
            assert (await model.ask(request())).message.text == "ok"
        await model.close()
        await asyncio.gather(*filter(None, serving))


async def test_a_whole_answer_that_is_too_large_is_broken(new_model: NewModel) -> None:
    with (
        raw_server({MESSAGES: http(b" " * (6 * 1024 * 1024))}) as server,
        pytest.raises(ProviderError, match="more than"),
    ):
        await new_model(server.url).ask(request(max_tokens=1))


async def test_a_stream_without_usage_ids_and_pings_is_an_answer(new_model: NewModel) -> None:
    start: Json = {"type": "message_start", "message": {"role": "assistant", "content": []}}
    call = {"type": "tool_use", "name": "read_file"}
    events = [start, *block(0, call, {"type": "input_json_delta", "partial_json": '{"path": "a"}'})]
    events += [{"type": "message_delta", "delta": {"stop_reason": "tool_use"}}, {"type": "message_stop"}]
    with raw_server({MESSAGES: http_stream(sse(events) + b"data: [DONE]\n\n")}) as server:
        answer = await new_model(server.url).ask(request())
        (used,) = answer.message.tool_uses
        assert (used.input, answer.usage, answer.stop) == ({"path": "a"}, Usage(), StopReason.TOOL_USE)
        assert used.id


async def test_an_end_mark_before_the_end_is_no_end(new_model: NewModel) -> None:
    with raw_server({MESSAGES: http_stream(sse([opened()]) + b"data: [DONE]\n\n")}) as server:
        error = await failure(new_model, server.url)
        assert (error.fault, "too early" in str(error)) == (ProviderFault.BROKEN_STREAM, True)


async def test_an_end_mark_in_place_of_the_last_event_ends_an_answer_that_is_whole(new_model: NewModel) -> None:
    events = [opened(), *text_block(0, "ok"), *ended()][:-1]
    with raw_server({MESSAGES: http_stream(sse(events) + b"data: [DONE]\n\n")}) as server:
        assert (await new_model(server.url).ask(request())).message.text == "ok"


async def test_an_error_in_plain_words_in_the_stream_is_told(new_model: NewModel) -> None:
    stream = sse([opened()]) + b"event: error\ndata: the model ran out of memory\n\n"
    with raw_server({MESSAGES: http_stream(stream)}) as server:
        assert "ran out of memory" in str(await failure(new_model, server.url))


async def test_an_answer_that_comes_whole_is_an_answer(new_model: NewModel) -> None:
    message = {**opened(content=[{"type": "text", "text": "ok"}], stop_reason="end_turn")["message"]}
    with raw_server({MESSAGES: http(json.dumps(message).encode())}) as server:
        answer = await new_model(server.url).ask(request())
        assert (answer.message.text, answer.stop) == ("ok", StopReason.END_TURN)


@pytest.mark.parametrize("body", [b"{}x", b"\xff\xfe{", b"[" * 100_000])
async def test_a_whole_answer_that_is_no_json_is_broken(new_model: NewModel, body: bytes) -> None:
    with raw_server({MESSAGES: http(body)}) as server:
        assert (await failure(new_model, server.url)).fault is ProviderFault.BROKEN_STREAM


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>login</html>", b"data: \xff\n\n", b"data: 7\n\n", b'data: {"type": "content_block_delta"}\n\n'],
)
async def test_what_is_no_stream_is_broken(new_model: NewModel, body: bytes) -> None:
    with raw_server({MESSAGES: http_stream(body)}) as server:
        assert (await failure(new_model, server.url)).fault is ProviderFault.BROKEN_STREAM


async def test_a_body_that_breaks_off_is_broken(new_model: NewModel) -> None:
    body = sse([opened(), *call_block(0, '{"path": "a"}')])
    with raw_server({MESSAGES: http_stream(body, length=len(body) + 9)}) as server:
        assert (await failure(new_model, server.url)).fault is ProviderFault.BROKEN_STREAM


async def test_an_error_body_that_breaks_off_is_still_an_error(new_model: NewModel) -> None:
    with raw_server({MESSAGES: http(b"{", status="529 Overloaded", length=99)}) as server:
        assert (await failure(new_model, server.url)).retryable


async def test_a_number_of_tokens_that_is_missing_is_an_error(new_model: NewModel) -> None:
    answer = {f"{MESSAGES}/count_tokens": http(b"{}")}
    with raw_server(answer) as server, pytest.raises(ProviderError, match="counted tokens"):
        await new_model(server.url).count_tokens(request())
