"""The runtimes of one process: one a root, opened by the first client and joined by the others.

Refuses to end what still works: a root is closed when nobody is attached, nothing runs, and a while has passed.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from specloom.daemon.errors import NoDaemonError
from specloom.domain.project import ProjectState
from specloom.engine.api import Runtime
from specloom.engine.working import at_work
from specloom.lsp.editor_settings import EditorSettings
from specloom.lsp.hosting import Projects, Reader, Sender
from specloom.lsp.loading import loaded
from specloom.lsp.standalone import Composition

LOG = logging.getLogger("specloom.daemon")
LINGER = 60.0
"""Seconds that a root stays open when its last client has gone and nothing runs."""
SHORTEST = 0.05
STATE_DIR = "SPECLOOM_STATE_DIR"
HOLDER = "specloom daemon"
RootKey: TypeAlias = tuple[Path, str]
"""The root, and where its client wants the log to lie."""


class OpenRoot:
    """A root that is open, is being opened, or is being closed."""

    def __init__(self, opening: "asyncio.Task[Runtime]", opener: Sender, senders: dict[str, Sender]) -> None:
        self.opening = opening
        self.opener = opener
        self.clients = 0
        self.senders = senders
        """Whose orders count, by client."""
        self._joined: list[tuple[str, Sender]] = []
        self.leaving: asyncio.Task[None] | None = None
        """Closes the root if nobody comes back."""
        self.closing = False

    def join(self, client: str, sender: Sender) -> None:
        """From now on the client's orders are carried out with what this sender brings."""
        self._joined.append((client, sender))
        self.senders[client] = sender

    def leave(self, client: str, sender: Sender) -> None:
        """A client that named the root twice, by a link perhaps, is still there with the other one."""
        self._joined = [one for one in self._joined if one[1] is not sender]
        others = [known for name, known in self._joined if name == client]
        if others:
            self.senders[client] = others[-1]
        else:
            self.senders.pop(client, None)

    @property
    def runtime(self) -> Runtime | None:
        """`None`: not open yet, or it could not be opened."""
        opened = self.opening
        done = opened.done() and not opened.cancelled() and opened.exception() is None
        return opened.result() if done else None


