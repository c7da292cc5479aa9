"""Roots that cannot be hosted: the server lives, says why, and answers what can be answered."""

from pathlib import Path

import pytest
from lsprotocol import types

from specloom.llm.scripted.server import ScriptedServer
from specloom.lsp.names import REQUESTS
from tests.integration.projects import greeter, greeter_script
from tests.lsp.editor import Editor, editing
from tests.lsp.test_scenario import settings
from tests.lsp.wire import process, status_of

READABLE = (
    "specloom/project/get",
    "specloom/project/list",
    "specloom/health/get",
    "specloom/events/list",
    "specloom/approval/list",
)


async def told(editor: Editor, word: str) -> str:
    """The message that has this word, which is said once."""
    await editor.until(lambda: [item for item in editor.client.messages if word in item.message], word)
    (message,) = [item.message for item in editor.client.messages if word in item.message]
    return message


async def test_a_second_editor_reads_what_the_first_one_hosts_and_takes_over_when_it_ends(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    async with editing(root) as second_after:
        del second_after
    async with editing(root) as first:
        await first.request("specloom/project/get", {})
        async with editing(root) as second:
            uri = second.open("requirements.md")
            assert "in use by specloom lsp" in await told(second, "in use")
            await second.until(lambda: second.diagnostics(uri), "a diagnostic in the open document")
            (problem,) = second.diagnostics(uri)
            assert (problem.code, problem.severity) == ("not-hosted", types.DiagnosticSeverity.Error)

            await first.request("specloom/task/skip", {"taskId": "01/1.1", "reason": "by the first"})
            seen = await second.request("specloom/project/get", {})
            assert seen["readOnly"]
            assert [task["state"] for task in seen["tasks"] if task["id"] == "01/1.1"] == ["skipped"]
            listed = await second.request("specloom/events/list", {"limit": 1000})
            assert listed["events"][-1]["type"] == "taskSkipped"
            refused = await second.refused("specloom/task/reset", {"taskId": "01/1.1"})
            assert (refused.data or {})["reason"] == "not-hosted"
            assert await second.lenses(uri) == []

            await first.client.shutdown_async(None)
            first.client.exit(None)
            await first.client._server.wait()  # pyright: ignore[reportPrivateUsage,reportOptionalMemberAccess] # the process
            first.client.error = RuntimeError("ended by the test")
            assert (await second.request("specloom/task/reset", {"taskId": "01/1.1"}))["repeated"] is False
            await second.until(lambda: not second.diagnostics(uri), "the notice is gone")
            assert await second.lenses(uri)
            assert not (await second.request("specloom/project/get", {}))["readOnly"]
            assert len([item for item in second.client.messages if "in use" in item.message]) == 1


async def test_without_a_folder_it_says_what_to_do(tmp_path: Path) -> None:
    async with editing(None) as editor:
        assert "open one in your editor" in await told(editor, "needs a folder")
        for method in REQUESTS:
            if method not in READABLE:
                assert (await editor.refused(method, _params(method))).code in (-32803, -32602)
        assert (await editor.request("specloom/approval/list", {})) == {"approvals": []}


async def test_bad_settings_are_a_diagnostic_and_orders_are_refused_until_they_are_mended(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    (root / "specloom.toml").write_text("[limits]\nattempts = 'many'\n")
    async with editing(root, "neovim@v0.10") as editor:
        uri = editor.open("specloom.toml")
        await editor.until(lambda: editor.diagnostics(uri), "a diagnostic in specloom.toml")
        assert editor.diagnostics(uri)[0].range.start.line == 1
        refused = await editor.refused("specloom/run/start", {"scope": {"kind": "project"}})
        assert refused.code == -32803


@pytest.mark.parametrize("name", ["a%00b", "circle"])
async def test_a_root_that_is_no_path_at_all_is_told_and_nothing_hangs(name: str, tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    async with process() as (wire, server):
        asked: dict[str, object] = {"processId": None, "rootUri": f"{tmp_path.as_uri()}/{name}", "capabilities": {}}
        wire.ask("init", "initialize", asked)
        await wire.answer("init")
        wire.tell("initialized", {})
        wire.ask(1, "specloom/run/start", {"scope": {"kind": "project"}})
        error = (await wire.answer(1))["error"]
        assert (error["code"], "is no folder" in error["message"]) == (-32803, True)
        await wire.leave()
        assert await status_of(server) == 0


async def test_a_root_that_is_no_folder_is_told(tmp_path: Path) -> None:
    async with editing(tmp_path / "nowhere") as editor:
        assert "nowhere" in await told(editor, "missing")
        assert (await editor.refused("specloom/run/start", {"scope": {"kind": "project"}})).code == -32803


async def test_a_root_that_was_moved_while_it_was_open_is_told_by_what_it_refuses(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    async with ScriptedServer(greeter_script()) as server, editing(root, options=settings(server)) as editor:
        await editor.request("specloom/project/get", {})
        root.rename(tmp_path / "moved")
        refused = await editor.refused("specloom/run/start", {"scope": {"kind": "project"}})
        assert f"the folder {root} is not there any more; restore it" in refused.message
        (tmp_path / "moved").rename(root)


def _params(method: str) -> dict[str, object]:
    return {"scope": {"kind": "project"}} if method == "specloom/run/start" else {}
