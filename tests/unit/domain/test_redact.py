"""Keys never pass the redactor, whole or in pieces; ordinary text does."""

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.redact import REDACTED, Redactor, StreamRedactor

BODY = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0"
DASHES = "-" * 5
KEYS = [
    f"sk-ant-api03-{BODY}",
    f"sk-proj-{BODY}",
    f"sk-or-v1-{BODY}",
    f"sk-{BODY}",
    f"ghp_{BODY}",
    f"github_pat_{BODY}_{BODY}",
    f"glpat-{BODY}",
    "AKIA" + "IOSFODNN7EXAMPLE",
    f"AIza{BODY[:35]}",
    f"xoxb-123456789012-{BODY}",
    f"sk_live_{BODY}",
    f"npm_{BODY[:36]}",
    f"pypi-AgEI{BODY}",
    f"hf_{BODY}",
    f"SG.{BODY[:22]}.{BODY}",
    f"{DASHES}BEGIN RSA PRIVATE KEY{DASHES}\n{BODY}\n{BODY}\n{DASHES}END RSA PRIVATE KEY{DASHES}",
    "known-secret-value",
]
PLAIN = [
    "sk-circle-fade-dot-animation-with-a-long-name-indeed",
    "the task-list of risk-assessment-and-mitigation-procedures",
    "commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
    "AKIA is a prefix",
    "-----BEGIN CERTIFICATE-----",
]


@pytest.fixture
def redact() -> Redactor:
    return Redactor(["known-secret-value", "short"])


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "frame", ["{}", "KEY={}", "export KEY='{}'\n", "Authorization: Bearer {}, next", "https://u:{}@host/"]
)
def test_key_is_taken_out_and_its_surroundings_stay(redact: Redactor, key: str, frame: str) -> None:
    assert redact(frame.format(key)) == frame.format(REDACTED)


BEFORE = [
    *(rf"\{escape}" for escape in ("n", "t", "r", "x00", "u003d", "033")),  # as JSON and `repr` write
    "token%3D",
    "\x1b[32m",
    "\x1b[01;31m\x1b[K",
]


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("key", KEYS)
def test_key_behind_an_escape_is_taken_out(redact: Redactor, key: str, before: str) -> None:
    assert redact(f"x{before}{key}") == f"x{before}{REDACTED}"


@pytest.mark.parametrize("value", ['p@ss"w\\rd/1', "grüße an alle", "two\nlines"])
def test_known_value_is_found_as_json_and_urls_hold_it(value: str) -> None:
    redact = Redactor([value])
    for written in (value, json.dumps(value)[1:-1], quote(value, safe=""), quote_plus(value)):
        assert redact(f"<{written}>") == f"<{REDACTED}>"


def test_named_key_is_found_in_json_within_json() -> None:
    named = json.dumps(json.dumps({"aws_secret_access_key": BODY}))
    assert BODY not in Redactor()(named)


@pytest.mark.parametrize("text", [*PLAIN, "a short text"])
def test_ordinary_text_stays(redact: Redactor, text: str) -> None:
    assert redact(text) == text


@given(st.lists(st.sampled_from([*KEYS, *PLAIN, "\n", " ", "text"]), max_size=8).map("\n".join))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    redact = Redactor(["known-secret-value"])
    assert redact(redact(text)) == redact(text)


@given(st.lists(st.sampled_from([*KEYS, *PLAIN, "text"]), max_size=6), st.data())
def test_stream_in_any_pieces_shows_no_key_and_all_the_rest(lines: list[str], data: st.DataObject) -> None:
    stream = StreamRedactor(Redactor(["known-secret-value"]))
    text = "".join(f"{line}\n" for line in lines)
    shown = ""
    while text:
        size = data.draw(st.integers(1, len(text)))
        shown += stream.feed(text[:size])
        text = text[size:]
    shown += stream.rest()
    assert BODY[:20] not in shown
    assert "known-secret-value" not in shown
    assert all(line in shown for line in lines if line in PLAIN or line == "text")


def test_stream_without_line_ends_is_not_held_for_ever() -> None:
    stream = StreamRedactor(Redactor(), longest=10)
    assert stream.feed("ab cd ef gh ij") == "ab cd ef gh "
    assert stream.rest() == "ij"
