"""A client of the daemon on an event loop: orders of one line, and JSON-RPC in frames. Refuses to know any method.

For the command line; knows neither pygls nor lsprotocol.
"""

import asyncio
import itertools
import json
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias, cast

from specloom.daemon.errors import NoDaemonError
from specloom.daemon.hello import Answer, Hello, Met, Want, here, meet
from specloom.daemon.place import DaemonPlace, place_of
from specloom.daemon.starting import attach, wait_until_free

REQUEST_DEADLINE = 60.0
STOP_DEADLINE = 90.0
"""Seconds in which a daemon pauses and settles what runs."""
LONGEST_MESSAGE = 64 * 1024 * 1024
Notified: TypeAlias = Callable[[str, Any], None]
Asked: TypeAlias = Callable[[str, Any], Any]


class RefusedError(Exception):
    """The daemon answered with an error; `data` as the protocol has it (`reason`, `suggestions`, `fields`)."""

    def __init__(self, code: int, message: str, data: Any) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class DaemonClient:
    """One LSP connection to the daemon; made by `connected`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
        self.answer = answer
        """To the hello."""
        self.ended = asyncio.Event()
        """Set when the daemon ended the connection."""
        self.on_notification: Notified = _passed_over
        """Called with the method and parameters of each notification; must return at once."""
        self.on_request: Asked = _declined
        """Called with the method and parameters of each request of the daemon; returns the result at once."""
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def initialize(self, root: Path, capabilities: Mapping[str, Any] | None = None) -> Any:
        """The handshake with one root; the server's capabilities."""
        params = {
            "processId": os.getpid(),
            "clientInfo": {"name": "specloom"},
            "rootUri": root.as_uri(),
            "workspaceFolders": [{"uri": root.as_uri(), "name": root.name}],
            "capabilities": dict(capabilities or {}),
        }
        result = await self.request("initialize", params)
        await self.notify("initialized", {})
        return result

    async def request(self, method: str, params: Any = None, deadline: float = REQUEST_DEADLINE) -> Any:
        """The result. Raises `RefusedError`, `NoDaemonError` when the connection ends, `TimeoutError`."""
        if self.ended.is_set():
            raise NoDaemonError("the daemon ended the connection")
        number = next(self._numbers)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            await self._send({"id": number, "method": method, "params": params})
            async with asyncio.timeout(deadline):
                return await future
        except TimeoutError as error:
            message = f"the daemon has not answered within {deadline:g} s; see `specloom daemon status`, then try again"
            raise TimeoutError(message) from error
        finally:
            self._waiting.pop(number, None)

    async def notify(self, method: str, params: Any = None) -> None:
        """Sends a notification. Raises `NoDaemonError` when the connection has ended."""
        await self._send({"method": method, "params": params})

    async def read(self) -> None:
        """Takes what comes until the connection ends; `connected` runs it."""
        try:
            while (message := await self._next()) is not None:
                await self._take(message)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            return
        finally:
            self.ended.set()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(NoDaemonError("the daemon ended the connection"))

    async def leave(self) -> None:
        """Tells the daemon that this client goes; what it started goes on."""
        if not self.ended.is_set():
            await self.request("shutdown")
            await self.notify("exit")

    async def _next(self) -> dict[str, Any] | None:
        length = 0
        while (line := await self._reader.readline()).endswith(b"\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
            if not line.strip():
                if not 0 < length <= LONGEST_MESSAGE:
                    return None
                message: object = json.loads(await self._reader.readexactly(length))
                return cast("dict[str, Any]", message) if isinstance(message, dict) else None
        return None

    async def _take(self, message: dict[str, Any]) -> None:
        method, number = message.get("method"), message.get("id")
        if isinstance(method, str) and number is None:
            self.on_notification(method, message.get("params"))
        elif isinstance(method, str):
            await self._send({"id": number, "result": self.on_request(method, message.get("params"))})
        elif isinstance(number, int) and (future := self._waiting.get(number)) is not None and not future.done():
            _settle(future, message)

    async def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        try:
            self._writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            await self._writer.drain()
        except OSError as error:
            raise NoDaemonError("the daemon ended the connection") from error


def _settle(future: "asyncio.Future[Any]", message: dict[str, Any]) -> None:
    error: object = message.get("error")
    if isinstance(error, dict):
        told = cast("dict[str, Any]", error)
        future.set_exception(RefusedError(int(told.get("code", 0)), str(told.get("message", "")), told.get("data")))
    else:
        future.set_result(message.get("result"))


@asynccontextmanager
async def connected(environment: Mapping[str, str], *, start: bool = True) -> AsyncGenerator[DaemonClient]:
    """A connection for the time of the context; `start`: also starts a daemon if there is none.

    Raises `NoDaemonError`, and `OSError` where locks cannot be had. At the end the connection is closed, which stops
    no work.
    """
    met = await asyncio.to_thread(_met, environment, start=start)
    met.connection.setblocking(False)
    reader, writer = await asyncio.open_unix_connection(sock=met.connection)
    client = DaemonClient(reader, writer, met.answer)
    reading = asyncio.create_task(client.read(), name="daemon client")
    try:
        yield client
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        writer.close()


def _met(environment: Mapping[str, str], *, start: bool) -> Met:
    place = place_of(environment)
    hello = Hello(here(), environment)
    if start:
        return attach(place, hello, environment)
    for at in living(place):
        if (met := meet(str(at.socket), hello)) is not None:
            return met
    raise NoDaemonError("no daemon is running; it starts with the first editor, or with `specloom daemon`")


def living(place: DaemonPlace) -> tuple[DaemonPlace, ...]:
    """The places of this installation where a daemon may be met: its own version first."""
    return (place, *place.others())


async def order(environment: Mapping[str, str], want: Want, *, force: bool = False) -> Answer | None:
    """Asks a daemon that is up, of any version, for one line; `None`: none is.

    Returns from a `stop` that was granted when the daemon is gone. Raises `NoDaemonError`, `OSError`.
    """
    return await asyncio.to_thread(_order, environment, want, force)


def _order(environment: Mapping[str, str], want: Want, force: bool) -> Answer | None:
    for place in living(place_of(environment)):
        met = meet(str(place.socket), Hello("/", {}, want, force))
        if met is None:
            continue
        met.connection.close()
        if want == "stop" and met.answer.ok and not wait_until_free(place, STOP_DEADLINE):
            raise NoDaemonError(f"the daemon (pid {met.answer.members.get('pid')}) has not ended; end it by its pid")
        return met.answer
    return None


def _passed_over(method: str, params: Any) -> None:
    del method, params


def _declined(method: str, params: Any) -> Any:
    del method, params
