"""What no client should send: each request has its one answer, and the server ends as it is told to."""

from pathlib import Path
from typing import Any

import pytest

from tests.lsp.wire import process, status_of

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS, NOT_INITIALIZED = -32700, -32600, -32601, -32602, -32002
DEEP = b"[" * 100_000


def frame(body: bytes) -> bytes:
    """A well-framed body."""
    return b"content-length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize(
    ("body", "code", "identifier"),
    [
        (b"{not json", PARSE_ERROR, None),
        (b"\xff\xfe\x00", PARSE_ERROR, None),
        (DEEP, PARSE_ERROR, None),
        (b"", PARSE_ERROR, None),
        (b"[]", INVALID_REQUEST, None),
        (b"3", INVALID_REQUEST, None),
        (b"{}", INVALID_REQUEST, None),
        (b'{"jsonrpc":"1.0","id":1,"method":"initialize"}', INVALID_REQUEST, 1),
        (b'{"jsonrpc":"2.0","id":{},"method":"initialize"}', INVALID_REQUEST, None),
        (b'{"jsonrpc":"2.0","id":true,"method":"initialize"}', INVALID_REQUEST, None),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', INVALID_REQUEST, 1),
        (
            b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{},"workspaceFolders":3}}',
            INVALID_PARAMS,
            1,
        ),
        (b'{"jsonrpc":"2.0","id":1,"method":"textDocument/hover","params":{}}', NOT_INITIALIZED, 1),
    ],
)
async def test_what_is_no_message_is_answered_and_the_next_one_is_served(
    body: bytes, code: int, identifier: Any, tmp_path: Path
) -> None:
    async with process() as (wire, server):
        wire.raw(frame(body))
        refusal = await wire.next()
        assert refusal is not None
        assert (refusal["error"]["code"], refusal["id"]) == (code, identifier)
        assert "capabilities" in (await wire.initialize(tmp_path))["result"]
        await wire.leave()
        assert await status_of(server) == 0


async def test_requests_out_of_order_have_one_answer_each(tmp_path: Path) -> None:
    async with process() as (wire, server):
        await wire.initialize(tmp_path)
        wrong: tuple[tuple[int, str, Any, int], ...] = (
            (1, "initialize", {"capabilities": {}}, INVALID_REQUEST),
            (2, "specloom/no/such", {}, NO_METHOD),
            (3, "textDocument/hover", {"textDocument": 3}, INVALID_PARAMS),
            (4, "textDocument/hover", [1], INVALID_PARAMS),
            (5, "workspace/executeCommand", {"command": "rm"}, INVALID_PARAMS),
            (6, "workspace/executeCommand", {"command": "specloom.project.get", "arguments": [1, 2]}, INVALID_PARAMS),
            (7, "specloom/project/get", {"jsonrpc": "2.0", "id": 9, "method": "exit"}, INVALID_PARAMS),
        )
        for identifier, method, params, code in wrong:
            wire.ask(identifier, method, params)
            assert (await wire.answer(identifier))["error"]["code"] == code, method
        wire.tell("textDocument/didChange", {"textDocument": {"uri": "file:///x", "version": 1}, "contentChanges": []})
        wire.tell("no/such/notification", {"a": 1})
        wire.send({"jsonrpc": "2.0", "id": "nobody-asked", "result": {"a": 1}})
        wire.tell("$/cancelRequest", {"id": 12345})
        wire.ask("bye", "shutdown")
        assert "error" not in await wire.answer("bye")
        wire.ask(8, "specloom/project/get", {})
        assert (await wire.answer(8))["error"]["code"] == INVALID_REQUEST
        wire.tell("exit")
        assert await status_of(server) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Length: 99999999999\r\n\r\n",
        b"Content-Length: -1\r\n\r\n{}",
        b"Content-Length: 1e3\r\n\r\n{}",
        b"x" * 100_000,
    ],
)
async def test_a_frame_without_an_end_is_answered_and_ends_the_connection(data: bytes) -> None:
    async with process() as (wire, server):
        wire.raw(data)
        refusal = await wire.next()
        assert refusal is not None
        assert refusal["error"]["code"] == PARSE_ERROR
        assert await wire.next() is None
        assert await status_of(server) == 1


@pytest.mark.parametrize("last", [b"", b"Content-Length: 50\r\n\r\n{", b"Conten"])
async def test_a_client_that_vanishes_ends_the_server(last: bytes, tmp_path: Path) -> None:
    async with process() as (wire, server):
        await wire.initialize(tmp_path)
        wire.raw(last)
        wire.writer.close()
        assert await status_of(server) == 1


async def test_exit_without_shutdown_is_status_1(tmp_path: Path) -> None:
    async with process() as (wire, server):
        await wire.initialize(tmp_path)
        wire.tell("exit")
        assert await status_of(server) == 1
