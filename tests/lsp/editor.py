"""A scripted editor on pytest-lsp's client: holds texts, applies edits, answers questions, remembers what it was told.

It can misbehave on purpose, as real editors do. Waits on conditions with deadlines.
"""

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import LanguageClient, client_capabilities
from pytest_lsp.client import register_lsp_features

from specloom.lsp.positions import TextLines, changed
from specloom.lsp.rpc import converter
from tests.forks import FORKS

SPECLOOM = Path(sys.executable).parent / "specloom"
DEADLINE = 40.0
EDITORS = ("visual_studio_code", "neovim@v0.11")
Handler: TypeAlias = Callable[[Any], Any]
_numbers = itertools.count(1)
Manner = Literal["honest", "claims", "refuses", "null", "types over"]


class Editor:
    """One editor with one server process."""

    def __init__(self, root: Path, capabilities: types.ClientCapabilities) -> None:
        self.root = root
        self.capabilities = capabilities
        self.client = LanguageClient(converter_factory=converter)
        self.texts: dict[str, TextLines] = {}
        self.versions: dict[str, int] = {}
        self.undo: dict[str, list[str]] = {}
        self.events: list[dict[str, Any]] = []
        self.output: list[dict[str, Any]] = []
        self.asked: list[types.ShowMessageRequestParams] = []
        self.applied: list[types.ApplyWorkspaceEditParams] = []
        self.refreshed: list[str] = []
        self.saves: list[list[str]] = []
        self.answer: Callable[[types.ShowMessageRequestParams], str | None] = _first_choice
        self.manner: Manner = "honest"
        self.encoding = "utf-16"
        self.server_capabilities = types.ServerCapabilities()
        self._news = asyncio.Event()
        self._register()

    def uri(self, path: str) -> str:
        """Of a file of the root."""
        return (self.root / path).as_uri()

    async def request(self, method: str, params: Any = None) -> Any:
        """The raw answer; errors are raised as `JsonRpcException`."""
        async with asyncio.timeout(DEADLINE):
            return await self.client.protocol.send_request_async(method, params)

    async def refused(self, method: str, params: Any = None) -> JsonRpcException:
        """The error that a request is answered with."""
        try:
            result = await self.request(method, params)
        except JsonRpcException as error:
            return error
        raise AssertionError(f"{method} was answered with {result}")

    async def command(self, name: str, *arguments: Any) -> Any:
        """Runs a command, as a lens or an action does."""
        return await self.request(types.WORKSPACE_EXECUTE_COMMAND, types.ExecuteCommandParams(name, list(arguments)))

    def open(self, path: str, text: str | None = None) -> str:
        """Opens a file; returns its URI."""
        uri = self.uri(path)
        content = (self.root / path).read_bytes().decode() if text is None else text
        self.texts[uri], self.versions[uri], self.undo[uri] = TextLines(content, self.encoding), 1, []
        item = types.TextDocumentItem(uri, "markdown", 1, content)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def type(self, uri: str, text: str, line: int = 0, column: int = 0) -> None:
        """Inserts text at a place, in client units."""
        place = types.Position(line, column)
        self.change(uri, [types.TextDocumentContentChangePartial(types.Range(place, place), text)])

    def replace(self, uri: str, text: str) -> None:
        """Replaces everything."""
        self.change(uri, [types.TextDocumentContentChangeWholeDocument(text)])

    def change(self, uri: str, changes: list[types.TextDocumentContentChangeEvent]) -> None:
        """One undo step."""
        self.undo[uri].append(self.texts[uri].text)
        for change in changes:
            self.texts[uri] = TextLines(changed(self.texts[uri].text, change, self.encoding), self.encoding)
        self.versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(uri=uri, version=self.versions[uri])
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, changes))

    def undo_once(self, uri: str) -> None:
        """Takes the last step back."""
        before = self.undo[uri].pop()
        self.change(uri, [types.TextDocumentContentChangeWholeDocument(before)])
        self.undo[uri].pop()

    def save(self, uri: str) -> None:
        """Writes to disk and says so."""
        path = self.root / uri.removeprefix(self.root.as_uri() + "/")
        path.write_text(self.texts[uri].text, encoding="utf-8", newline="")
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))

    def close(self, uri: str) -> None:
        """Closes a file."""
        del self.texts[uri], self.versions[uri]
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))

    async def lenses(self, uri: str) -> list[types.CodeLens]:
        """The lenses of a document."""
        document = types.TextDocumentIdentifier(uri)
        return list(await self.request(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensParams(document)) or [])

    async def actions(self, uri: str, line: int, only: list[str] | None = None) -> list[dict[str, Any]]:
        """The code actions of a line, as sent: lsprotocol takes an action with a command for a command."""
        place = types.Position(line, 0)
        params = types.CodeActionParams(
            types.TextDocumentIdentifier(uri), types.Range(place, place), types.CodeActionContext([], only=only)
        )
        protocol, identifier = self.client.protocol, f"actions-{next(_numbers)}"
        sent = protocol.send_request(types.TEXT_DOCUMENT_CODE_ACTION, params, msg_id=identifier)
        protocol._result_types.pop(identifier)  # pyright: ignore[reportPrivateUsage] # pygls has no raw answers
        async with asyncio.timeout(DEADLINE):
            return await asyncio.wrap_future(sent) or []

    async def act(self, uri: str, line: int, title: str) -> Any:
        """Runs the code action of that title."""
        found = {action["title"]: action for action in await self.actions(uri, line)}
        assert title in found, list(found)
        chosen = found[title]["command"]
        return await self.command(chosen["command"], *chosen.get("arguments", ()))

    async def subscribe(self, **params: Any) -> int:
        """Hears events from now on, or from `since`."""
        return int((await self.request("specloom/events/subscribe", params))["seq"])

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Waits until something that the server says makes the condition true."""
        try:
            async with asyncio.timeout(DEADLINE):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            kinds = [event["type"] for event in self.events[-15:]]
            raise AssertionError(
                f"not within {DEADLINE:g} s: {what}; last events {kinds}; {self.client.messages}"
            ) from None

    async def event(self, kind: str, **members: Any) -> dict[str, Any]:
        """The first event of that type with these members."""

        def found() -> dict[str, Any] | None:
            matching = (event for event in self.events if event["type"] == kind)
            return next((e for e in matching if all(e[name] == value for name, value in members.items())), None)

        await self.until(found, f"{kind} {members}")
        event = found()
        assert event is not None
        return event

    def diagnostics(self, uri: str) -> list[types.Diagnostic]:
        """What was pushed last."""
        return list(self.client.diagnostics.get(uri, []))

    def _register(self) -> None:
        register_lsp_features(self.client)
        handlers = cast("dict[str, Handler]", self.client.protocol.fm.features)  # pyright: ignore[reportUnknownMemberType]
        for method in (
            types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS,
            types.WORKSPACE_DIAGNOSTIC_REFRESH,
            types.WINDOW_SHOW_MESSAGE,
            types.PROGRESS,
        ):
            handlers[method] = _heard(handlers[method], self._news)
        handlers["specloom/event"] = self._take(self.events)
        handlers["specloom/output"] = self._take(self.output)
        handlers["specloom/document/save"] = self._save_asked
        handlers[types.WINDOW_SHOW_MESSAGE_REQUEST] = self._ask
        handlers[types.WORKSPACE_APPLY_EDIT] = self._apply
        for method in (types.WORKSPACE_CODE_LENS_REFRESH, types.WORKSPACE_INLAY_HINT_REFRESH):
            handlers[method] = self._refresh(method)

    def _take(self, kept: list[dict[str, Any]]) -> Callable[[Any], None]:
        def take(params: Any) -> None:
            kept.append(params)
            self._news.set()

        return take

    def _refresh(self, method: str) -> Callable[[Any], None]:
        def refresh(params: Any) -> None:
            del params
            self.refreshed.append(method)
            self._news.set()

        return refresh

    def _save_asked(self, params: Any) -> dict[str, Any]:
        self.saves.append(params["uris"])
        for uri in params["uris"]:
            self.save(uri)
        return {"saved": params["uris"]}

    def _ask(self, params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
        self.asked.append(params)
        self._news.set()
        chosen = self.answer(params)
        return None if chosen is None else types.MessageActionItem(chosen)

    def _apply(self, params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult | None:
        self.applied.append(params)
        self._news.set()
        if self.manner == "claims":
            return types.ApplyWorkspaceEditResult(applied=True)
        if self.manner == "null":
            return None
        if self.manner == "types over":
            self.manner = "honest"
            for uri in _edits_of(params):
                self.type(uri, "typed meanwhile\n")
        fits = all(version in (None, self.versions.get(uri)) for uri, (version, _) in _edits_of(params).items())
        if self.manner == "refuses" or not fits:
            return types.ApplyWorkspaceEditResult(applied=False, failure_reason="no")
        for uri, (_, edits) in _edits_of(params).items():
            # From the bottom up, so that no edit moves another's place.
            self.change(uri, [types.TextDocumentContentChangePartial(e.range, e.new_text) for e in reversed(edits)])
        return types.ApplyWorkspaceEditResult(applied=True)


def _edits_of(params: types.ApplyWorkspaceEditParams) -> dict[str, tuple[int | None, list[types.TextEdit]]]:
    found: dict[str, tuple[int | None, list[types.TextEdit]]] = {}
    for change in params.edit.document_changes or ():
        assert isinstance(change, types.TextDocumentEdit)
        edits = [edit for edit in change.edits if isinstance(edit, types.TextEdit)]
        found[change.text_document.uri] = (change.text_document.version, edits)
    for uri, edits in (params.edit.changes or {}).items():
        found[uri] = (None, list(edits))
    return found


def _first_choice(params: types.ShowMessageRequestParams) -> str | None:
    return params.actions[0].title if params.actions else None


def _heard(handler: Callable[[Any], Any], news: asyncio.Event) -> Callable[[Any], Any]:
    def hear(params: Any) -> Any:
        news.set()
        return handler(params)

    return hear


@asynccontextmanager
async def editing(
    root: Path | None,
    name: str = EDITORS[0],
    *,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    experimental: Any = None,
    adjust: Callable[[types.ClientCapabilities], None] | None = None,
) -> AsyncGenerator[Editor]:
    """An editor that was started, and at the end leaves nothing pending behind a server that exits with 0."""
    capabilities = client_capabilities(name)
    if experimental is not None:
        capabilities.experimental = experimental
    if adjust is not None:
        adjust(capabilities)
    editor = Editor(root or Path("/"), capabilities)
    await _start(editor, environment or {})
    folders = [types.WorkspaceFolder(root.as_uri(), root.name)] if root else None
    params = types.InitializeParams(
        capabilities=capabilities,
        root_uri=root.as_uri() if root else None,
        workspace_folders=folders,
        initialization_options=None if options is None else dict(options),
    )
    result = await editor.client.initialize_session(params)
    editor.server_capabilities = result.capabilities
    editor.encoding = str(
        getattr(result.capabilities.position_encoding, "value", result.capabilities.position_encoding)
    )
    try:
        yield editor
        futures = editor.client.protocol._request_futures  # pyright: ignore[reportPrivateUsage] # nothing public tells
        pending = [future for future in futures.values() if not future.done()]
        assert not pending, "the server left requests without an answer"
    finally:
        status = await _stopped(editor)
    assert status == 0


async def _start(editor: Editor, environment: Mapping[str, str]) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "SPECLOOM_"))}
    path = os.pathsep.join((str(SPECLOOM.parent), kept.get("PATH", "")))
    own = kept | {"PATH": path} | dict(environment)
    argv = [str(SPECLOOM), "lsp", "--standalone"]
    await editor.client.start_io(  # pyright: ignore[reportUnknownMemberType] # pytest-lsp types none of its rest
        *(FORKS.started(argv) if FORKS.take(own) else argv), env=own
    )


async def _stopped(editor: Editor) -> int | None:
    """The exit status of the server, after an orderly end."""
    async with asyncio.timeout(DEADLINE):
        await editor.client.shutdown_session()
        process = editor.client._server  # pyright: ignore[reportPrivateUsage] # nothing public tells
        status = None if process is None else await process.wait()
        await editor.client.stop()
        if process is not None:
            # Its pipes may be read to their end after the loop has been closed.
            process._transport.close()  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType] # nothing public does
    return status
