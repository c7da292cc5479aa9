"""What becomes of an edit, told by the text that comes back: the real protocol, and a client that answers by hand."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from lsprotocol import types
from pygls.lsp.server import LanguageServer

from specloom.domain.ids import ApprovalId, digest_of
from specloom.engine.api import Question
from specloom.lsp.buffers import Buffers
from specloom.lsp.client_port import ClientPort
from specloom.lsp.frames import Outbox
from specloom.lsp.outgoing import Outgoing
from specloom.lsp.rpc import SpecloomProtocol, converter
from specloom.lsp.uris import Places
from specloom.workspace.ports import Applied, EditResult, FileChange, NotApplied, Refusal, TextSnapshot

BEFORE = "one\ntwo\nthree\nfour\nfive\n"
AFTER = BEFORE.replace("five", "FIVE")
DEADLINE = 20.0
VERSIONED = {"applyEdit": True, "workspaceEdit": {"resourceOperations": ["create"]}}


async def _never_sent(data: bytes) -> None:
    raise AssertionError(f"only streams go past the protocol: {data!r}")


class Hand:
    """The client's side: reads what was sent, and answers."""

    def __init__(self, root: Path, workspace: dict[str, Any], name: str = "hand") -> None:
        server = LanguageServer("specloom", "1", protocol_cls=SpecloomProtocol, converter_factory=converter)
        self.protocol = cast("SpecloomProtocol", server.protocol)
        self.protocol.set_writer(self)
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.buffers = Buffers()
        self.uri = (root / "a.py").as_uri()
        told = {"processId": 1, "clientInfo": {"name": name}, "capabilities": {"workspace": workspace}}
        self.receive({"id": 0, "method": "initialize", "params": told})
        self.port = ClientPort(
            "hand", Outgoing(self.protocol, Outbox(_never_sent)), self.buffers, Places(root, str(root))
        )
        self.buffers.open(types.TextDocumentItem(self.uri, "python", 4, BEFORE))

    def write(self, data: bytes) -> None:
        """What the server sends."""
        self.sent.put_nowait(json.loads(data.split(b"\r\n\r\n", 1)[1]))

    def close(self) -> None:
        """Nothing to close."""

    def receive(self, message: dict[str, Any]) -> None:
        """A message of the client."""
        self.protocol.receive(json.dumps({"jsonrpc": "2.0", **message}).encode())

    async def asked(self, method: str) -> dict[str, Any]:
        """The next request of that method."""
        async with asyncio.timeout(DEADLINE):
            while (message := await self.sent.get()).get("method") != method:
                pass
        return message

    def answer(self, request: dict[str, Any], result: Any) -> None:
        """Answers it."""
        self.receive({"id": request["id"], "result": result})

    def text(self, text: str, version: int) -> None:
        """The whole text is this now."""
        document = types.VersionedTextDocumentIdentifier(uri=self.uri, version=version)
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.buffers.change(types.DidChangeTextDocumentParams(document, [whole]))


def snapshot(text: str = BEFORE) -> TextSnapshot:
    """The base of an edit."""
    return TextSnapshot("a.py", text, digest_of(text), 4)


@asynccontextmanager
async def edit(
    tmp_path: Path, workspace: dict[str, Any] = VERSIONED, base: str = BEFORE, name: str = "hand"
) -> AsyncGenerator[tuple[Hand, "asyncio.Task[EditResult]"]]:
    """An edit that was ordered."""
    hand = Hand(tmp_path, workspace, name)
    order = asyncio.create_task(hand.port.apply(FileChange("a.py", AFTER, snapshot(base), "Specloom: 01/1")))
    try:
        yield hand, order
    finally:
        order.cancel()
        await asyncio.gather(order, return_exceptions=True)


async def refusal_of(order: "asyncio.Task[EditResult]") -> Refusal:
    """Why it was not applied."""
    async with asyncio.timeout(DEADLINE):
        result = await order
    assert isinstance(result, NotApplied)
    return result.refusal


async def test_an_edit_carries_the_version_and_only_the_lines_that_change(tmp_path: Path) -> None:
    async with edit(tmp_path) as (hand, order):
        request = await hand.asked(types.WORKSPACE_APPLY_EDIT)
        assert request["params"]["label"] == "Specloom: 01/1"
        (change,) = request["params"]["edit"]["documentChanges"]
        assert change["textDocument"] == {"uri": hand.uri, "version": 4}
        (only,) = change["edits"]
        assert (only["range"]["start"]["line"], only["newText"]) == (4, "FIVE\n")
        hand.answer(request, {"applied": True})
        hand.text(AFTER, 5)
        result = await order
        assert isinstance(result, Applied)
        assert (result.in_buffer, result.snapshot.text, result.snapshot.version) == (True, AFTER, 5)
        assert result.snapshot.digest == digest_of(AFTER)
        assert result.snapshot.dirty


@pytest.mark.parametrize(("name", "sent"), [("Neovim", 1), ("another", 0)])
async def test_neovim_is_given_a_version_that_it_compares(name: str, sent: int, tmp_path: Path) -> None:
    async with edit(tmp_path, name=name) as (hand, _):
        hand.text(BEFORE, 0)
        request = await hand.asked(types.WORKSPACE_APPLY_EDIT)
        (change,) = request["params"]["edit"]["documentChanges"]
        assert change["textDocument"]["version"] == sent


async def test_a_client_without_versions_gets_plain_changes(tmp_path: Path) -> None:
    async with edit(tmp_path, {"applyEdit": True}) as (hand, order):
        request = await hand.asked(types.WORKSPACE_APPLY_EDIT)
        assert list(request["params"]["edit"]["changes"]) == [hand.uri]
        hand.text(AFTER, 5)
        hand.answer(request, None)
        assert isinstance(await order, Applied), "the text counts, not the answer"


