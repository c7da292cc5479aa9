"""From a message to its handler and back: validation in one place, refusals as errors with data.

Refuses to load anything before `initialize` is answered: features are imported by the first message that needs them.
"""

import asyncio
import importlib
import inspect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError, JsonRpcInvalidParams

from specloom.lsp.capabilities import registers_configuration, watches_files
from specloom.lsp.connection import LOG, ConnectedRoot, Connection, places_at
from specloom.lsp.editor_settings import SECTION
from specloom.lsp.loading import loaded
from specloom.lsp.names import COMMANDS, REQUESTS
from specloom.lsp.rpc import Encoded
from specloom.lsp.uris import uri_of_file

if TYPE_CHECKING:
    from specloom.lsp.opening import Opening
    from specloom.lsp.serving import Serving
    from specloom.lsp.uris import Places

REGISTER_DEADLINE = 10.0
WATCHING = "specloom.files"
FOLLOWED = (
    "**/requirements.md",
    "**/{specs,.kiro,.specify}/**/*.md",
    "**/AGENTS.md",
    "**/specloom.toml",
    "**/.env",
)
"""What a client tells of that offers it: its watcher may reach further than this machine, as on a network."""
OPEN_DEADLINE = 60.0
"""Seconds that a request waits for its root to be opened."""
STANDARD = (
    types.TEXT_DOCUMENT_CODE_LENS,
    types.TEXT_DOCUMENT_CODE_ACTION,
    types.TEXT_DOCUMENT_HOVER,
    types.TEXT_DOCUMENT_DEFINITION,
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL,
    types.TEXT_DOCUMENT_INLAY_HINT,
    types.TEXT_DOCUMENT_DIAGNOSTIC,
)


class RequestFailedError(JsonRpcException):
    """An order was refused; `data` has `reason` and `suggestions`."""

    CODE = types.LSPErrorCodes.RequestFailed.value
    MESSAGE = "Request Failed"


