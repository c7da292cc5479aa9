"""Standard input and output as streams for a connection. Refuses to block the event loop: threads do the waiting.

The threads are daemons: a read that nobody answers, or a write that nobody reads, must not keep the process alive.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from queue import SimpleQueue
from typing import TypeAlias

from specloom.lsp.descriptors import read_some, write_all
from specloom.lsp.frames import MOST_HEADER

CHUNK = 64 * 1024
Send: TypeAlias = Callable[[bytes], Awaitable[None]]


def reader_of(descriptor: int) -> asyncio.StreamReader:
    """A stream of what can be read from a file descriptor of any kind; needs a running loop."""
    loop = asyncio.get_running_loop()
    stream = asyncio.StreamReader(limit=MOST_HEADER)
    threading.Thread(target=_feed, args=(descriptor, stream, loop), name="specloom-stdin", daemon=True).start()
    return stream


def _feed(descriptor: int, stream: asyncio.StreamReader, loop: asyncio.AbstractEventLoop) -> None:
    try:
        while data := read_some(descriptor, CHUNK):
            loop.call_soon_threadsafe(stream.feed_data, data)
        loop.call_soon_threadsafe(stream.feed_eof)
    except OSError:
        loop.call_soon_threadsafe(stream.feed_eof)
    except RuntimeError:
        # The loop is closed: nobody listens any more.
        return


def sender_of(descriptor: int) -> Send:
    """Writes all bytes to a file descriptor of any kind; needs a running loop."""
    loop = asyncio.get_running_loop()
    orders: SimpleQueue[tuple[bytes, asyncio.Future[None]]] = SimpleQueue()
    threading.Thread(target=_write, args=(descriptor, orders, loop), name="specloom-stdout", daemon=True).start()

    async def send(data: bytes) -> None:
        done: asyncio.Future[None] = loop.create_future()
        orders.put((data, done))
        await done

    return send


def _write(
    descriptor: int, orders: "SimpleQueue[tuple[bytes, asyncio.Future[None]]]", loop: asyncio.AbstractEventLoop
) -> None:
    while True:
        data, done = orders.get()
        fault: OSError | None = None
        try:
            write_all(descriptor, data)
        except OSError as error:
            fault = error
        try:
            loop.call_soon_threadsafe(_settle, done, fault)
        except RuntimeError:
            # The loop is closed: nobody waits any more.
            return


def _settle(done: "asyncio.Future[None]", fault: OSError | None) -> None:
    if done.done():
        return
    if fault is None:
        done.set_result(None)
    else:
        done.set_exception(fault)
