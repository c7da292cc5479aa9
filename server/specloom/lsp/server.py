"""Serves the protocol: one connection on any pair of streams, or this process's own on standard input and output.

Refuses to end a process that hosts other connections, and to let one connection's faults reach another.
"""

import asyncio
import itertools
import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from pygls.exceptions import FeatureRequestError, JsonRpcException, PyglsError
from pygls.lsp.server import LanguageServer

from specloom import __version__
from specloom.logs.setup import write_logs
from specloom.lsp.client_process import outlived
from specloom.lsp.connection import LOG, Connection
from specloom.lsp.dispatch import Dispatcher
from specloom.lsp.frames import BadFrame, EndOfInput, Outbox, Reader, drained, read_frame
from specloom.lsp.rpc import SpecloomProtocol, converter, parse_error
from specloom.lsp.stdio import Send, reader_of, sender_of

if TYPE_CHECKING:
    from specloom.lsp.hosting import Host
    from specloom.lsp.standalone import Composition

FLUSH_DEADLINE = 5.0
CLOSE_DEADLINE = 30.0
_numbers = itertools.count(1)


class SpecloomServer(LanguageServer):
    """What pygls needs beside a protocol: it only reports."""

    def report_server_error(self, error: Exception, source: type[PyglsError] | type[JsonRpcException]) -> None:
        """Bugs go to the log, not into a person's face; failed requests have been answered."""
        if source is not FeatureRequestError:
            LOG.error("%s: %s", source.__name__, error)


async def serve_connection(
    host: "Callable[[], Host]",
    reader: Reader,
    send: Send,
    *,
    follow: int | None = None,
    notice: str = "",
    stall: float | None = None,
) -> int:
    """Serves one client until it exits or vanishes; returns the exit status that it is owed.

    `reader` has the limit `MOST_HEADER`: what is longer and has no line end ends the connection.
    `host` is asked for when the first root is opened: until then nothing of it need be loaded.
    `follow`: a process on this side of the connection; if the one that the client names as its own started it, the
    end of that one ends the connection. `notice` is shown to the person once. `stall`: seconds after which a client
    that reads nothing is given up.
    """
    connection, outbox = _connected(host, send, stall)
    connection.notice = notice
    sender = asyncio.create_task(outbox.run(), name="outbox")
    dispatcher = Dispatcher(connection)
    dispatcher.register()
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    connection.protocol.on_exit = lambda status: None if ended.done() else ended.set_result(status)
    if follow is not None:
        connection.on_client = lambda pid: connection.start(_follow(pid, follow, ended), "client process")
    reading = asyncio.create_task(_read(connection.protocol, reader), name="reader")
    broken = asyncio.create_task(outbox.broken.wait(), name="broken")
    LOG.info("client %s attached", connection.name)
    try:
        await asyncio.wait([reading, broken, ended], return_when=asyncio.FIRST_COMPLETED)
    finally:
        LOG.info("client %s left", connection.name)
        for task in (reading, broken):
            task.cancel()
        await asyncio.gather(reading, broken, return_exceptions=True)
        await _close(connection, dispatcher)
        await drained(outbox, sender, FLUSH_DEADLINE)
    return ended.result() if ended.done() else 1


async def _follow(pid: int, started: int, ended: "asyncio.Future[int]") -> None:
    if await outlived(pid, started) and not ended.done():
        LOG.warning("process %d, which started process %d for this connection, is gone", pid, started)
        ended.set_result(1)


def _connected(host: "Callable[[], Host]", send: Send, stall: float | None) -> tuple[Connection, Outbox]:
    server = SpecloomServer("specloom", __version__, protocol_cls=SpecloomProtocol, converter_factory=converter)
    protocol = cast("SpecloomProtocol", server.protocol)
    outbox = Outbox(send, stall=stall)
    protocol.set_writer(outbox)
    connection = Connection(protocol, outbox, host, f"lsp-{os.getpid()}-{next(_numbers)}")
    protocol.on_initialize = connection.initialize
    return connection, outbox


async def _read(protocol: SpecloomProtocol, reader: Reader) -> None:
    """Hands over every frame; returns when no more can come."""
    while True:
        frame = await read_frame(reader)
        if isinstance(frame, EndOfInput):
            return
        if isinstance(frame, BadFrame):
            protocol.refuse(None, parse_error(frame.message))
            LOG.error("the connection ends: %s", frame.message)
            return
        protocol.receive(frame)


async def _close(connection: Connection, dispatcher: Dispatcher) -> None:
    try:
        async with asyncio.timeout(CLOSE_DEADLINE):
            connection.protocol.abandon()
            await connection.close()
            await dispatcher.close()
    except Exception:  # noqa: BLE001 - the guard of closing
        # One connection's trouble ends with it.
        LOG.exception("closing %s", connection.name)


def serve_standalone(load: Callable[[], "Composition"], environment: Mapping[str, str], notice: str = "") -> int:
    """Serves one client on standard input and output, with a runtime of this process; returns the exit status.

    `load` gives what makes runtimes; it is called when the first root is opened, since importing it takes a second.
    `notice` is shown to the person once.
    """
    log_to_stderr()
    write_logs(environment, "lsp")
    LOG.info("language server started")
    status = asyncio.run(_standalone(load, environment, notice))
    LOG.info("language server ends with status %d", status)
    return status


async def _standalone(load: Callable[[], "Composition"], environment: Mapping[str, str], notice: str) -> int:
    # Nobody else may write between the frames, whatever a library prints.
    output = os.dup(1)
    os.dup2(2, 1)

    def host() -> "Host":
        from specloom.lsp.standalone import StandaloneHost

        return StandaloneHost(load, environment)

    return await serve_connection(host, reader_of(0), sender_of(output), follow=os.getpid(), notice=notice)


def log_to_stderr() -> None:
    """Warnings and worse, for a process that serves connections."""
    heard = logging.StreamHandler()
    # Our loggers let more through, for the log files; editors show what comes here as errors.
    heard.setLevel(logging.WARNING)
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s", handlers=[heard]
    )
    # pygls logs a trace for every refused order; ours are answers.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