class Dispatcher:
    """Answers the requests of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._openings: dict[ConnectedRoot, Opening] = {}

    def register(self) -> None:
        """Puts every handler of this floor into the protocol's table."""
        connection, handlers = self._connection, self._connection.protocol.handlers
        buffers = connection.buffers
        handlers[types.INITIALIZED] = self._initialized
        handlers[types.TEXT_DOCUMENT_DID_OPEN] = lambda params: buffers.open(params.text_document)
        handlers[types.TEXT_DOCUMENT_DID_CHANGE] = buffers.change
        handlers[types.TEXT_DOCUMENT_DID_SAVE] = self._saved
        handlers[types.TEXT_DOCUMENT_DID_CLOSE] = lambda params: buffers.close(params.text_document.uri)
        handlers[types.WORKSPACE_DID_CHANGE_CONFIGURATION] = self._configured
        handlers[types.WORKSPACE_DID_CHANGE_WATCHED_FILES] = self._files_changed
        handlers[types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS] = self._folders_changed
        handlers[types.WINDOW_WORK_DONE_PROGRESS_CANCEL] = self._cancel_progress
        handlers[types.WORKSPACE_EXECUTE_COMMAND] = self._execute
        for method in STANDARD:
            handlers[method] = self._standard(method)
        for method in REQUESTS:
            handlers[method] = self._custom(method)

    async def close(self) -> None:
        """Ends what was opened."""
        for opening in self._openings.values():
            await opening.close()

    async def _initialized(self, _: object) -> None:
        outgoing = self._connection.outgoing
        if self._connection.notice:
            outgoing.show(types.MessageType.Warning, self._connection.notice)
        wanted: list[types.Registration] = []
        if registers_configuration(outgoing.capabilities):
            wanted.append(types.Registration(SECTION, types.WORKSPACE_DID_CHANGE_CONFIGURATION, {"section": SECTION}))
        if watches_files(outgoing.capabilities):
            options = {"watchers": [{"globPattern": pattern} for pattern in FOLLOWED]}
            wanted.append(types.Registration(WATCHING, types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options))
        if wanted:
            asked = outgoing.request(
                types.CLIENT_REGISTER_CAPABILITY, types.RegistrationParams(wanted), REGISTER_DEADLINE
            )
            self._connection.start(asked, "register for settings and files")
        await asyncio.gather(*(self._open(root) for root in self._connection.roots))

    async def _configured(self, params: types.DidChangeConfigurationParams) -> None:
        for root in tuple(self._connection.roots):
            opening = await self._opener(root)
            await opening.configure(params.settings)

    async def _files_changed(self, params: types.DidChangeWatchedFilesParams) -> None:
        """A hint to look: what our own watcher told already is no news, so that nothing is told twice."""
        for root in {self._connection.root_at(change.uri) for change in params.changes}:
            if root is not None and root.serving.done() and not _is_unhosted(serving := await _serving(root)):
                await serving.runtime.look()

    async def _folders_changed(self, params: types.DidChangeWorkspaceFoldersParams) -> None:
        """Closes the roots that the client dropped, and opens those that it added."""
        gone, come = self._connection.change_roots(params.event)
        for root in gone:
            opening = self._openings.pop(root, None)
            if opening is not None:
                await opening.close()
        await asyncio.gather(*(self._open(root) for root in come))

    async def _open(self, root: ConnectedRoot) -> "Serving":
        opening = await self._opener(root)
        return await opening.open()

    async def _opener(self, root: ConnectedRoot) -> "Opening":
        if root not in self._openings:
            module = await _loaded("specloom.lsp.opening")
            # Another task may have been here while the module was loaded.
            self._openings.setdefault(root, module.Opening(self._connection, root))
        return self._openings[root]

    def _saved(self, params: types.DidSaveTextDocumentParams) -> None:
        self._connection.buffers.save(params.text_document.uri)
        root = self._connection.root_at(params.text_document.uri)
        if root is not None and params.text_document.uri.endswith("/specloom.toml") and root.serving.done():
            # Without a runtime, mended settings may be what was missing.
            self._connection.start(self._open(root), "open again")

    def _cancel_progress(self, params: types.WorkDoneProgressCancelParams) -> None:
        cancel = self._connection.cancellable.pop(params.token, None)
        if cancel is not None:
            cancel()

    def _standard(self, method: str) -> Callable[[Any], Any]:
        async def answer(params: Any) -> Any:
            roots = self._connection.roots
            root = self._connection.root_at(params.text_document.uri) or (roots[0] if len(roots) == 1 else None)
            if root is None:
                return _nothing_for(method)
            serving = await _serving(root)
            handlers = await _loaded("specloom.lsp.handlers")
            if _is_unhosted(serving):
                return _nothing_for(method)
            result = handlers.STANDARD[method](serving, params)
            return await result if inspect.isawaitable(result) else result

        return answer

    def _custom(self, method: str) -> Callable[[Any], Any]:
        async def answer(params: Any) -> Any:
            return await self.call(method, params)

        return answer

    async def _execute(self, params: types.ExecuteCommandParams) -> Any:
        method = COMMANDS.get(params.command)
        if method is None:
            raise JsonRpcInvalidParams(f"{params.command!r} is no command of Specloom")
        arguments = list(params.arguments or ())
        if len(arguments) > 1:
            fields = [{"field": "arguments", "message": f"one object is expected, got {len(arguments)}"}]
            raise JsonRpcInvalidParams(f"{params.command}: wrong arguments", data={"fields": fields})
        return await self.call(method, arguments[0] if arguments else None)

    async def call(self, method: str, raw: Any) -> Any:
        """Validates, hands over, and answers in wire form. Raises errors of JSON-RPC alone."""
        protocol = await _loaded("specloom.lsp.protocol")
        methods = await _loaded("specloom.lsp.methods")
        params = protocol.read_params(methods.METHODS[method].params, raw)
        if isinstance(params, protocol.InvalidParamsData):
            told = "; ".join(f"{fault.field or 'parameters'}: {fault.message}" for fault in params.fields)
            raise JsonRpcInvalidParams(f"{method}: {told}", data=protocol.to_json(params))
        return await self._carry_out(method, params)

    async def _carry_out(self, method: str, params: Any) -> Any:
        handlers = await _loaded("specloom.lsp.handlers")
        protocol = await _loaded("specloom.lsp.protocol")
        root = self._named(params)
        serving: Any = await _serving(root)
        if method in handlers.ORDERS and _is_unhosted(serving):
            # What stood in the way may be gone: another process ended, settings were mended.
            serving = await self._open(root)
            if _is_unhosted(serving):
                raise _refused(serving.refusal)
        handler = handlers.ORDERS.get(method) or handlers.READS[method]
        try:
            result = await handler(serving, params)
        except JsonRpcException:
            raise
        except Exception as error:
            # The request guard: a bug of ours, or a disk that fails, is an answer too, without a trace in it.
            LOG.exception("%s failed", method)
            told = await _folder_is_gone(serving.places) or " ".join(str(error).split()) or type(error).__name__
            raise JsonRpcInternalError(f"{method}: {told}") from error
        if not isinstance(result, protocol.Wire):
            raise _refused(result)
        return Encoded.of(result)

    def _named(self, params: Any) -> ConnectedRoot:
        """The root that an order means: by `root`, else by its document, else the only one."""
        roots, name = self._connection.roots, getattr(params, "root", None)
        uri = getattr(params, "uri", None)
        if name is None and isinstance(uri, str) and (holding := self._connection.root_at(uri)) is not None:
            return holding
        if name is None and len(roots) == 1:
            return roots[0]
        found = next((root for root in roots if _is_called(root, name)), None)
        if found is not None:
            return found
        known = [uri_of_file(root.named) for root in roots if root.named]
        why = f"there is no root {name!r} here" if name is not None else "this client has several roots"
        told = {"reason": "root-needed" if name is None else "unknown-root", "suggestions": known}
        raise RequestFailedError(f"{why}; set `root` to one of {', '.join(known) or 'none'}", data=told)


