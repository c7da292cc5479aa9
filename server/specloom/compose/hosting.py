"""Hosts one root: takes its lock, loads its log, builds the runtime. Refuses to start anything."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from specloom.agent.roles import ROLES, RoleName, prompt
from specloom.compose.allocation import give_back_large_texts, look_for_garbage_less
from specloom.compose.files import RootFiles, read_root, refuse_foreign_state, state_directory
from specloom.compose.given import Given, grant_book
from specloom.compose.options import Loaded
from specloom.compose.plans import PlanningWorker
from specloom.compose.projects import remember
from specloom.compose.toolbox import all_tools
from specloom.domain.events import REGISTRY
from specloom.domain.events.documents import LogRebuilt, ProjectOpened
from specloom.domain.ports import Clock, Ids
from specloom.domain.redact import Redactor
from specloom.engine.approvals import ApprovalDesk
from specloom.engine.context import EngineContext
from specloom.engine.grants import GrantBook
from specloom.engine.ledger import PROJECT, Ledger
from specloom.engine.library import Library
from specloom.engine.mailbox import ENGINE, Mailbox
from specloom.engine.output import OutputHub
from specloom.engine.permits import Permits
from specloom.engine.runtime import ProjectRuntime
from specloom.engine.transcript import TranscriptWriter
from specloom.lsp.hosting import Sender
from specloom.store.errors import CorruptStoreError, StoreFullError
from specloom.store.log import EventStore
from specloom.store.orders import OrderFile
from specloom.store.sessions import SessionFiles
from specloom.store.system import RandomIds, SystemClock
from specloom.workspace.orphans import Orphans
from specloom.workspace.workspace import Workspace

log = logging.getLogger(__name__)

NOBODY: Mapping[str, Sender] = MappingProxyType({})


async def open_runtime(
    root: Path,
    *,
    environment: Mapping[str, str],
    overrides: Mapping[str, Any] | None = None,
    editor: Mapping[str, Any] | None = None,
    grant_proposals: bool = False,
    holder: str = "specloom",
    sender: Sender | None = None,
    senders: Mapping[str, Sender] = NOBODY,
) -> ProjectRuntime:
    """The runtime of `root`. `grant_proposals`: the order said `--yes`, so what `specloom.toml` proposes counts.

    `sender`: whose environment and settings these are, where others may order too: `senders`, by client, as they are
    then. What is ordered is carried out with the environment and keys of its sender.

    Raises `ConfigurationError` and the errors of `EventStore.open`.
    """
    await asyncio.to_thread(give_back_large_texts)
    look_for_garbage_less()
    files = await asyncio.to_thread(_read, root)
    book = await grant_book(root, environment)
    given = Given(root, environment, overrides, editor, grant_proposals, book, sender, senders)
    loaded = await given.loaded(files)
    directory = state_directory(root, environment, loaded.state_dir)
    await asyncio.to_thread(refuse_foreign_state, root, directory)
    clock, ids = SystemClock(), RandomIds()
    opening = Opening(directory, clock, ids, holder, files.name, loaded.redactor)
    store, ledger, rebuilt = await opening.opened()
    try:
        workspace = await asyncio.to_thread(Workspace.at, root)
        workspace.keep = directory / "deleted"
        orphans = await asyncio.to_thread(Orphans.at, directory)
        engine = _engine(Parts(store, ledger, workspace, clock, ids, orphans, book), loaded)
        engine.desk.greeting = rebuilt
        runtime = ProjectRuntime(engine, store, PlanningWorker())
        runtime.endpoint.orders = await asyncio.to_thread(OrderFile, book.folder.parent / "orders", root)
        runtime.default_budget = loaded.budget
        runtime.add_problems((*files.problems, *loaded.problems))
        given.follow(runtime)
        await runtime.open()
        await remember(runtime, environment, clock)
    except BaseException:
        await store.close()
        raise
    return runtime


def _read(root: Path) -> RootFiles:
    for role, known in ROLES.items():
        if known.tools and role is not RoleName.PLANNER:
            prompt(role.value)
    return read_root(root)


@dataclass(frozen=True, slots=True)
class Opening:
    """How a log is opened for writing, and what is done about one that is damaged."""

    directory: Path
    clock: Clock
    ids: Ids
    holder: str
    name: str
    """Of the project, where it has none yet."""
    redact: Redactor

    async def opened(self) -> tuple[EventStore, Ledger, str]:
        """The log, its projection, and what has to be told of it; empty: nothing."""
        try:
            store, ledger = await self._once()
        except CorruptStoreError as error:
            await EventStore.rebuild(self.directory, REGISTRY, self.clock, error, ids=self.ids, holder=self.holder)
            store, ledger = await self._once()
        try:
            await self._tell_apart(store, ledger)
            return store, ledger, await self._told(store, ledger)
        except BaseException:
            await store.close()
            raise

    async def _told(self, store: EventStore, ledger: Ledger) -> str:
        """Says in the log that it was rebuilt, once: the process that did it may have been killed before it could."""
        rebuilt = store.rebuilt
        if rebuilt is None or await ledger.command(rebuilt.aside.name) is not None:
            return ""
        fact = LogRebuilt(rebuilt.kept, rebuilt.lost, rebuilt.aside.name, rebuilt.reason)
        log.warning("%s", fact.told)
        await ledger.append(PROJECT, [fact], ENGINE, command_id=rebuilt.aside.name)
        return fact.told

    async def _tell_apart(self, store: EventStore, ledger: Ledger) -> None:
        """From here on the log of a copied folder is that of another project, or both would answer to one id."""
        if store.copy_of != ledger.state.id:
            return
        log.info("%s is a copy of project %s, and %s from now on", self.directory, store.copy_of, store.project_id)
        try:
            await ledger.append(PROJECT, [ProjectOpened(store.project_id, self.name)], ENGINE)
        except StoreFullError as error:
            log.warning("%s answers to the id of its original until there is room: %s", self.directory, error)

    async def _once(self) -> tuple[EventStore, Ledger]:
        store = await EventStore.open(self.directory, REGISTRY, self.clock, ids=self.ids, holder=self.holder)
        try:
            ledger = Ledger(store, self.redact)
            await ledger.load()
            if ledger.state.seq == 0:
                await ledger.append(PROJECT, [ProjectOpened(store.project_id, self.name)], ENGINE)
        except BaseException:
            await store.close()
            raise
        return store, ledger


@dataclass(frozen=True, slots=True)
class Parts:
    """What was opened."""

    store: EventStore
    ledger: Ledger
    workspace: Workspace
    clock: Clock
    ids: Ids
    orphans: Orphans
    book: GrantBook


def _engine(parts: Parts, loaded: Loaded) -> EngineContext:
    options, ledger = loaded.options, parts.ledger
    mailbox = Mailbox(ledger)
    sessions = SessionFiles(parts.store.directory)
    return EngineContext(
        ledger=ledger,
        mailbox=mailbox,
        workspace=parts.workspace,
        library=Library(parts.workspace, mailbox, options, parts.clock),
        desk=ApprovalDesk(ledger, parts.ids, options.limits.ask_timeout_s),
        permits=Permits(parts.workspace.root, parts.book, parts.book.folder, options.permissions),
        output=OutputHub(),
        transcripts=TranscriptWriter(sessions),
        outputs=sessions.outputs,
        toolbox=all_tools(loaded.redactor),
        ids=parts.ids,
        clock=parts.clock,
        calendar=SystemClock(),
        sleeper=AsyncSleeper(),
        orphans=parts.orphans,
        options=options,
    )


class AsyncSleeper:
    """An `agent.ports.Sleeper` on the event loop's clock."""

    async def sleep(self, seconds: float) -> None:
        """Returns after `seconds`."""
        await asyncio.sleep(seconds)