class Roots:
    """All open roots. Belongs to one event loop."""

    def __init__(self, load: Callable[[], Composition], linger: float = LINGER) -> None:
        self._load = load
        self._composition: Composition | None = None
        """Once a root was to be opened; before, this process holds nothing."""
        self._linger = linger
        self._open: dict[RootKey, OpenRoot] = {}
        self._names: dict[tuple[int, int], Path] = {}
        """How each folder was named first, by device and inode."""
        self._lost: dict[OpenRoot, RootKey] = {}
        """Roots whose logs were removed, as long as somebody is attached: they refuse everything, and hold nothing."""
        self.changed: Callable[[], None] = _nothing
        """Called when a root was opened or closed."""
        self._ending = False

    @asynccontextmanager
    async def joined(self, root: Path, sender: Sender, client: str) -> AsyncGenerator[Runtime]:
        """The runtime of a root, as long as the context lasts at least. Raises what opening it raised."""
        key = (await self._named(root), sender.environment.get(STATE_DIR, ""))
        known = await self._entered(key, sender)
        try:
            runtime = await asyncio.shield(known.opening)
            if known.opener is not sender and sender.settings.whole:
                # The latest that sets anything counts for all; what it brought stays when it goes.
                await runtime.configure(sender.settings.whole)
            known.join(client, sender)
            yield runtime
        finally:
            known.leave(client, sender)
            known.clients -= 1
            self._look(key, known)

    async def _named(self, root: Path) -> Path:
        """The root as its first client named it: where case makes no difference, a folder has many names."""
        found = await asyncio.to_thread(_identity, root)
        if found is None:
            return root
        first = self._names.setdefault(found, root)
        if first != root and await asyncio.to_thread(_identity, first) != found:
            # Of another folder, which is gone.
            first = self._names[found] = root
        return first

    async def _entered(self, key: RootKey, sender: Sender) -> OpenRoot:
        await self._part_with_lost(key)
        while (before := self._open.get(key)) is not None and before.closing and before.leaving is not None:
            if self._ending:
                break
            await asyncio.wait([before.leaving])
        if self._ending:
            raise NoDaemonError("the daemon is ending; start the server again")
        known = self._open.get(key)
        if known is None:
            senders: dict[str, Sender] = {}
            opening = asyncio.create_task(self._opened(key[0], sender, senders), name=f"open {key[0]}")
            known = OpenRoot(opening, sender, senders)
            known.opening.add_done_callback(lambda _: self._settled(key, known))
            self._open[key] = known
        known.clients += 1
        if known.leaving is not None:
            known.leaving.cancel()
            known.leaving = None
        return known

    async def _part_with_lost(self, key: RootKey) -> None:
        """Who comes to a root that was deleted and made again gets a fresh runtime, whoever is attached to the old."""
        known = self._open.get(key)
        if known is None or known.closing or (runtime := known.runtime) is None or not await runtime.is_lost():
            return
        if self._open.get(key) is known and not known.closing:
            LOG.warning("the log of %s was removed; a fresh one is begun", key[0])
            del self._open[key]
            self._lost[known] = key

    async def _opened(self, root: Path, sender: Sender, senders: Mapping[str, Sender]) -> Runtime:
        composition = self._composition = await loaded(self._load)
        return await composition.open_runtime(
            root,
            environment=sender.environment,
            editor=sender.settings.whole,
            holder=HOLDER,
            sender=sender,
            senders=senders,
        )

    def _settled(self, key: RootKey, known: OpenRoot) -> None:
        """A root that could not be opened is forgotten, so that the next client tries again."""
        if known.runtime is None and self._open.get(key) is known:
            del self._open[key]
        self.changed()

    def _look(self, key: RootKey, known: OpenRoot) -> None:
        """Somebody left."""
        if known.clients or known.closing:
            return
        if self._open.get(key) is known or known in self._lost:
            known.leaving = asyncio.create_task(self._leave(key, known), name=f"leave {key[0]}")

    async def _leave(self, key: RootKey, known: OpenRoot) -> None:
        with contextlib.suppress(Exception):
            # Its failure was told to who asked for it.
            await asyncio.shield(known.opening)
        runtime = known.runtime
        while runtime is not None:
            await runtime.wait_idle()
            await asyncio.sleep(max(self._linger, SHORTEST))
            if not at_work(runtime.state):
                break
        known.closing = True
        await self._close(key, known)

    async def _close(self, key: RootKey, known: OpenRoot) -> None:
        """Closes a root; whatever that raises, the others go on."""
        try:
            if (runtime := known.runtime) is not None:
                await runtime.close()
        except Exception:
            LOG.exception("closing %s", key[0])
        finally:
            self._lost.pop(known, None)
            if self._open.get(key) is known:
                del self._open[key]
            self.changed()

    async def close(self) -> None:
        """Pauses, settles and closes all of them, side by side; nothing is opened any more."""
        self._ending = True
        lost = ((key, known) for known, key in self._lost.items())
        await asyncio.gather(*(self._end(key, known) for key, known in (*self._open.items(), *lost)))

    async def _end(self, key: RootKey, known: OpenRoot) -> None:
        leaving = known.leaving
        if known.closing and leaving is not None:
            await asyncio.wait([leaving])
            return
        if leaving is not None:
            leaving.cancel()
        known.closing = True
        await asyncio.wait([known.opening])
        known.leaving = asyncio.create_task(self._close(key, known), name=f"close {key[0]}")
        await asyncio.wait([known.leaving])

    async def reader(self, root: Path, environment: Mapping[str, str]) -> Reader:
        """The log of a root that another process hosts."""
        composition = await loaded(self._load)
        return await composition.open_reader(root, environment=environment)

    async def projects(self, environment: Mapping[str, str]) -> Projects:
        """The projects that the machine of a client knows."""
        composition = await loaded(self._load)
        return composition.MachineProjects(environment)

    def states(self) -> tuple[ProjectState, ...]:
        """The projections of all open roots."""
        return tuple(known.runtime.state for known in self._open.values() if known.runtime is not None)

    @property
    def works(self) -> tuple[str, ...]:
        """What runs, for people."""
        found: list[str] = []
        for (root, _), known in self._open.items():
            if (runtime := known.runtime) is not None:
                found.extend(f"{what} in {root}" for what in at_work(runtime.state))
        return tuple(found)

    def keys(self) -> dict[str, str]:
        """Endpoints whose keys are held, with where each came from."""
        return {} if self._composition is None else dict(self._composition.held_keys())

    def told(self) -> list[dict[str, object]]:
        """Every open root with its clients and the states of its run and plan."""
        return [_told(key[0], known) for key, known in self._open.items()]


class SharedHost:
    """Implements `lsp.hosting.Host` for one client."""

    def __init__(self, roots: Roots, environment: Mapping[str, str]) -> None:
        self._roots = roots
        self._environment = environment

    async def projects(self) -> Projects:
        """Those of the user."""
        return await self._roots.projects(self._environment)

    def states(self) -> tuple[ProjectState, ...]:
        """Of all open roots."""
        return self._roots.states()

    @asynccontextmanager
    async def runtime(self, root: Path, settings: EditorSettings, client: str) -> AsyncGenerator[Runtime]:
        """Joins the root."""
        async with self._roots.joined(root, Sender(self._environment, settings), client) as runtime:
            yield runtime

    @asynccontextmanager
    async def reader(self, root: Path) -> AsyncGenerator[Reader]:
        """Reads the root's log."""
        reader = await self._roots.reader(root, self._environment)
        try:
            yield reader
        finally:
            await reader.close()


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        found = root.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _told(root: Path, known: OpenRoot) -> dict[str, object]:
    told: dict[str, object] = {"root": str(root), "clients": known.clients, "project": None, "run": None, "plan": None}
    if (runtime := known.runtime) is None:
        return told
    state, health = runtime.state, runtime.health(0.0)
    told["project"] = state.id
    told["fault"] = health.message if health.status == "error" else ""
    if state.run is not None:
        told["run"] = {"id": state.run.id, "state": str(state.run.state), "reason": state.run.reason}
    if state.planning is not None:
        told["plan"] = {"id": state.planning.id, "state": state.planning.state}
    return told


def _nothing() -> None:
    return
