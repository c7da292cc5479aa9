"""What endpoints say, as errors for the engine."""

import json
from functools import reduce
from typing import Any

import pytest

from specloom.llm.endpoint import Credential, Endpoint
from specloom.llm.errors import ProviderError, ProviderFault
from specloom.llm.faults import Faults

KEY = "sk-ant-api03-secret-secret"
NESTED = reduce(lambda inner, _: {"details": [inner]}, range(9_999), dict[str, Any]())
FAULTS = Faults(Endpoint.of("https://models.example"), Credential(KEY))


def error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


def fault_of(status: int, body: object, **headers: str) -> ProviderError:
    return FAULTS.status(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (400, error("invalid_request_error", "messages: roles must alternate"), ProviderFault.INVALID),
        (
            400,
            error("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
            ProviderFault.TOO_LARGE,
        ),
        (
            400,
            error("invalid_request_error", "input length and `max_tokens` exceed context limit"),
            ProviderFault.TOO_LARGE,
        ),
        (
            400,
            {"error": {"code": 400, "type": "exceed_context_size_error", "message": "too big"}},
            ProviderFault.TOO_LARGE,
        ),
        (400, {"error": {"message": "x", "code": "context_length_exceeded"}}, ProviderFault.TOO_LARGE),
        (400, error("invalid_request_error", "Your credit balance is too low"), ProviderFault.BILLING),
        (400, error("invalid_request_error", "Model Not Exist"), ProviderFault.NOT_FOUND),
        (401, error("authentication_error", "invalid x-api-key"), ProviderFault.KEY),
        (402, {"error": {"message": "Insufficient Balance"}}, ProviderFault.BILLING),
        (403, error("permission_error", "not allowed"), ProviderFault.KEY),
        (403, error("permission_error", "Your billing is not set up"), ProviderFault.BILLING),
        (404, error("not_found_error", "model: claude-9"), ProviderFault.NOT_FOUND),
        (404, "404 page not found", ProviderFault.NOT_FOUND),
        (408, "", ProviderFault.SERVER),
        (413, error("request_too_large", "Request exceeds the maximum size"), ProviderFault.TOO_LARGE),
        (413, "<html>", ProviderFault.TOO_LARGE),
        (429, error("rate_limit_error", "slow down"), ProviderFault.RATE_LIMITED),
        (429, {"error": {"code": "insufficient_quota", "message": "x"}}, ProviderFault.BILLING),
        (429, error("billing_error", "x"), ProviderFault.BILLING),
        (500, error("api_error", "Internal server error"), ProviderFault.SERVER),
        (502, "<html>bad gateway</html>", ProviderFault.SERVER),
        (503, error("overloaded_error", "x"), ProviderFault.OVERLOADED),
        (504, error("gateway_timeout_error", "x"), ProviderFault.SERVER),
        (529, error("overloaded_error", "Overloaded"), ProviderFault.OVERLOADED),
        (529, None, ProviderFault.OVERLOADED),
        (418, "teapot", ProviderFault.INVALID),
    ],
)
def test_each_status_has_its_fault(status: int, body: object, fault: ProviderFault) -> None:
    found = fault_of(status, body)
    assert (found.fault, found.status) == (fault, status)
    assert str(found).startswith(f"models.example answered {status}")
    assert not str(found).endswith(".")


def test_the_words_of_the_endpoint_and_a_next_step_are_in_the_message() -> None:
    message = str(fault_of(429, error("rate_limit_error", "40,000 input tokens\nper minute.")))
    assert message == (
        "models.example answered 429: 40,000 input tokens per minute; go on later, or have the account's limits raised"
    )


def test_however_much_an_endpoint_says_the_next_step_comes_last_and_whole() -> None:
    found = fault_of(529, error("overloaded_error", "too much to do " * 200))
    found.asked = 11
    assert str(found).endswith("… (asked 11 times); go on later, or choose another model or endpoint")
    assert found.step not in found.what


