"""Files that a client watches for the server: a hint to look, and never told twice."""

import asyncio
from pathlib import Path

from lsprotocol import types

from tests.integration.projects import greeter
from tests.lsp.editor import EDITORS, editing

SPEC = "specs/01-greeter.md"


def watches(capabilities: types.ClientCapabilities) -> None:
    """A client that offers it."""
    assert capabilities.workspace is not None
    capabilities.workspace.did_change_watched_files = types.DidChangeWatchedFilesClientCapabilities(
        dynamic_registration=True
    )


def _saved(file: Path, text: str) -> None:
    """At once, as editors do, so that nobody reads half of it."""
    draft = file.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(file)


async def test_change_that_client_and_server_both_see_is_one_event(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    async with editing(root, EDITORS[0], adjust=watches) as editor:
        await editor.subscribe()
        uri = editor.uri(SPEC)
        file = root / SPEC
        told = types.DidChangeWatchedFilesParams([types.FileEvent(uri, types.FileChangeType.Changed)])
        for number in ("1.1", "1.2"):
            text = await asyncio.to_thread(file.read_text)
            await asyncio.to_thread(_saved, file, text.replace(f"- [ ] {number}", f"- [x] {number}"))
            for _ in range(3):
                editor.client.workspace_did_change_watched_files(told)
            await editor.event("taskDone", taskId=f"01/{number}")
        await editor.request("specloom/project/get", {})
        found = await editor.request("specloom/events/list", {"since": 0, "limit": 100})
        kinds = [event["type"] for event in found["events"]]
        assert kinds.count("specRead") == 3
        assert kinds.count("taskDone") == 2


async def test_hint_about_files_elsewhere_changes_nothing(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    async with editing(root, EDITORS[0], adjust=watches) as editor:
        await editor.subscribe()
        before = await editor.request("specloom/project/get", {})
        elsewhere = types.FileEvent((tmp_path / "other.md").as_uri(), types.FileChangeType.Deleted)
        editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([elsewhere]))
        after = await editor.request("specloom/project/get", {})
        assert after["seq"] == before["seq"]
