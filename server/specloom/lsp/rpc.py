"""JSON-RPC as we speak it: pygls' protocol without its traps. Refuses to end the process and to leave a request open.

Custom parameters stay the dicts that came; each request gets exactly one answer, whatever state the connection is in.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from cattrs import Converter
from lsprotocol import types
from pygls.capabilities import ServerCapabilitiesBuilder
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
    JsonRpcParseError,
    JsonRpcServerNotInitialized,
)
from pygls.lsp.server import LanguageServer
from pygls.protocol import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    JsonRPCResponseMessage,
    LanguageServerProtocol,
    default_converter,
)

from specloom.lsp.capabilities import server_capabilities
from specloom.lsp.frames import answered

if TYPE_CHECKING:
    from specloom.lsp.protocol import Wire

Handler: TypeAlias = Callable[[Any], Any]
BEFORE_INITIALIZE = {types.INITIALIZE, types.EXIT}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A result that is JSON already."""

    data: bytes

    @classmethod
    def of(cls, result: "Wire") -> "Encoded":
        """What is sent of a result."""
        try:
            return cls(result.model_dump_json(by_alias=True).encode())
        except ValueError:
            # A name of a file that is no UTF-8, which only escapes can tell of.
            return cls(json.dumps(result.model_dump(mode="json", by_alias=True)).encode())


def _ignored(_: object) -> None:
    return


def parse_error(message: str) -> JsonRpcException:
    """What came is no message."""
    return JsonRpcParseError(message)


@cache
def converter() -> Converter:
    """The converter of pygls, except that what it does not know stays as it came.

    One for all connections: making one, and the code that it generates for each type, takes tens of milliseconds.
    """
    made = default_converter()
    for kind in (JsonRPCRequestMessage, JsonRPCNotification, JsonRPCResponseMessage):
        made.register_structure_hook(kind, _as_it_came)
    return made


def _as_it_came(data: dict[str, Any], kind: type) -> Any:
    fields = {name: data.get(name) for name in ("id", "method", "params", "result", "jsonrpc")}
    return kind(**{name: value for name, value in fields.items() if name in kind.__annotations__})


