"""Settings of the editor: given with `initialize`, pushed or pulled later, and what is said of wrong ones."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from specloom.llm.scripted.server import ScriptedServer
from specloom.lsp.editor_settings import EditorSettings, section_of
from tests.integration.projects import greeter, greeter_script
from tests.lsp.editor import DEADLINE, EDITORS, Editor, editing
from tests.lsp.test_scenario import settings

RUN = {"scope": {"kind": "task", "id": "01/1.1"}}


def push_only(capabilities: types.ClientCapabilities) -> None:
    """A client that cannot be asked for settings."""
    assert capabilities.workspace is not None
    capabilities.workspace.configuration = False


def changes(editor: Editor, value: Any, *, pull: bool) -> None:
    """The person edits the settings."""
    if pull:
        editor.client.set_configuration({"specloom": value})
    told = None if pull else {"specloom": value}
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(told))


@pytest.mark.parametrize("pull", [False, True])
async def test_changed_settings_count_for_the_next_run(pull: bool, tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    async with (
        ScriptedServer(greeter_script()) as server,
        editing(root, EDITORS[0], adjust=None if pull else push_only) as editor,
    ):
        await editor.subscribe()
        refused = await editor.refused("specloom/run/start", RUN)
        assert (refused.data or {})["reason"] == "no-key"
        changes(editor, settings(server), pull=pull)
        await started(editor)
        ended = await editor.event("runFinished")
        assert ended["outcome"] == "completed"
        assert server.total == 2


async def started(editor: Editor) -> None:
    """A run starts as soon as the settings have arrived."""
    async with asyncio.timeout(DEADLINE):
        while not await accepted(editor):
            pass


async def accepted(editor: Editor) -> bool:
    """Whether a run starts; without a key it does not."""
    try:
        await editor.request("specloom/run/start", RUN)
    except JsonRpcException as error:
        if "No API key" in error.message:
            return False
        raise
    return True


@pytest.mark.parametrize("first", [False, True])
async def test_a_wrong_setting_is_a_message_with_key_value_and_what_is_allowed(first: bool, tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    wrong = {"limits": {"attempts": "many"}}

    async with editing(root, EDITORS[1], options=wrong if first else {}) as editor:
        if not first:
            changes(editor, wrong, pull=True)

        def told() -> list[str]:
            return [item.message for item in editor.client.messages if "limits.attempts" in item.message]

        await editor.until(told, "a message")
        (message,) = told()
        for part in ("editor settings", "`limits.attempts`", '"many"', "a whole number from 1"):
            assert part in message
        refused = await editor.refused("specloom/run/start", RUN)
        assert refused.message.startswith("editor settings: `limits.attempts`")
        assert not [uri for uri in editor.client.diagnostics if "editor" in uri], "no document holds them"

        changes(editor, {"limits": {"attempts": 2}}, pull=True)
        assert (await until_refused(editor, "No API key")).startswith("No API key")


async def until_refused(editor: Editor, words: str) -> str:
    """The refusal of a run with these words."""
    async with asyncio.timeout(DEADLINE):
        while words not in (refused := await editor.refused("specloom/run/start", RUN)).message:
            pass
    return refused.message


def test_what_is_configured_lies_over_what_was_given_and_null_is_no_value() -> None:
    known = EditorSettings(
        given={"limits": {"attempts": 2, "turns": 9}, "verify": ["make"]},
        configured={"limits": {"attempts": 4, "turns": None}, "budget": {"usd": None}},
    )
    assert known.whole == {"limits": {"attempts": 4, "turns": 9}, "verify": ["make"], "budget": {}}
    known.configured = {}
    assert known.whole == known.given


@pytest.mark.parametrize("told", [None, [], "x", 7, {"specloom": None}, {"specloom": 3}])
def test_what_is_no_section_sets_nothing(told: object) -> None:
    assert section_of(told) == {}


def test_a_section_is_found_under_its_name_or_is_the_whole() -> None:
    assert section_of({"specloom": {"verify": []}}) == {"verify": []}
    assert section_of({"verify": []}) == {"verify": []}