async def test_typing_that_comes_back_with_the_edit_is_no_refusal(tmp_path: Path) -> None:
    async with edit(tmp_path) as (hand, order):
        request = await hand.asked(types.WORKSPACE_APPLY_EDIT)
        hand.answer(request, {"applied": True})
        hand.text("typed\n" + AFTER, 6)
        result = await order
        assert isinstance(result, Applied)
        assert result.snapshot.text == "typed\n" + AFTER


async def test_typing_instead_of_the_edit_is_a_change_meanwhile(tmp_path: Path) -> None:
    async with edit(tmp_path) as (hand, order):
        request = await hand.asked(types.WORKSPACE_APPLY_EDIT)
        hand.text("typed\n" + BEFORE, 5)
        hand.answer(request, {"applied": True})
        assert await refusal_of(order) is Refusal.CHANGED_MEANWHILE


async def test_an_edit_of_another_text_is_not_even_sent(tmp_path: Path) -> None:
    async with edit(tmp_path, base="something else\n") as (hand, order):
        assert await refusal_of(order) is Refusal.CHANGED_MEANWHILE
        assert hand.sent.get_nowait()["id"] == 0
        assert hand.sent.empty(), "nothing after the answer to initialize"


async def test_a_client_that_takes_no_edits_is_sent_none(tmp_path: Path) -> None:
    async with edit(tmp_path, {"applyEdit": False}) as (_, order):
        assert await refusal_of(order) is Refusal.CLIENT_REFUSED


@pytest.mark.parametrize("answer", [{"applied": False, "failureReason": "stale"}, {"applied": False}])
async def test_a_refusal_is_told_with_its_reason(answer: dict[str, Any], tmp_path: Path) -> None:
    async with edit(tmp_path) as (hand, order):
        hand.answer(await hand.asked(types.WORKSPACE_APPLY_EDIT), answer)
        result = await order
        assert isinstance(result, NotApplied)
        assert result.refusal is Refusal.CLIENT_REFUSED
        assert answer.get("failureReason", "no reason") in result.message


async def test_an_error_for_an_answer_is_no_change(tmp_path: Path) -> None:
    async with edit(tmp_path) as (hand, order):
        request = await hand.asked(types.WORKSPACE_APPLY_EDIT)
        hand.receive({"id": request["id"], "error": {"code": -32603, "message": "eglot says no"}})
        assert await refusal_of(order) is Refusal.CLIENT_SILENT


async def test_a_document_that_is_closed_meanwhile_is_a_change(tmp_path: Path) -> None:
    async with edit(tmp_path) as (hand, order):
        request = await hand.asked(types.WORKSPACE_APPLY_EDIT)
        hand.buffers.close(hand.uri)
        hand.answer(request, {"applied": True})
        assert await refusal_of(order) is Refusal.CHANGED_MEANWHILE


@pytest.mark.parametrize(
    ("answer", "chosen"), [({"title": "Deny"}, "Deny"), (None, None), ({"title": "?"}, None), (7, None)]
)
async def test_a_question_is_answered_by_one_of_its_choices_or_not_at_all(
    answer: Any, chosen: str | None, tmp_path: Path
) -> None:
    hand = Hand(tmp_path, {})
    asking = asyncio.create_task(hand.port.ask(Question(ApprovalId("a"), "command", "rm -r x", "Clean up")))
    request = await hand.asked(types.WINDOW_SHOW_MESSAGE_REQUEST)
    assert "rm -r x" in request["params"]["message"]
    assert [item["title"] for item in request["params"]["actions"]] == ["Allow once", "Deny"]
    hand.answer(request, answer)
    async with asyncio.timeout(DEADLINE):
        assert await asking == chosen


async def test_a_question_that_is_settled_elsewhere_is_taken_back(tmp_path: Path) -> None:
    hand = Hand(tmp_path, {})
    asking = asyncio.create_task(hand.port.ask(Question(ApprovalId("a"), "command", "x", "y")))
    request = await hand.asked(types.WINDOW_SHOW_MESSAGE_REQUEST)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert (await hand.asked(types.CANCEL_REQUEST))["params"]["id"] == request["id"]
    hand.answer(request, {"title": "Allow once"})


async def test_a_connection_that_ends_cancels_nobody_who_asked(tmp_path: Path) -> None:
    async with edit(tmp_path) as (hand, order):
        await hand.asked(types.WORKSPACE_APPLY_EDIT)
        hand.protocol.abandon()
        assert await refusal_of(order) is Refusal.CLIENT_SILENT
        assert not order.cancelled()


@pytest.mark.parametrize("way", ["says so", "writes only", "never"])
async def test_a_save_is_seen_on_the_disk_whether_the_client_says_so_or_not(
    way: Literal["says so", "writes only", "never"], tmp_path: Path
) -> None:
    hand = Hand(tmp_path, {})
    (tmp_path / "a.py").write_text("old\n")
    deadline = 0.3 if way == "never" else DEADLINE
    saving = asyncio.create_task(hand.port.save(("a.py",), deadline))
    request = await hand.asked(types.WINDOW_SHOW_MESSAGE_REQUEST)
    assert request["params"]["message"] == "Save 1 file so that verification can run: a.py"
    if way != "never":
        (tmp_path / "a.py").write_text(BEFORE)
    if way == "says so":
        hand.buffers.save(hand.uri)
    async with asyncio.timeout(DEADLINE):
        assert await saving == (("a.py",) if way == "never" else ())
