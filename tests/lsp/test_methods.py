"""Every custom method of the server: valid, invalid, cancelled. A method without a case here fails the first test."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from specloom.llm.scripted.server import ScriptedServer
from specloom.lsp.names import REQUESTS, command_of
from tests.integration.projects import ENDS, WRITES, greeter, session
from tests.lsp.editor import DEADLINE, Editor, editing
from tests.lsp.test_scenario import settings

ONE, TWO = "01/1.1", "01/1.2"
TASK = {"scope": {"kind": "task", "id": ONE}}
INVALID_PARAMS, CANCELLED, REQUEST_FAILED = -32602, -32800, -32803
NOTHING_RUNS = {"specloom/run/pause", "specloom/run/resume", "specloom/run/cancel", "specloom/spec/cancel"}
PARAMS: dict[str, dict[str, Any]] = {
    "specloom/project/get": {},
    "specloom/project/list": {},
    "specloom/project/create": {"folder": "file:///nowhere/at/all", "name": "One"},
    "specloom/project/rename": {"project": "none", "name": "One"},
    "specloom/project/alias": {"project": "none", "alias": "one"},
    "specloom/project/archive": {"project": "none"},
    "specloom/events/list": {"since": 0, "limit": 5},
    "specloom/events/subscribe": {"since": 0},
    "specloom/events/unsubscribe": {},
    "specloom/health/get": {},
    "specloom/spec/generate": {},
    "specloom/spec/settle": {"specId": "01", "choice": "discard"},
    "specloom/spec/cancel": {},
    "specloom/spec/show": {"specId": "01"},
    "specloom/task/extract": {"specId": "01"},
    "specloom/task/retry": {"taskId": ONE},
    "specloom/task/skip": {"taskId": ONE},
    "specloom/task/unblock": {"taskId": ONE},
    "specloom/task/reset": {"taskId": ONE},
    "specloom/task/describe": {"taskId": ONE},
    "specloom/run/start": TASK,
    "specloom/run/estimate": {"scope": {"kind": "project"}},
    "specloom/run/pause": {},
    "specloom/run/resume": {},
    "specloom/run/cancel": {},
    "specloom/agent/prompt": {"agentId": "agent-9", "text": "Use tabs"},
    "specloom/prompt/withdraw": {"promptId": "prompt-none"},
    "specloom/approval/list": {},
    "specloom/approval/answer": {"approvalId": "approval-none", "choice": "Deny"},
    "specloom/grant/list": {},
    "specloom/grant/revoke": {"grantId": "none"},
    "specloom/evidence/get": {"taskId": ONE},
    "specloom/changeset/get": {"taskId": ONE},
    "specloom/credential/set": {"key": "no-real-key-1"},
}
REFUSED = {
    "specloom/project/create": "no-folder",
    "specloom/project/rename": "unknown-project",
    "specloom/project/alias": "unknown-project",
    "specloom/project/archive": "unknown-project",
    "specloom/spec/settle": "spec-edited",
    "specloom/task/retry": "illegal-transition",
    "specloom/task/unblock": "illegal-transition",
    "specloom/task/reset": "illegal-transition",
    "specloom/approval/answer": "unknown-approval",
    "specloom/grant/revoke": "unknown-grant",
    "specloom/spec/cancel": "no-active-plan",
    "specloom/run/pause": "no-active-run",
    "specloom/run/resume": "no-active-run",
    "specloom/run/cancel": "no-active-run",
    "specloom/agent/prompt": "unknown-agent",
    "specloom/prompt/withdraw": "unknown-prompt",
}
"""What is well-formed and cannot be done while nothing has happened yet."""
ALONE = ("specloom/spec/generate", "specloom/task/extract", "specloom/task/skip", "specloom/run/start")
"""What has an effect on the project, and so a server of its own."""
GROUPS = [[method for method in REQUESTS if method not in ALONE], *([method] for method in ALONE)]
each_group = pytest.mark.parametrize("methods", GROUPS, ids=lambda methods: methods[0])


def script() -> dict[str, Any]:
    held = [WRITES[0] | {"hold": "turn"}, *WRITES[1:]]
    return {
        "sessions": [
            session("outline", "# Outline", turns=[{"answer": [{"text": "?"}], "hold": "plan"}], optional=True),
            session("tasks", "# Write the tasks", turns=[{"answer": [{"text": "?"}], "hold": "plan"}], optional=True),
            session("1.1", f"# Task {ONE} (attempt 1)", turns=held, optional=True),
            session("1.1 again", f"# Task {ONE} (attempt 2)", turns=WRITES, optional=True),
            session("1.2", f"# Task {TWO}", turns=ENDS, optional=True),
        ]
    }


@asynccontextmanager
async def project(tmp_path: Path) -> AsyncGenerator[tuple[Editor, ScriptedServer]]:
    root = greeter(tmp_path / "greeter")
    async with ScriptedServer(script()) as server, editing(root, options=settings(server)) as editor:
        yield editor, server
        # Nothing that works, or is held back, has to be waited for when the server ends.
        for held in ("turn", "plan"):
            server.release(held)
        for method in ("specloom/run/cancel", "specloom/spec/cancel"):
            with suppress(JsonRpcException):
                await editor.request(method, {})


def test_every_method_has_its_case() -> None:
    assert set(PARAMS) == set(REQUESTS)


@each_group
async def test_a_well_formed_request_is_answered_or_refused_with_a_reason(methods: list[str], tmp_path: Path) -> None:
    async with project(tmp_path) as (editor, _):
        for method in methods:
            if method in REFUSED:
                error = await editor.refused(method, PARAMS[method])
                assert (error.code, (error.data or {})["reason"]) == (REQUEST_FAILED, REFUSED[method]), method
                assert error.message
            else:
                assert isinstance(await editor.request(method, PARAMS[method]), dict), method


@each_group
async def test_the_same_goes_for_its_command(methods: list[str], tmp_path: Path) -> None:
    async with project(tmp_path) as (editor, _):
        for method in methods:
            if method in REFUSED:
                with pytest.raises(JsonRpcException) as caught:
                    await editor.command(command_of(method), PARAMS[method])
                assert (caught.value.data or {})["reason"] == REFUSED[method], method
            else:
                assert await editor.command(command_of(method), PARAMS[method]) is not None, method


async def test_what_is_malformed_is_refused_with_the_fields(tmp_path: Path) -> None:
    async with project(tmp_path) as (editor, _):
        for method in REQUESTS:
            misshapen: dict[str, Any] = {name: [] for name in (*PARAMS[method], "nonsense")}
            for params in ({**PARAMS[method], "nonsense": 1}, [1, 2], misshapen):
                error = await editor.refused(method, params)
                assert error.code == INVALID_PARAMS, (method, params, error)
                assert error.data, (method, params)
        assert isinstance(await editor.request("specloom/project/get", {}), dict)


@each_group
async def test_a_cancelled_request_is_answered_once_and_harms_nothing(methods: list[str], tmp_path: Path) -> None:
    async with project(tmp_path) as (editor, _):
        for method in methods:
            await _cancelled(editor, method)
            assert isinstance(await editor.request("specloom/project/get", {}), dict), method


async def _cancelled(editor: Editor, method: str) -> None:
    protocol = editor.client.protocol
    answer = protocol.send_request(method, PARAMS[method], msg_id=f"to-cancel-{method}")
    protocol.notify(types.CANCEL_REQUEST, types.CancelParams(id=f"to-cancel-{method}"))
    try:
        async with asyncio.timeout(DEADLINE):
            await asyncio.wrap_future(answer)
    except JsonRpcException as error:
        assert error.code in (CANCELLED, REQUEST_FAILED), (method, error)  # noqa: PT017 - an answer is right, too


async def test_a_run_is_paused_resumed_and_cancelled_by_requests(tmp_path: Path) -> None:
    async with project(tmp_path) as (editor, server):
        await editor.subscribe()
        started = await editor.request("specloom/run/start", TASK)
        second = await editor.refused("specloom/run/start", TASK)
        assert started["runId"] in second.message
        await editor.event("turnRequested")
        await editor.request("specloom/run/pause", {})
        server.release("turn")
        await editor.event("runPaused")
        await editor.request("specloom/run/resume", {})
        await editor.event("taskDone", taskId=ONE)
        await editor.event("runFinished")
        again = await editor.refused("specloom/run/cancel", {})
        assert (again.data or {})["reason"] == "no-active-run"


async def test_the_same_command_id_is_one_effect(tmp_path: Path) -> None:
    async with project(tmp_path) as (editor, _):
        order = {"taskId": ONE, "commandId": "skip-once"}
        first = await editor.request("specloom/task/skip", order)
        second = await editor.request("specloom/task/skip", order)
        assert (first["repeated"], second["repeated"]) == (False, True)
        assert second["seq"] <= (await editor.request("specloom/project/get", {}))["seq"]


async def test_a_command_id_of_another_order_starts_nothing_and_names_nothing_of_another_kind(tmp_path: Path) -> None:
    async with project(tmp_path) as (editor, server):
        await editor.subscribe()
        await editor.request("specloom/run/start", {**TASK, "commandId": "begin"})
        await editor.event("turnRequested")
        for method, params in (
            ("specloom/run/cancel", {}),
            ("specloom/agent/prompt", {"agentId": "agent-1", "text": "wait"}),
            ("specloom/spec/generate", {}),
        ):
            again = await editor.refused(method, {**params, "commandId": "begin"})
            assert (again.data or {})["reason"] == "command-id-used"
        paused = await editor.request("specloom/run/pause", {"commandId": "pause"})
        assert paused["repeated"] is False
        again = await editor.refused("specloom/run/start", {**TASK, "commandId": "pause"})
        assert (again.data or {})["reason"] == "command-id-used"
        server.release("turn")
        await editor.event("runPaused")
