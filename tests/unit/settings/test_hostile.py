"""Settings and keys of somebody who means harm, or whose editor went mad: told in time, without a trace or a key."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.settings.addresses import origin_of
from specloom.settings.credentials import Credentials, credentials, read_env, unsendable
from specloom.settings.load import LARGEST, MOST_PROBLEMS, LoadedSettings, load_settings
from specloom.settings.model import Settings

FILE = "specloom.toml"
SECRET = "sk-ant-very-secret"
LONGEST_MESSAGE = 1200

ODD_ADDRESSES = [
    "http://x:99999",
    "http://x:0",
    "http://x:-1",
    "http://x:\u0661",
    "http://x:abc",
    "http://[::1",
    "http://[zz]:1",
    "http://]",
    "http://:80",
    "http://.",
    "http://a\\b",
    "http://x%41",
    "http://u:p@h",
    "http://\u2100.com",
    "http://\u200b",
    "https://" + "a" * 100_000,
    "ftp://x",
    "",
]


def loaded_in_time(text: str) -> LoadedSettings:
    start = time.process_time()
    loaded = load_settings(text, FILE)
    assert time.process_time() - start < 3
    assert all(len(problem.message) < LONGEST_MESSAGE for problem in loaded.problems)
    assert len(loaded.problems) <= MOST_PROBLEMS + 1
    return loaded


@pytest.mark.parametrize(
    "text",
    [
        "a = '" + "x" * LARGEST + "'",
        "x" * 200_000 + " = 1",
        "\n".join(f"k{number} = 1" for number in range(3000)),
        "[limits]\n" + "\n".join(f"k{number} = 1" for number in range(3000)),
        "\n".join(f'[prices."m{number}"]\ninput = -1\noutput = 1' for number in range(1500)),
        "verify = [" + "3, " * 20_000 + "]",
        "mcp" + ".a" * 100_000 + " = 1",
        'mcp."' + '"."a' * 50_000 + '" = 1',
        "[mcp" + ".a" * 100_000 + "]",
        "mcp = " + "{a = " * 300 + "1" + "}" * 300,
        "mcp.a = " + "[" * 400 + "]" * 400,
        "limits.turns = " + "9" * 5000,
        "limits.turns = 0x" + "f" * 50_000,
        "mcp.a = 0x" + "f" * 50_000,
    ],
    ids=lambda text: text[:20],
)
def test_a_file_that_is_too_much_is_told_in_time_and_in_few_words(text: str) -> None:
    loaded = loaded_in_time(text)
    assert loaded.problems
    assert loaded.settings == Settings()


def test_too_many_wrong_settings_are_counted_and_the_first_are_shown() -> None:
    loaded = load_settings("\n".join(f"k{number} = 1" for number in range(500)), FILE)
    assert [problem.span.start_line for problem in loaded.problems[:-1]] == list(range(MOST_PROBLEMS))
    assert loaded.problems[-1].message.startswith(f"{500 - MOST_PROBLEMS} more settings are wrong")


@pytest.mark.parametrize(
    ("text", "name", "allowed"),
    [
        ("limits.turns = 1979-05-27T07:32:00Z", "limits.turns", "a whole number from 1"),
        ("verify = [1979-05-27]", "verify", "a list, each"),
        ("verify = 1979-05-27", "verify", "a list, each"),
        ("requirements = 07:32:00", "requirements", "a path inside the root"),
        ("models = 1979-05-27", "models", "a table with the keys default"),
        ("mcp.x = [1, 1979-05-27]", "mcp.x", "a text"),
    ],
)
def test_a_date_is_no_setting_and_is_named_as_it_stands(text: str, name: str, allowed: str) -> None:
    loaded = load_settings(text, FILE)
    problem = next(problem for problem in loaded.problems if problem.code == "settings-value")
    assert problem.message.startswith(f"`{name}` is the date or time `")
    assert f"allowed is {allowed}" in problem.message
    assert loaded.settings.verify == ()


def test_a_number_with_too_many_digits_is_called_that() -> None:
    for text in ("a = " + "9" * 5000, "a = 0x" + "f" * 5000):
        assert "a number with too many digits" in load_settings(text, FILE).problems[0].message


def test_a_byte_order_mark_is_no_fault_and_moves_no_place() -> None:
    assert load_settings('\ufefflayout = "kiro"', FILE).settings.layout == "kiro"
    assert load_settings("\ufefflayout = 3", FILE).problems[0].span.start_column == len("layout = ")


def test_a_zero_byte_reaches_no_command_and_no_path() -> None:
    loaded = load_settings(None, FILE, {"verify": ["a\0b", "\0", "c"], "state_dir": "a\0b"})
    assert loaded.settings.verify == ("c",)
    assert loaded.settings.state_dir is None


@pytest.mark.parametrize("url", ODD_ADDRESSES, ids=lambda url: url[:20])
def test_an_address_that_leads_nowhere_is_a_problem_and_gets_no_key(url: str) -> None:
    loaded = load_settings("[models.default]\nbase_url = " + json.dumps(url), FILE)
    assert "`models.default.base_url` is" in loaded.problems[0].message
    assert "a port from 1 to 65535" in loaded.problems[0].message
    assert loaded.settings.models.default.base_url is None
    # A name before the host is a matter of settings: the key would go to that host all the same.
    if "@" not in url:
        assert origin_of(url) is None
        assert not Credentials(url, "environment", SECRET).are_for(url)
        assert not Credentials("https://api.anthropic.com", "environment", SECRET).are_for(url)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080/v1", True),
        ("http://[::1]", "http://[::1]:80", True),
        ("https://ex\u00e4mple.com", "https://xn--exmple-cua.com", True),
        ("https://api.anthropic.com", "https://api.anthropic.com@collector.invalid", False),
        ("https://api.anthropic.com", "https://collector.invalid\\@api.anthropic.com.evil", False),
        ("https://api.anthropic.com", "https://api.anthropic.com:1", False),
        ("https://strasse.example", "https://stra\u00dfe.example", False),
        ("https://ap\u200di.anthropic.com", "https://api.anthropic.com", False),
        ("https://xn--nxasmq6b.example", "https://\u03b2\u03cc\u03bb\u03bf\u03c2.example", False),
        ("https://api.anthropic.com", "https://api.anthropic.com%2ecollector.invalid", False),
    ],
)
def test_a_key_follows_the_host_that_the_network_sees(one: str, other: str, same: bool) -> None:
    assert Credentials(one, "environment", SECRET).are_for(other) is same


@given(st.text(), st.text())
def test_no_address_raises_and_none_gets_the_key_of_another(one: str, other: str) -> None:
    found = Credentials(f"https://{one}", "environment", SECRET).are_for(f"https://{other}")
    assert not found or origin_of(f"https://{one}") == origin_of(f"https://{other}")


@pytest.mark.parametrize("value", ["a b", '"a\\nb: c"', "schl\u00fcssel", '"a\0b"'])
def test_what_can_be_no_key_is_told_and_never_shown_or_sent(value: str) -> None:
    values, problems = read_env(f"ANTHROPIC_API_KEY={value}")
    assert values == {}
    assert [problem.code for problem in problems] == ["env-key"]
    assert value.strip('"') not in problems[0].message


def test_a_key_of_the_environment_loses_its_line_end_and_counts_for_nothing_if_it_can_be_none() -> None:
    assert credentials({"ANTHROPIC_API_KEY": f"{SECRET}\n"}, {}) == Credentials(
        "https://api.anthropic.com", "environment", SECRET
    )
    assert credentials({"ANTHROPIC_API_KEY": f"{SECRET}\nX-Other: 1"}, {}) is None
    assert unsendable({"ANTHROPIC_API_KEY": f"{SECRET}\nX-Other: 1"}) == "ANTHROPIC_API_KEY"
    assert unsendable({"ANTHROPIC_API_KEY": SECRET}) is None


WRONG: list[Any] = [None, True, -1, 10**5000, float("nan"), float("inf"), "\ud800", "", [], [[]], {}, {"": {"": []}}]


@pytest.mark.parametrize("key", [*Settings.model_fields, "other", "\ud800", ""])
def test_no_editor_setting_of_any_wrong_type_raises(key: str) -> None:
    for value in WRONG:
        for editor in ({key: value}, {key: {"default": value}}, {key: [value]}):
            loaded = load_settings(None, FILE, editor)
            assert all(problem.message and len(problem.message) < LONGEST_MESSAGE for problem in loaded.problems)
