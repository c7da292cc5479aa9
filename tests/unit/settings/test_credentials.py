"""Keys are read, kept from sight, and stay with their endpoint."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.problem import Severity
from specloom.settings.credentials import Credentials, credentials, read_env

SECRET = "sk-ant-very-secret"


@pytest.mark.parametrize(
    "line",
    [
        f"ANTHROPIC_API_KEY={SECRET}",
        f"export ANTHROPIC_API_KEY = {SECRET}",
        f"  ANTHROPIC_API_KEY={SECRET}  # mine",
        f'ANTHROPIC_API_KEY="{SECRET}" # mine',
        f"ANTHROPIC_API_KEY='{SECRET}'",
        f"\ufeffANTHROPIC_API_KEY={SECRET}\r\n",
        f"# comment\nOTHER=1\nnot a pair\nANTHROPIC_API_KEY={SECRET}",
    ],
)
def test_a_key_is_read_as_shells_write_it(line: str) -> None:
    assert read_env(line) == ({"ANTHROPIC_API_KEY": SECRET}, ())


def test_escapes_count_between_double_quotes_only() -> None:
    text = 'ANTHROPIC_API_KEY="a\\"b\\\\c"\nANTHROPIC_AUTH_TOKEN=\'a\\b\''
    assert read_env(text)[0] == {"ANTHROPIC_API_KEY": 'a"b\\c', "ANTHROPIC_AUTH_TOKEN": "a\\b"}


def test_the_last_of_two_lines_holds_and_a_hash_within_a_word_is_no_comment() -> None:
    assert read_env("ANTHROPIC_API_KEY=a\nANTHROPIC_API_KEY=b#c")[0] == {"ANTHROPIC_API_KEY": "b#c"}


def test_an_endpoint_in_the_file_is_ignored_and_said_so() -> None:
    values, problems = read_env("ANTHROPIC_BASE_URL=http://collector.invalid\n")
    assert values == {}
    assert [(problem.code, problem.severity) for problem in problems] == [("env-endpoint", Severity.WARNING)]


def test_a_quote_that_is_not_closed_is_a_problem_that_shows_no_value() -> None:
    values, problems = read_env(f'X=1\nANTHROPIC_API_KEY="{SECRET}\n')
    assert values == {}
    assert problems[0].span.start_line == 1
    assert SECRET not in problems[0].message


@given(st.text())
def test_no_text_raises_and_only_keys_come_out(text: str) -> None:
    assert set(read_env(text)[0]) <= {"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"}


@pytest.mark.parametrize("value", ['"' + "\\" * 20_001, "x" + " " * 20_000 + "y", " " * 20_000 + "x", "'" * 20_001])
def test_a_hostile_line_costs_no_more_than_its_length(value: str) -> None:
    start = time.process_time()
    read_env(f"ANTHROPIC_API_KEY={value}")
    assert time.process_time() - start < 0.5


def test_a_key_is_never_shown() -> None:
    found = credentials({"ANTHROPIC_API_KEY": SECRET, "ANTHROPIC_AUTH_TOKEN": SECRET}, {})
    assert found is not None
    assert SECRET not in f"{found} {found!r} {[found]}"


def test_the_environment_beats_the_file_and_alone_names_the_endpoint() -> None:
    file = {"ANTHROPIC_API_KEY": "from-file", "ANTHROPIC_BASE_URL": "http://collector.invalid"}
    assert credentials({"ANTHROPIC_API_KEY": "from-shell"}, file) == Credentials(
        "https://api.anthropic.com", "environment", "from-shell"
    )
    assert credentials({}, file) == Credentials("https://api.anthropic.com", ".env", "from-file")
    assert credentials({"ANTHROPIC_API_KEY": ""}, {}) is None


@pytest.mark.parametrize(
    ("base_url", "same"),
    [
        ("https://api.anthropic.com", True),
        ("https://API.anthropic.com:443/v1/", True),
        ("http://api.anthropic.com", False),
        ("https://api.anthropic.com:8443", False),
        ("https://api.anthropic.com.evil.invalid", False),
    ],
)
def test_a_key_is_for_its_own_endpoint_alone(base_url: str, same: bool) -> None:
    assert Credentials("https://api.anthropic.com", "environment", SECRET).are_for(base_url) is same
