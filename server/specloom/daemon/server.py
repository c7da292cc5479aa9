"""The daemon: serves its socket, and ends when nobody needs it, when it is told to, or with a signal.

Refuses other users, clients that do not say hello in time, and to let one client's faults reach another.
"""

import asyncio
import contextlib
import json
import logging
import os
import resource
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never

from specloom import __version__
from specloom.daemon.errors import NoDaemonError
from specloom.daemon.hello import END, HELLO_DEADLINE, LONGEST, Hello, answer_line, counts, read_hello
from specloom.daemon.place import DaemonPlace, HeldLock
from specloom.daemon.roots import LINGER, Roots, SharedHost
from specloom.domain.ports import Clock
from specloom.lsp.server import serve_connection
from specloom.lsp.standalone import Composition

LOG = logging.getLogger("specloom.daemon")
IDLE = 600.0
"""Seconds without clients and work after which the daemon ends."""
LOCK_DEADLINE = 2.0
"""Seconds in which a look at the lock may be in the way of who takes it."""
LOOK = 3.0
"""Seconds between looks at whether the socket is still there."""
STALL = 1800.0
"""Seconds after which a client that reads nothing is disconnected."""
CLOSE_DEADLINE = 30.0
FLUSH_DEADLINE = 5.0
BACKLOG = 512
BEYOND = 32
"""Connections that are taken although there is no room for another client: to be told so, or to stop the daemon."""
RESERVE = 160
"""Open files that are kept for them, and for what works: logs, commands, files of projects."""
ACCEPT_PAUSE = 1.0
"""Seconds until the next try where a connection could not be taken."""
LEAST_ROOM = 32


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that things are kept which nobody uses."""

    idle: float = IDLE
    linger: float = LINGER
    stall: float = STALL
    """0: for ever."""


@dataclass(slots=True)
class Listener:
    """What listens now, the file that it was bound to, and who takes connections from it."""

    socket: socket.socket
    inode: int | None
    accepting: asyncio.Task[None]

    async def close(self) -> None:
        """Nobody is taken any more."""
        self.accepting.cancel()
        await asyncio.gather(self.accepting, return_exceptions=True)
        self.socket.close()


class Daemon:
    """One daemon. Belongs to one event loop."""

    def __init__(
        self,
        place: DaemonPlace,
        load: Callable[[], Composition],
        environment: Mapping[str, str],
        clock: Clock,
        patience: Patience = Patience(),
    ) -> None:
        self._place = place
        self._clock = clock
        self._patience = patience
        self._environment = {name: value for name, value in environment.items() if not counts(name)}
        """Under what a client brings: home, user, folders."""
        self._roots = Roots(load, patience.linger)
        self._roots.changed = self._look
        self._clients: dict[asyncio.Task[None], Hello] = {}
        self._serving: set[asyncio.Task[None]] = set()
        self._somebody_left = asyncio.Event()
        self._ended = asyncio.Event()
        self._retired = False
        self._idle: asyncio.TimerHandle | None = None
        self._idle_since: str | None = None
        self._started_at = clock.now()

    async def serve(self, ready: Callable[[], None] | None = None) -> None:
        """Serves until it has ended. Raises `NoDaemonError` where another daemon lives, `OSError`."""
        lock = await asyncio.to_thread(HeldLock.take, self._place.lock, LOCK_DEADLINE)
        if lock is None:
            holder = self._place.read_note().get("pid", "unknown")
            raise NoDaemonError(f"a daemon is running already (pid {holder}); see `specloom daemon status`")
        try:
            await self._serve(lock, ready)
        finally:
            lock.release()

    def end(self) -> None:
        """Pauses what runs, settles it, and returns from `serve`."""
        self._ended.set()

    async def _serve(self, lock: HeldLock, ready: Callable[[], None] | None) -> None:
        listener = await self._listener()
        try:
            await asyncio.to_thread(_write_note, self._place, self._started_at)
            watching = asyncio.create_task(self._watch(lock, listener), name="watch the socket")
            self._look()
            if ready is not None:
                ready()
            try:
                await self._ended.wait()
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
        finally:
            await listener.close()
            await asyncio.to_thread(_remove, self._place)
            await self._end()

    async def _listener(self) -> "Listener":
        listening = await asyncio.to_thread(_listening, self._place)
        inode = await asyncio.to_thread(_inode, self._place)
        return Listener(listening, inode, asyncio.create_task(self._take(listening), name="take connections"))

    async def _take(self, listening: socket.socket) -> None:
        """Takes connections as long as there is room; the others wait in the queue, and no work for a file."""
        loop = asyncio.get_running_loop()
        while True:
            while len(self._serving) >= _room() + BEYOND:
                self._somebody_left.clear()
                await self._somebody_left.wait()
            try:
                connection, _ = await loop.sock_accept(listening)
                await loop.connect_accepted_socket(self._protocol, connection)
            except OSError as error:
                LOG.warning("a connection could not be taken: %s", error)
                await asyncio.sleep(ACCEPT_PAUSE)

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=LONGEST), self._accept)

    async def _end(self) -> None:
        """Work is paused and settled first: clients hear of it, and then the connections end."""
        closing = asyncio.create_task(self._roots.close(), name="close roots")
        await asyncio.wait([closing], timeout=CLOSE_DEADLINE)
        serving = tuple(self._serving)
        for task in serving:
            task.cancel()
        if serving:
            await asyncio.wait(serving, timeout=CLOSE_DEADLINE)
        await asyncio.wait([closing], timeout=CLOSE_DEADLINE)

    async def _watch(self, lock: HeldLock, listener: "Listener") -> None:
        """Whose socket is taken away, as cleaners of temporary folders do, is found by nobody: it listens anew.

        A lock that is gone is taken anew. Where another daemon was faster, this one ends once it has nothing to do.
        """
        while True:
            await asyncio.sleep(LOOK)
            if not await asyncio.to_thread(self._locked, lock):
                if not self._retired:
                    LOG.warning("%s is another's; the daemon ends when it is idle", self._place.lock)
                self._retired = True
                self._look()
                continue
            if await asyncio.to_thread(_inode, self._place) == listener.inode and not listener.accepting.done():
                continue
            LOG.warning("%s is gone; it is made again", self._place.socket)
            with contextlib.suppress(OSError):
                fresh = await self._listener()
                await listener.close()
                listener.socket, listener.inode, listener.accepting = fresh.socket, fresh.inode, fresh.accepting
                await asyncio.to_thread(_write_note, self._place, self._started_at)

    def _locked(self, lock: HeldLock) -> bool:
        """Whether the lock that stands there now is ours. Blocking."""
        if lock.stands_at(self._place.lock):
            return True
        try:
            # The whole folder may be gone, and what stands in its place another user's.
            self._place.make()
            ours = lock.retake(self._place.lock, LOCK_DEADLINE)
        except OSError:
            ours = False
        if ours:
            LOG.warning("%s was gone; it was taken anew", self._place.lock)
        return ours

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._attend(reader, writer), name="client")
        self._serving.add(task)
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._serving.discard(task)
        self._somebody_left.set()
        self._clients.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.error("a connection failed", exc_info=error)
        self._look()

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its hello to its end."""
        try:
            peer = _peer(writer)
            if peer is not None and peer[1] != os.getuid():
                await _send(writer, self._line(ok=False, reason=f"this is the daemon of user {os.getuid()}"))
                return
            try:
                async with asyncio.timeout(HELLO_DEADLINE):
                    line = await reader.readline()
            except (TimeoutError, ValueError):
                await _send(writer, self._line(ok=False, reason=f"no line of at most {LONGEST} bytes came in time"))
                return
            if not line.endswith(b"\n"):
                return
            hello = read_hello(line)
            if isinstance(hello, str):
                await _send(writer, self._line(ok=False, reason=hello))
                return
            await self._heed(hello, None if peer is None else peer[0], reader, writer)
        except (ConnectionError, TimeoutError):
            return
        finally:
            writer.close()
            # What a client that does not read leaves in the queue must not stay.
            asyncio.get_running_loop().call_later(FLUSH_DEADLINE, writer.transport.abort)

    async def _heed(
        self, hello: Hello, pid: int | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        match hello.want:
            case "lsp" if len(self._clients) >= _room():
                await _send(writer, self._full())
            case "lsp":
                await self._serve_lsp(hello, pid, reader, writer)
            case "status":
                await _send(writer, self._line(ok=True, **self._status()))
            case "stop":
                await self._stop(hello, writer)
            case "retire":
                self._retired = True
                busy = self._busy()
                await _send(writer, self._line(ok=not busy, running=list(busy), reason="; ".join(busy)))
                self._look()
            case _:
                assert_never(hello.want)

    async def _serve_lsp(
        self, hello: Hello, pid: int | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._ended.is_set():
            # Unanswered, the client looks for a daemon again.
            return
        task = asyncio.current_task()
        assert task is not None
        self._clients[task] = hello
        self._look()
        await _send(writer, self._line(ok=True))
        host = SharedHost(self._roots, {**self._environment, **hello.environment})

        async def send(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        notice, stall = self._notice(hello), self._patience.stall or None
        status = await serve_connection(lambda: host, reader, send, follow=pid, notice=notice, stall=stall)
        await _send(writer, END + json.dumps({"status": status}).encode() + b"\n")

    def _notice(self, hello: Hello) -> str:
        if hello.version == __version__:
            return ""
        return (
            f"Specloom {hello.version} is installed, and the daemon (pid {os.getpid()}) is {__version__}: it is busy "
            "and serves you until it has nothing to do; `specloom daemon stop --force` pauses its work and ends it now"
        )

    async def _stop(self, hello: Hello, writer: asyncio.StreamWriter) -> None:
        busy = self._busy()
        if busy and not hello.force:
            step = "wait for it, or pause it and end with `specloom daemon stop --force`"
            await _send(writer, self._line(ok=False, reason="; ".join(busy), next=step, running=list(busy)))
            return
        await _send(writer, self._line(ok=True))
        self._ended.set()

    def _busy(self) -> tuple[str, ...]:
        """What would be lost or cut off, for people; empty: the daemon may end."""
        clients = len(self._clients)
        attached = (f"{clients} client{'s are' if clients > 1 else ' is'} attached",) if clients else ()
        return (*self._roots.works, *attached)

    def _look(self) -> None:
        """Something came or went: the daemon may have to end, at once or later."""
        if self._busy():
            self._idle_since = None
        elif self._retired:
            self._ended.set()
        elif self._idle_since is None:
            self._idle_since = self._clock.now()
            self._wait_on(self._patience.idle)

    def _wait_on(self, seconds: float) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(seconds, self._is_idle)

    def _is_idle(self) -> None:
        if self._idle_since is not None and not self._busy():
            self._ended.set()

    def _status(self) -> dict[str, object]:
        return {
            "startedAt": self._started_at,
            "clients": [{"version": hello.version, "cwd": hello.cwd} for hello in self._clients.values()],
            "roots": self._roots.told(),
            "keys": self._roots.keys(),
            "running": list(self._roots.works),
            "idleSince": self._idle_since,
            "retired": self._retired,
        }

    def _full(self) -> bytes:
        reason = f"{len(self._clients)} clients are attached, and no more files may be open (`ulimit -n`)"
        return self._line(
            ok=False, reason=reason, next="close some, or end the daemon and start it with a higher limit"
        )

    def _line(self, *, ok: bool, **members: object) -> bytes:
        return answer_line(ok=ok, pid=os.getpid(), **members)


def _room() -> int:
    """How many clients there may be, so that no work ends because a file cannot be opened."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if most == resource.RLIM_INFINITY else max(LEAST_ROOM, most - RESERVE)


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    async with asyncio.timeout(HELLO_DEADLINE):
        await writer.drain()


def _listening(place: DaemonPlace) -> socket.socket:
    """With the lock held: what is left of a daemon that was killed is nobody's. Blocking."""
    place.socket.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(str(place.socket))
        place.socket.chmod(0o600)
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


def _write_note(place: DaemonPlace, started_at: str) -> None:
    """Nobody decides by it, so a full disk keeps nobody from being served."""
    try:
        place.write_note(started_at)
    except OSError as error:
        LOG.warning("%s cannot be written: %s", place.note, error)


def _remove(place: DaemonPlace) -> None:
    """Lock files stay: removing one would let two in."""
    for path in (place.socket, place.note):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _inode(place: DaemonPlace) -> int | None:
    try:
        return place.socket.lstat().st_ino
    except OSError:
        return None


def _peer(writer: asyncio.StreamWriter) -> tuple[int, int] | None:
    """Process and user of the other side, where the system tells (Linux; elsewhere the folder keeps others out)."""
    option: int | None = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    connection: socket.socket = writer.get_extra_info("socket")
    pid, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    return pid, user