@pytest.mark.parametrize("secret", [KEY, "sk-proj-another-one-1234"])
def test_no_key_is_repeated(secret: str) -> None:
    found = fault_of(401, error("authentication_error", f"invalid key {secret}"))
    assert secret not in str(found)
    assert "[key hidden]" in str(found)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ("86400000", 86_400_000.0),
        ("-3", 0.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
        ("Wed, 21 Oct 99999999999999999999 07:28:30 GMT", None),
        ("Wed, 21 Oct 2026 07:28:30 -99999999999999999999", None),
    ],
)
def test_retry_after_is_data_and_uncapped(value: str, seconds: float | None) -> None:
    found = fault_of(429, "", retry_after=value, date="Wed, 21 Oct 2026 07:28:00 GMT")
    assert found.retry_after == seconds


def test_a_date_without_the_clock_of_the_endpoint_says_nothing() -> None:
    assert fault_of(429, "", retry_after="Wed, 21 Oct 2026 07:28:30 GMT").retry_after is None


def test_of_a_web_page_only_its_title_is_told() -> None:
    page = "<!DOCTYPE html>\n<html><head><title>502 Bad\n Gateway</title></head><body>" + "<p>long</p>" * 50
    assert str(fault_of(502, page)).startswith("models.example answered 502: a web page, '502 Bad Gateway'")
    assert "a proxy that wants a login: a web page; put" in str(fault_of(407, "<html>"))


def test_waiting_does_not_cure_billing() -> None:
    found = fault_of(429, error("billing_error", "x"), retry_after="5")
    assert (found.retry_after, found.retryable) == (None, False)


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("overloaded_error", ProviderFault.OVERLOADED),
        ("rate_limit_error", ProviderFault.RATE_LIMITED),
        ("api_error", ProviderFault.SERVER),
        ("invalid_request_error", ProviderFault.INVALID),
        ("authentication_error", ProviderFault.KEY),
        ("billing_error", ProviderFault.BILLING),
        ("something_new", ProviderFault.BROKEN_STREAM),
    ],
)
def test_an_error_in_a_stream_has_its_fault(kind: str, fault: ProviderFault) -> None:
    found = FAULTS.streamed({"type": kind, "message": "words"})
    assert found.fault is fault
    assert found.status is None
    assert "words" in str(found)


def test_a_redirect_is_refused_and_says_where_it_led() -> None:
    found = fault_of(307, "", location="https://elsewhere.example/v1/messages")
    assert found.fault is ProviderFault.NOT_FOUND
    assert "elsewhere.example" in str(found)


@pytest.mark.parametrize(
    "body",
    [None, [], 7, {}, {"error": None}, {"error": {"message": {}}}, json.dumps([1]), "\x00", "[" * 99_999, NESTED],
    ids=lambda body: str(body)[:9] if isinstance(body, str) else None,
)
def test_no_body_is_too_odd(body: object) -> None:
    assert fault_of(500, body).fault is ProviderFault.SERVER


@pytest.mark.parametrize(
    ("url", "host", "loopback", "usable"),
    [
        (None, "api.anthropic.com", False, True),
        ("  ", "api.anthropic.com", False, True),
        ("http://localhost:11434/v1/", "localhost:11434", True, True),
        ("http://127.0.0.2:1", "127.0.0.2:1", True, True),
        ("http://[::1]:8080", "::1:8080", True, True),
        ("https://api.deepseek.com/anthropic", "api.deepseek.com", False, True),
        ("http://localhost.example.com", "localhost.example.com", False, True),
        ("localhost:11434", "", False, False),
        ("ftp://x", "x", False, False),
        ("http://x:notaport", "", False, False),
        ("http://[", "", False, False),
    ],
)
def test_base_urls_are_read(url: str | None, host: str, loopback: bool, usable: bool) -> None:
    endpoint = Endpoint.of(url)
    assert (endpoint.host, endpoint.loopback, endpoint.usable) == (host, loopback, usable)
    assert not endpoint.url.endswith(("/v1", "/"))


def test_a_credential_does_not_show_itself() -> None:
    assert KEY not in repr(Credential(KEY, None))
    assert "token-of-mine" not in repr(Credential(None, "token-of-mine"))
