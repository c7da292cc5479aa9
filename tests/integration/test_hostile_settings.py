"""What a root and an editor say about hosting, when they mean harm: no hang, no trace, no key to another endpoint."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from specloom.compose.files import LARGEST, RootFiles, read_root
from specloom.compose.options import Loaded, is_loopback, loaded_options

WRONG: list[Any] = [
    {"models": 3},
    {"models": {"default": 3}},
    {"models": {"default": {"base_url": 3}}},
    {"models": {"default": {"base_url": ["http://x"]}}},
    {"models": [{"default": {}}]},
]
KEY = {"ANTHROPIC_API_KEY": "sk-ant-very-secret"}


def loaded(environment: Mapping[str, str], editor: Any = None, settings: str | None = None) -> Loaded:
    return loaded_options(RootFiles("root", settings, {}), environment, None, editor, grant_proposals=True)


def refusal(known: Loaded) -> str:
    assert known.options.refusal is not None
    return known.options.refusal.message


@pytest.mark.parametrize("name", ["specloom.toml", ".env"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "huge"])
def test_what_is_no_file_of_settings_is_a_problem_and_no_hang(name: str, kind: str, tmp_path: Path) -> None:
    place = tmp_path / name
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "device":
        place.symlink_to("/dev/zero")
    elif kind == "folder":
        place.mkdir()
    else:
        place.write_bytes(b"#" * (LARGEST + 1))
    files = read_root(tmp_path)
    assert [(problem.code, problem.path) for problem in files.problems] == [("unreadable-settings", name)]
    assert files.settings is None
    assert dict(files.keys) == {}


@pytest.mark.parametrize("editor", WRONG)
def test_an_editor_setting_of_the_wrong_type_is_refused_with_key_value_and_what_is_allowed(editor: Any) -> None:
    message = refusal(loaded(KEY, editor))
    assert message.startswith("editor settings: `models")
    assert "allowed is" in message


@pytest.mark.parametrize("url", ["http://x:99999", "http://[::1", "not an address", "http://\u2100.com"])
def test_an_endpoint_of_the_environment_that_leads_nowhere_gets_no_key_and_no_trace(url: str) -> None:
    assert "is not sent to" in refusal(loaded({**KEY, "ANTHROPIC_BASE_URL": url}))


@pytest.mark.parametrize("scheme", ["https", "htp"])
def test_the_password_in_an_address_is_repeated_nowhere(scheme: str) -> None:
    url, other = f"{scheme}://bob:hunter2@keys.invalid", {"models": {"reviewer": {"base_url": "https://there.invalid"}}}
    by_environment = refusal(loaded({**KEY, "ANTHROPIC_BASE_URL": url}, other))
    by_editor = refusal(loaded(KEY, {"models": {"default": {"base_url": url}}}))
    assert f"{scheme}://keys.invalid" in by_environment
    assert f"{scheme}://keys.invalid" in by_editor
    assert "hunter2" not in by_environment + by_editor


def test_a_name_that_only_looks_like_this_machine_needs_a_key() -> None:
    url = "http://127.collector.invalid"
    assert not is_loopback(url)
    assert is_loopback("http://127.0.0.2:1")
    assert is_loopback("http://[::1]:1")
    assert "No API key" in refusal(loaded({}, {"models": {"default": {"base_url": url}}}))
    settings = f'[models.planner]\nbase_url = "{url}"\n'
    assert f"is not sent to {url}" in refusal(loaded(KEY, settings=settings))


def test_a_key_that_can_be_none_is_named_and_not_shown() -> None:
    message = refusal(loaded({"ANTHROPIC_API_KEY": "sk-ant-secret\nX-Other: 1"}))
    assert message.startswith("the value of `ANTHROPIC_API_KEY` is no key")
    assert "secret" not in message
