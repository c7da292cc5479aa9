"""Opens the root of a connection, and attaches everything that follows it. Refuses to fail: what goes wrong is told.

The one guard of this floor against every error of opening: whatever the floors below raise, the connection lives.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

from lsprotocol import types

from specloom.domain.problem import Problem, Severity
from specloom.domain.rejection import Rejected
from specloom.lsp.capabilities import configures
from specloom.lsp.connection import LOG, ConnectedRoot, Connection
from specloom.lsp.editor_settings import PLACE, SECTION, section_of
from specloom.lsp.features.diagnostics import Announcer
from specloom.lsp.features.progress import ProgressReports
from specloom.lsp.features.text_sync import Mirror
from specloom.lsp.hosting import Reader
from specloom.lsp.notice import Notice
from specloom.lsp.serving import Hosted, Serving, Unhosted
from specloom.lsp.uris import Places
from specloom.store.errors import StoreLockedError

SETTINGS_DEADLINE = 2.0
FIRST_LOOK, LAST_LOOK = 0.25, 5.0
"""Seconds between looks at a root that another process holds."""
CLOSED = Rejected("no-root", "this folder was closed in your editor; open it again")
NO_ROOT = Rejected("no-root", "Specloom needs a folder: open one in your editor, then start the server again")


class Opening:
    """Opens and closes what serves one connection; opening again is allowed while there is no runtime."""

    def __init__(self, connection: Connection, root: ConnectedRoot) -> None:
        self._connection = connection
        self._root = root
        self._host = connection.host()
        self._stack = AsyncExitStack()
        self._lock = asyncio.Lock()
        self._closed = False
        self._told = ""
        self._counting: Mapping[str, object] = {}
        """The settings that the root was given last."""

    async def open(self) -> Serving:
        """Opens the root unless it is open, and answers everybody who waits."""
        async with self._lock:
            root = self._root
            if self._closed:
                return self._gone()
            if root.serving.done():
                before = root.serving.result()
                if isinstance(before, Hosted):
                    return before
                # Whoever asks from now on waits for what comes, and not in vain for what is let go.
                root.serving = asyncio.get_running_loop().create_future()
                await self._let_go()
            serving = await self._open()
            if self._closed:
                # Who closed did not wait for this.
                await self._stack.aclose()
                serving = self._gone()
            root.serving.set_result(serving)
            return serving

    async def close(self) -> None:
        """Detaches from the runtime; the host ends it if it is this connection's own."""
        self._closed = True
        async with self._lock:
            await self._stack.aclose()
            if not self._root.serving.done():
                self._root.serving.set_result(self._gone())

    def _gone(self) -> Unhosted:
        return Unhosted(self._connection, self._root.places, CLOSED)

    async def _open(self) -> Serving:
        connection, places = self._connection, self._root.places
        if places is None:
            return self._unhosted(None, NO_ROOT)
        try:
            root = await asyncio.to_thread(Path.resolve, places.root)
        except (OSError, RuntimeError, ValueError) as error:
            # A circle of links, or a character that no path has.
            return self._unhosted(
                None, Rejected("no-root", f"{places.named!r} is no folder: {error}; open another one")
            )
        self._root.places = places = Places(root, places.named)
        settings = connection.settings
        settings.configured = await self._configuration(settings.configured)
        self._counting = settings.whole
        try:
            joined = self._host.runtime(root, settings, connection.name)
            hosted = Hosted(connection, places, await self._stack.enter_async_context(joined))
            self._attach(hosted)
            self._tell_settings(hosted)
        except Exception as error:  # noqa: BLE001 - the guard of opening
            LOG.info("cannot host %s", root, exc_info=error)
            refusal = Rejected("not-hosted", " ".join(str(error).split()) or type(error).__name__)
            reader = await self._reader(root)
            if isinstance(error, StoreLockedError):
                connection.start(self._wait_for(reader, self._root.serving), "wait for the root")
            return self._unhosted(places, refusal, _problems_of(error), reader)
        return hosted

    async def _let_go(self) -> None:
        """Of what kept its place; whatever that says, those who ask now get an answer."""
        stack, self._stack = self._stack, AsyncExitStack()
        try:
            await stack.aclose()
        except Exception as error:  # noqa: BLE001 - the guard of opening
            LOG.warning("what was read of %s was not let go", self._root.places, exc_info=error)

    async def _wait_for(self, reader: Reader | None, asked: "asyncio.Future[Serving]") -> None:
        """Opens the root once the process that holds it has given it up, unless somebody else asks for it before."""
        pause = FIRST_LOOK
        while self._root.serving is asked and not self._closed:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LAST_LOOK)
            if reader is None or await reader.writer() is None:
                break
        if self._root.serving is asked:
            await self.open()

    def _attach(self, hosted: Hosted) -> None:
        """Leaves in the opposite order: first nobody hears events, last the runtime ends."""
        connection = self._connection
        mirror, announcer, progress = Mirror(hosted), Announcer(hosted), ProgressReports(hosted)
        hosted.announce = announcer.soon
        self._stack.callback(mirror.stop)
        self._stack.enter_context(connection.buffers.followed(mirror))
        self._stack.enter_context(hosted.runtime.attach(hosted.port))
        self._stack.enter_context(hosted.runtime.listen(announcer.heard))
        self._stack.enter_context(hosted.runtime.watch_problems(announcer.soon))
        self._stack.enter_context(hosted.runtime.listen(progress.heard))
        if progress.shows:
            self._stack.enter_context(hosted.runtime.watch_output(progress.hear_output))
        self._stack.callback(hosted.subscription.close)
        self._stack.callback(progress.stop)
        self._stack.callback(announcer.stop)
        progress.start()
        announcer.soon()

    async def _reader(self, root: Path) -> Reader | None:
        try:
            return await self._stack.enter_async_context(self._host.reader(root))
        except Exception as error:  # noqa: BLE001 - the guard of opening
            LOG.info("no log to read in %s", root, exc_info=error)
            return None

    async def configure(self, told: object) -> None:
        """The client's configuration changed; `told` is what it says of it, for clients that cannot be asked."""
        settings = self._connection.settings
        async with self._lock:
            before = self._counting
            settings.configured = await self._configuration(section_of(told))
            self._counting = settings.whole
            serving = self._root.serving
            if settings.whole == before or not serving.done():
                return
            hosted = serving.result()
            if isinstance(hosted, Hosted):
                await hosted.runtime.configure(settings.whole)
                self._tell_settings(hosted)
                hosted.announce()
                return
        # What stood in the way may have been a setting.
        await self.open()

    async def _configuration(self, otherwise: Mapping[str, object]) -> Mapping[str, object]:
        """The client's section `specloom`, if it can be asked and answers."""
        outgoing = self._connection.outgoing
        if not configures(outgoing.capabilities):
            return otherwise
        asked = types.ConfigurationParams([types.ConfigurationItem(section=SECTION)])
        answer = await outgoing.request(types.WORKSPACE_CONFIGURATION, asked, SETTINGS_DEADLINE)
        if not isinstance(answer, list | tuple):
            return otherwise
        # lsprotocol makes a tuple of the array; who answers something else has no settings for us.
        return section_of(cast("list[object]", answer)[0] if answer else None)

    def _tell_settings(self, hosted: Hosted) -> None:
        """They stand in no document: what is wrong with them is a message, once."""
        found = hosted.problems.get(PLACE, ())
        faults = "; ".join(problem.message for problem in found if problem.severity is Severity.ERROR)
        if faults and faults != self._told:
            message = f"Specloom: {PLACE}: {faults}; nothing is planned or run until this is mended"
            self._connection.outgoing.show(types.MessageType.Error, message)
        self._told = faults

    def _unhosted(
        self,
        places: Places | None,
        refusal: Rejected,
        problems: tuple[Problem, ...] = (),
        reader: Reader | None = None,
    ) -> Unhosted:
        """Says it once as a message, and in every document that is open."""
        connection = self._connection
        if self._told != refusal.message:
            self._told = refusal.message
            connection.outgoing.show(types.MessageType.Error, f"Specloom: {refusal.message}")
        unhosted = Unhosted(connection, places, refusal, problems, reader)
        if places is not None:
            notice = Notice(unhosted, places)
            self._stack.callback(notice.clear)
            self._stack.enter_context(connection.buffers.followed(notice))
        return unhosted


def _problems_of(error: Exception) -> tuple[Problem, ...]:
    found: object = getattr(error, "problems", ())
    items = cast("tuple[object, ...]", found) if isinstance(found, tuple) else ()
    return tuple(item for item in items if isinstance(item, Problem))
