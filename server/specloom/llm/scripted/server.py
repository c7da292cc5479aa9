"""The scripted model as an HTTP server on 127.0.0.1, in threads of its own. Refuses any other address.

Zero-latency by default: what a client spends on its own is not hidden behind a slow fake.
"""

import asyncio
import socket
import threading
from collections import deque
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from specloom.llm.scripted.handler import ScriptedHandler
from specloom.llm.scripted.load import ScriptSource, load_scripts
from specloom.llm.scripted.play import Player
from specloom.llm.scripted.record import RecordedRequest
from specloom.llm.scripted.script import ScriptError

KEPT_REQUESTS = 64


class ScriptedServer:
    """Plays scripts while it is entered: `with ScriptedServer("demo.json") as server: server.base_url`.

    On an event loop enter it with `async with` and wait with `until`: nothing of it then blocks the loop.

    Args:
        sources: script files, or their content as objects; merged.
        port: 0 takes a free one.
        delta_chars: characters of a streamed delta.
        pace_s: seconds between two events, for an answer that people watch.
        coalesce: whether one HTTP chunk holds many events, as behind some proxies, and not one.
        key: the only key that is taken; any other gets 401. `None` takes all, but none at all.
        keep: how many requests stay in `requests`; `None` keeps all of them.
    """

    def __init__(
        self,
        *sources: ScriptSource,
        port: int = 0,
        delta_chars: int = 48,
        pace_s: float = 0.0,
        coalesce: bool = False,
        key: str | None = None,
        keep: int | None = KEPT_REQUESTS,
    ) -> None:
        self.player = Player(load_scripts(sources))
        self.delta_chars = delta_chars
        self.pace_s = pace_s
        self.coalesce = coalesce
        self.key = key
        self.requests: deque[RecordedRequest] = deque(maxlen=keep)
        self.total = 0
        """How many requests for messages came in all."""
        self.repeats = 0
        self.disconnected = 0
        """How many clients went away before their answer ended."""
        self.stopping = threading.Event()
        self._port = port
        self._changed = threading.Condition()
        self._open: set[str] = set()
        self._http: _HttpServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    @property
    def base_url(self) -> str:
        """What a client is given."""
        if self._http is None:
            raise ScriptError("the scripted server is not started")
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def failures(self) -> list[str]:
        """What was asked for and not foreseen, or against the laws of the API."""
        return list(self.player.failures)

    def start(self) -> None:
        """Listens from now on. Raises `OSError` if the port is taken."""
        self._http = _HttpServer(self, self._port)
        self._thread = threading.Thread(target=self._http.accept, name="scripted-model")
        self._thread.start()

    def stop(self) -> None:
        """Ends every connection and thread; answers that wait are cut."""
        self.stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._http is not None and self._thread is not None:
            # `accept` looks whether it is to stop when somebody connects
            socket.create_connection(("127.0.0.1", self._http.server_port)).close()
            self._thread.join()
            self._http.close_connections()
            self._http.server_close()

    def unused(self) -> list[str]:
        """The turns that nobody asked for."""
        return self.player.unused()

    def check(self) -> None:
        """Raises `ScriptError` unless everything went as written and all of it was played."""
        lines = [*self.failures, *(f"never asked: {turn}" for turn in self.unused())]
        if lines:
            raise ScriptError("the play did not go as written:\n" + "\n".join(lines))

    def release(self, gate: str) -> None:
        """Lets the answers go on that wait at `hold: gate`, now and later."""
        with self._changed:
            self._open.add(gate)
            self._changed.notify_all()

    def wait(self, condition: Callable[["ScriptedServer"], bool], timeout: float = 20.0) -> bool:
        """Waits until `condition` holds, which is looked at after each request, answer and break."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), timeout)

    async def until(self, condition: Callable[["ScriptedServer"], bool], timeout: float = 20.0) -> bool:
        """As `wait`, for callers on an event loop."""
        return await asyncio.to_thread(self.wait, condition, timeout)

    def note(self, request: RecordedRequest) -> None:
        """Records a request; for the handler."""
        with self._changed:
            self.requests.append(request)
            self.total += request.path.endswith("/v1/messages")
            self.repeats += request.repeat
            self._changed.notify_all()

    def note_disconnect(self) -> None:
        """Counts a client that went away; for the handler."""
        with self._changed:
            self.disconnected += 1
            self._changed.notify_all()

    def pass_gate(self, gate: str, slice_s: float) -> bool:
        """Waits at most `slice_s` for `gate`; whether it is open. For the handler."""
        with self._changed:
            return self._changed.wait_for(lambda: gate in self._open or self.stopping.is_set(), slice_s)


class _HttpServer(ThreadingHTTPServer):
    """Knows its open connections, so that a stop can end those that are kept alive."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, scripted: ScriptedServer, port: int) -> None:
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopping = scripted.stopping
        super().__init__(("127.0.0.1", port), _handler_for(scripted))

    def accept(self) -> None:
        """In place of `serve_forever`, which wakes up all the time: that CPU would count as the client's."""
        while True:
            request, address = self.get_request()
            if self._stopping.is_set():
                request.close()
                return
            self.process_request(request, address)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        if isinstance(request, socket.socket):
            with self._lock:
                self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            with self._lock:
                self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Wakes every thread that waits for the next request on a kept connection."""
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    # Already gone, which is what is wanted
                    continue


def _handler_for(scripted: ScriptedServer) -> type[ScriptedHandler]:
    return type("BoundHandler", (ScriptedHandler,), {"scripted": scripted})
