"""Files that a client watches for the server: a hint to look, and never told twice."""

import asyncio
from pathlib import Path

from lsprotocol import types

from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import greeter
from tests.integration.stage import attempt, says, task, turn
from tests.integration.test_head import git, repository
from tests.lsp.editor import EDITORS, editing
from tests.lsp.test_scenario import settings

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


async def test_checkout_under_a_run_is_an_event_and_one_message(tmp_path: Path) -> None:
    root = repository(tmp_path / "p", task(1, "test -f a.txt"))
    script = {"sessions": [attempt(1, turn(says(), hold="answer"), turn(says()))]}
    async with ScriptedServer(script) as server, editing(root, EDITORS[0], options=settings(server)) as editor:
        await editor.subscribe()
        await editor.request("specloom/run/start", {"scope": {"kind": "project"}, "unattended": True})
        await editor.event("turnRequested")
        await asyncio.to_thread(git, root, "switch", "-q", "other")
        told = await editor.event("headChanged", branch="other")
        assert told["files"]
        server.release("answer")
        await editor.event("runPaused")
        shown = [message.message for message in editor.client.messages if "HEAD changed from main" in message.message]
        assert len(shown) == 1
        await editor.request("specloom/run/cancel", {})
        await editor.event("runFinished")
