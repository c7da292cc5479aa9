"""A client with several roots: each document belongs to the deepest one, and an order says which it means."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from specloom.store.lock import writer_of
from tests.integration.projects import REQUIREMENTS, greeter
from tests.lsp.wire import DEADLINE, Wire, process, status_of

TWICE = REQUIREMENTS + "- R1.1 THE program SHALL end.\n"


def folder(root: Path) -> dict[str, str]:
    """As clients name it."""
    return {"uri": root.as_uri(), "name": root.name}


@asynccontextmanager
async def opened(*roots: Path) -> AsyncGenerator[Wire]:
    """A client with these folders, which leaves in an orderly way."""
    async with process() as (wire, server):
        params: dict[str, Any] = {
            "processId": None,
            "workspaceFolders": [folder(root) for root in roots],
            "capabilities": {},
        }
        wire.ask("init", "initialize", params)
        answer = (await wire.answer("init"))["result"]["capabilities"]
        assert answer["workspace"]["workspaceFolders"] == {"supported": True, "changeNotifications": True}
        wire.tell("initialized", {})
        yield wire
        await wire.leave()
        assert await status_of(server) == 0


async def answered(wire: Wire, method: str, params: Any) -> dict[str, Any]:
    """The answer to a request, whatever it is."""
    wire.ask(f"{method} {params}", method, params)
    return await wire.answer(f"{method} {params}")


async def project(wire: Wire, root: str) -> dict[str, Any]:
    """The projection of one root."""
    answer = await answered(wire, "specloom/project/get", {"root": root})
    assert "result" in answer, answer
    return answer["result"]


async def diagnostics(wire: Wire, path: Path, *, some: bool) -> dict[str, Any]:
    """The next diagnostics of a file: some, or none any more."""
    while (message := await wire.next()) is not None:
        if message.get("method") == "textDocument/publishDiagnostics":
            params = message["params"]
            if params["uri"] == path.as_uri() and bool(params["diagnostics"]) is some:
                return params
    raise AssertionError("the connection ended without them")


async def test_an_order_names_its_root_where_there_are_several(tmp_path: Path) -> None:
    one, two = greeter(tmp_path / "one"), greeter(tmp_path / "two")
    async with opened(one, two) as wire:
        refused = (await answered(wire, "specloom/project/get", {}))["error"]
        assert refused["data"] == {"reason": "root-needed", "suggestions": [one.as_uri(), two.as_uri()]}
        first, second = await project(wire, one.as_uri()), await project(wire, two.as_uri() + "/")
        assert (first["name"], second["name"]) == ("one", "two")
        assert (await project(wire, second["id"]))["rootUri"] == two.as_uri()
        unknown = (await answered(wire, "specloom/project/get", {"root": tmp_path.as_uri()}))["error"]
        assert unknown["data"]["reason"] == "unknown-root"
        # One client hears of both, each event with its project.
        for root in (one, two):
            await answered(wire, "specloom/events/subscribe", {"root": root.as_uri()})
        wire.ask("skip", "specloom/task/skip", {"root": second["id"], "taskId": "01/1.1"})
        while (message := await wire.next()) is not None:
            if message.get("method") == "specloom/event" and message["params"]["type"] == "taskSkipped":
                assert message["params"]["projectId"] == second["id"]
                break
        states = {task["id"]: task["state"] for task in (await project(wire, one.as_uri()))["tasks"]}
        assert states["01/1.1"] == "ready"


async def test_a_document_is_answered_for_by_the_deepest_root_and_its_lenses_say_which(tmp_path: Path) -> None:
    outer, inner = greeter(tmp_path / "outer"), greeter(tmp_path / "outer" / "inner")
    async with opened(outer, inner) as wire:
        for root in (outer, inner):
            spec = root / "specs" / "01-greeter.md"
            item = {"uri": spec.as_uri(), "languageId": "markdown", "version": 1, "text": spec.read_text()}
            wire.tell("textDocument/didOpen", {"textDocument": item})
            lenses = await answered(wire, "textDocument/codeLens", {"textDocument": {"uri": spec.as_uri()}})
            commands = [lens["command"] for lens in lenses["result"]]
            assert {command["arguments"][0]["root"] for command in commands} == {root.as_uri()}
            run = next(command for command in commands if command["command"] == "specloom.task.describe")
            told = await answered(
                wire, "workspace/executeCommand", {"command": run["command"], "arguments": run["arguments"]}
            )
            assert "result" in told
        elsewhere = {"textDocument": {"uri": (tmp_path / "else.md").as_uri()}}
        assert (await answered(wire, "textDocument/codeLens", elsewhere))["result"] is None


async def test_folders_come_and_go_while_the_client_stays(tmp_path: Path) -> None:
    one, two = greeter(tmp_path / "one"), greeter(tmp_path / "two")
    (one / "requirements.md").write_text(TWICE)
    async with opened(one) as wire:
        await diagnostics(wire, one / "requirements.md", some=True)
        wire.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": [folder(two)], "removed": []}})
        assert (await project(wire, two.as_uri()))["name"] == "two"
        wire.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [folder(one)]}})
        await diagnostics(wire, one / "requirements.md", some=False)
        # It is the only one now, and needs no name.
        assert (await answered(wire, "specloom/project/get", {}))["result"]["name"] == "two"
        async with asyncio.timeout(DEADLINE):
            while await asyncio.to_thread(writer_of, one / ".specloom"):  # noqa: ASYNC110 - unannounced
                await asyncio.sleep(0.02)
        wire.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": [folder(one)], "removed": [folder(two)]}})
        await diagnostics(wire, one / "requirements.md", some=True)
        wire.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [folder(one)]}})
        refused = await answered(wire, "specloom/project/get", {})
        assert refused["error"]["data"]["reason"] == "no-root"