class SpecloomProtocol(LanguageServerProtocol):
    """One connection's protocol."""

    def __init__(self, server: LanguageServer, made: Converter) -> None:
        super().__init__(server, made)
        self.handlers: dict[str, Handler] = {
            types.INITIALIZE: self._initialize,
            types.SHUTDOWN: self._shut_down,
            types.EXIT: self._exit,
        }
        """By method; each takes the parameters. Coroutine functions run as tasks and can be cancelled by the client."""
        self.on_initialize: Callable[[types.InitializeParams], None] = _ignored
        self.on_exit: Callable[[int], None] = _ignored
        """Called with the exit status that the client is owed."""
        self.encoding: str = types.PositionEncodingKind.Utf16.value
        """Of positions, as negotiated."""
        self.client_name = ""
        """As it calls itself, if it does."""
        self._initialized = False

    def receive(self, body: bytes) -> None:
        """Takes one frame's body; answers what is no message."""
        try:
            message: object = json.loads(body)
        except (ValueError, RecursionError) as error:
            self.refuse(None, JsonRpcParseError(f"the message is not JSON: {error}"))
            return
        if not isinstance(message, dict):
            self.refuse(None, JsonRpcInvalidRequest("a message is one JSON object; batches are not part of LSP"))
            return
        self._receive_object(cast("dict[str, Any]", message))

    def _receive_object(self, message: dict[str, Any]) -> None:
        is_request = "method" in message and "id" in message
        fault = self._fault_of(message)
        if fault is not None:
            if is_request or not ("result" in message or "error" in message or "method" in message):
                self.refuse(message.get("id"), fault)
            return
        if not is_request and "method" not in message and message.get("id") not in self._request_futures:
            # An answer to nothing that we asked, or one too late: its type is unknown, and nobody waits.
            return
        identifier = message.get("id")
        try:
            structured = self.structure_message(message)
        except JsonRpcException:
            self._settle_malformed(identifier, is_request, message)
            return
        self._initialized = self._initialized or message.get("method") == types.INITIALIZE
        self.handle_message(cast("Any", structured))

    def _fault_of(self, message: dict[str, Any]) -> JsonRpcException | None:
        """Why a message cannot be handled now."""
        method = message.get("method", "")
        if message.get("jsonrpc") != "2.0" or not isinstance(method, str):
            return JsonRpcInvalidRequest('a message has "jsonrpc": "2.0" and a method, or an id and a result')
        if not isinstance(message.get("id", ""), str | int) or isinstance(message.get("id"), bool):
            return JsonRpcInvalidRequest("an id is a string or an integer")
        if not method:
            return None if "id" in message else JsonRpcInvalidRequest("a message has a method, or an id and a result")
        if not self._initialized and method not in BEFORE_INITIALIZE:
            return JsonRpcServerNotInitialized("send initialize first")
        if self._initialized and method == types.INITIALIZE:
            return JsonRpcInvalidRequest("initialize was sent before")
        if self._shutdown and method != types.EXIT:
            return JsonRpcInvalidRequest("the connection was shut down; only exit may follow")
        return None

    def _settle_malformed(self, identifier: Any, is_request: bool, message: dict[str, Any]) -> None:
        """Parameters, or an answer to a request of ours, that do not have the shape the protocol gives them."""
        if is_request:
            self.refuse(identifier, JsonRpcInvalidParams(f"{message['method']}: the parameters have the wrong shape"))
            return
        future = self._request_futures.pop(identifier, None)
        if future is not None and not future.done():
            future.set_exception(JsonRpcInvalidParams("the client's answer has the wrong shape"))

    def refuse(self, identifier: Any, error: JsonRpcException) -> None:
        """Answers with an error; `None` when it is not known what is answered."""
        known = identifier if isinstance(identifier, str | int) and not isinstance(identifier, bool) else None
        told = {"code": error.code, "message": error.message}
        # As a dict: lsprotocol leaves out an id that is null, and JSON-RPC wants it.
        self._send_data({"jsonrpc": "2.0", "id": known, "error": told})

    def _send_response(self, msg_id: int | str, result: Any = None, error: types.ResponseError | None = None) -> None:
        """As it is, if it is encoded: pygls takes results apart, 10,000 tasks in half a second of the loop."""
        if error is None and isinstance(result, Encoded) and self.writer is not None:
            self._result_types.pop(msg_id, None)
            self.writer.write(answered(msg_id, result.data))
        else:
            super()._send_response(msg_id, result, error)

    def abandon(self) -> None:
        """Cancels every request in either direction: the connection ends."""
        for future in list(self._request_futures.values()):
            if not future.done():
                future.cancel()

    def forget(self, identifier: str) -> None:
        """A request of ours that nobody waits for any more."""
        self._request_futures.pop(identifier, None)
        self._result_types.pop(identifier, None)

    def _get_handler(self, feature_name: str) -> Any:
        """Ours alone: pygls' own ones end the process, split lines where LSP does not, and know no raw parameters."""
        handler = self.handlers.get(feature_name)
        if handler is None:
            raise JsonRpcMethodNotFound.of(feature_name)
        return handler

    def _initialize(self, params: types.InitializeParams) -> types.InitializeResult:
        self.client_capabilities = params.capabilities
        self.client_name = params.client_info.name if params.client_info else ""
        encoding = ServerCapabilitiesBuilder.choose_position_encoding(params.capabilities)
        self.encoding = types.PositionEncodingKind(encoding).value
        self.server_capabilities = server_capabilities(params.capabilities, self.encoding)
        self.on_initialize(params)
        return types.InitializeResult(self.server_capabilities, self.server_info)

    def _shut_down(self, _: object) -> None:
        current = self.msg_id
        for identifier, future in list(self._request_futures.items()):
            if identifier != current and not future.done():
                future.cancel()
        self._shutdown = True

    def _exit(self, _: object) -> None:
        self.on_exit(0 if self._shutdown else 1)