async def _folder_is_gone(places: "Places | None") -> str:
    """What all faults come to where the root itself was moved or removed; empty where it was not."""
    if places is None or await asyncio.to_thread(places.root.is_dir):
        return ""
    return f"the folder {places.root} is not there any more; restore it, or open the one that it is now"


async def _serving(root: ConnectedRoot) -> Any:
    try:
        async with asyncio.timeout(OPEN_DEADLINE):
            return await asyncio.shield(root.serving)
    except TimeoutError as error:
        raise RequestFailedError("the root is still being opened; try again") from error


def _is_called(root: ConnectedRoot, name: str | None) -> bool:
    """Whether that is the URI of the root, or the id of its project."""
    if name is None or root.places is None:
        return False
    if (named := places_at(name)) is not None and named.named in (root.named, str(root.places.root)):
        return True
    state: Any = root.serving.result().state if root.serving.done() else None
    return state is not None and state.id == name


_MODULES: dict[str, Any] = {}


async def _loaded(name: str) -> Any:
    """The module, imported on a thread at its first use: some of them take a hundred milliseconds.

    Not looked up in `sys.modules`, where one that is half made stands too.
    """
    if name not in _MODULES:
        _MODULES[name] = await loaded(partial(importlib.import_module, name))
    return _MODULES[name]


def _is_unhosted(serving: Any) -> bool:
    return hasattr(serving, "refusal")


def _nothing_for(method: str) -> Any:
    if method == types.TEXT_DOCUMENT_DIAGNOSTIC:
        return types.RelatedFullDocumentDiagnosticReport([])
    return None


def _refused(refusal: Any) -> RequestFailedError:
    data = {"reason": refusal.code, "suggestions": list(refusal.suggestions)}
    return RequestFailedError(refusal.message, data=data)
