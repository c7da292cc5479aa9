"""One connection of the scripted server: routes, errors, streams and the faults that a script wants.

Refuses to decide anything: answers come from `play.py`.
"""

import json
import select
import socket
import time
from collections.abc import Iterable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, cast

from specloom.llm.scripted.play import Played, Refusal
from specloom.llm.scripted.reading import Json
from specloom.llm.scripted.record import RecordedRequest
from specloom.llm.scripted.script import Fault, FaultKind
from specloom.llm.scripted.sizes import parts_of, tokens_of
from specloom.llm.scripted.stream import encode, events_of

if TYPE_CHECKING:
    from specloom.llm.scripted.server import ScriptedServer

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_SLICE_S = 0.05
"""How often a waiting answer looks whether its client is still there."""
_WRITE = 16 * 1024
"""Bytes that are collected before they are sent."""
_GARBAGE = b'event: content_block_delta\ndata: {"type": "content_block_delta", "index"\n\n<html>502</html>\n\n'


class _ClientGoneError(Exception):
    """The other side closed while an answer was under way."""


class _StoppedError(Exception):
    """The server is to end, and this answer with it."""


class ScriptedHandler(BaseHTTPRequestHandler):
    """Bound to its server by a subclass."""

    scripted: "ScriptedServer"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name is the base class's
        """Says nothing: `requests` and `failures` tell more."""

    def handle(self) -> None:
        """Serves until either side closes."""
        try:
            super().handle()
        except (ConnectionError, _ClientGoneError):
            self.scripted.note_disconnect()
            self.close_connection = True
        except _StoppedError:
            self.close_connection = True

    def finish(self) -> None:
        """Closes; what could not be sent is of no use to anybody."""
        try:
            super().finish()
        except ConnectionError:
            self.close_connection = True

    def do_GET(self) -> None:
        """The Models API."""
        path = self.path.partition("?")[0]
        self._record("GET", path, {})
        facts = self.scripted.player.script.model
        model = {
            "type": "model",
            "id": facts.id,
            "display_name": facts.id,
            "created_at": "2026-01-01T00:00:00Z",
            "lifecycle": "active",
            "max_input_tokens": facts.max_input_tokens,
            "max_tokens": facts.max_tokens,
        }
        if not self._key_is_good():
            self._refuse(401, "authentication_error", "invalid x-api-key")
        elif path.endswith("/v1/models"):
            self._reply({"data": [model], "has_more": False, "first_id": facts.id, "last_id": facts.id})
        elif path.endswith(f"/v1/models/{facts.id}"):
            self._reply(model)
        else:
            self._refuse(404, "not_found_error", f"not found: {path}")

    def do_POST(self) -> None:
        """Messages and their tokens."""
        body = self._body()
        path = self.path.partition("?")[0]
        if not self._key_is_good():
            self._record("POST", path, body or {})
            self._refuse(401, "authentication_error", "invalid x-api-key")
        elif body is None:
            self._record("POST", path, {})
            self._refuse(400, "invalid_request_error", "The request body is not valid JSON")
        elif path.endswith("/v1/messages/count_tokens"):
            self._record("POST", path, body)
            self._reply({"input_tokens": sum(map(tokens_of, parts_of(body)))})
        elif path.endswith("/v1/messages"):
            self._answer(path, body)
        else:
            self._record("POST", path, body)
            self._refuse(404, "not_found_error", f"not found: {path}")

    def _answer(self, path: str, body: Json) -> None:
        played = self.scripted.player.answer(body)
        self._record("POST", path, body, played)
        if isinstance(played, Refusal):
            self._refuse(played.status, played.type, played.message)
            return
        self._pause(played.branch.delay_s)
        if played.branch.hold is not None and not played.branch.hold_after_events:
            self._hold(played.branch.hold)
        fault = played.fault
        if fault is not None and fault.kind is FaultKind.STATUS:
            self._refuse(int(fault.amount), fault.type, fault.message or "as the script says", fault)
        elif fault is not None and fault.kind is FaultKind.CLOSE:
            self._break()
        elif body.get("stream"):
            self._stream(played)
        else:
            self._reply(played.message)

    def _stream(self, played: Played) -> None:
        events = [encode(event) for event in events_of(played.message, played.branch, self.scripted.delta_chars)]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        fault = played.fault
        if fault is None:
            self._send_held(events, played)
        elif fault.kind is FaultKind.CUT_AFTER_BYTES:
            self._send([b"".join(events)[: int(fault.amount)]])
            self._break()
            return
        elif fault.kind is FaultKind.CUT_AFTER_EVENTS:
            self._send(events[: int(fault.amount)])
            self._break()
            return
        else:
            self._send(events[: fault.after_events])
            self._send(self._interlude(fault, events[fault.after_events :]))
        self._write(b"0\r\n\r\n")

    def _interlude(self, fault: Fault, rest: list[bytes]) -> list[bytes]:
        """What follows where the fault sets in."""
        if fault.kind is FaultKind.STALL_S:
            self.wfile.flush()
            self._pause(fault.amount)
            return rest
        if fault.kind is FaultKind.GARBAGE:
            return [_GARBAGE]
        error = {"type": fault.type, "message": fault.message or "as the script says"}
        return [encode(("error", {"error": error}))]

    def _send_held(self, events: list[bytes], played: Played) -> None:
        """All events, with the stop at a gate that the script asks for."""
        after = played.branch.hold_after_events
        if played.branch.hold is not None and after:
            self._send(events[:after])
            self._hold(played.branch.hold)
            events = events[after:]
        self._send(events)

    def _send(self, events: Iterable[bytes]) -> None:
        """Few writes unless a pace is set; each event is a chunk of its own unless they are to be coalesced."""
        waiting: list[bytes] = []
        size = 0
        for event in events:
            waiting.append(event)
            size += len(event)
            if self.scripted.pace_s or size > _WRITE:
                self._write_chunks(waiting)
                self._pause(self.scripted.pace_s)
                waiting, size = [], 0
        self._write_chunks(waiting)

    def _write_chunks(self, events: list[bytes]) -> None:
        chunks = [b"".join(events)] if self.scripted.coalesce else events
        self._write(b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks if chunk))

    def _write(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def _pause(self, seconds: float) -> None:
        """Waits, unless the server stops or the client goes."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.scripted.stopping.wait(min(left, _SLICE_S))
            self._look()

    def _hold(self, gate: str) -> None:
        while not self.scripted.pass_gate(gate, _SLICE_S):
            self._look()
        self._look()

    def _look(self) -> None:
        """Raises if either side is to end."""
        if self.scripted.stopping.is_set():
            raise _StoppedError
        if select.select([self.connection], [], [], 0)[0] and not self.connection.recv(1, socket.MSG_PEEK):
            raise _ClientGoneError

    def _break(self) -> None:
        """Ends the connection in the middle, as a network does."""
        self.close_connection = True

    def _refuse(self, status: int, kind: str, message: str, fault: Fault | None = None) -> None:
        error = {"type": kind or _TYPES.get(status, "api_error"), "message": message}
        headers = {
            name: value
            for name, value in (
                ("retry-after", fault.retry_after if fault else None),
                ("location", fault.location if fault else None),
            )
            if value is not None
        }
        self._reply({"type": "error", "error": error}, status, headers)

    def _reply(self, body: Json, status: int = 200, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self._write(data)

    def _body(self) -> Json | None:
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body: object = json.loads(data)
        except ValueError:
            return None
        return cast("Json", body) if isinstance(body, dict) else None

    def _record(self, method: str, path: str, body: Json, played: Played | Refusal | None = None) -> None:
        request = RecordedRequest(method, path, self._headers(), body, self.client_address[1])
        if isinstance(played, Played):
            request = replace(request, session=played.session, turn=played.turn, repeat=played.repeat)
        self.scripted.note(request)

    def _headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _key_is_good(self) -> bool:
        sent = self._headers().get("authorization", "").removeprefix("Bearer ") or self.headers.get("x-api-key") or ""
        return sent == self.scripted.key if self.scripted.key is not None else bool(sent)
