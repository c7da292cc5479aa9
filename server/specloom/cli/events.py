"""`specloom events`: what happened, from the log; also while somebody else writes it."""

import argparse
import asyncio
import contextlib
from typing import Protocol

from specloom.cli.failures import CommandError, Exit
from specloom.cli.interrupts import Interrupts
from specloom.cli.output import Output
from specloom.cli.ports import Place, Reader
from specloom.cli.reading import is_going_on, watching
from specloom.cli.views.audit import Entry, Trail, audit_json, audit_line, entry_of
from specloom.cli.views.event_text import event_text
from specloom.domain.events.documents import ProjectOpened
from specloom.domain.ids import ProjectId
from specloom.domain.known_projects import ProjectAct
from specloom.engine.api import Published

PAGE = 500
STOPPED = "stopped; `specloom run` goes on where it was"
POLL = 0.3
"""Seconds between two looks for new events."""


class Show(Protocol):
    """Prints what is wanted of what happened."""

    def heard(self, published: Published) -> None:
        """The next event of the log."""
        ...

    async def look(self) -> None:
        """The log is about to be read."""
        ...

    def rest(self) -> None:
        """There is no more of it now."""
        ...


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Returns the exit status; an end by Ctrl-C is the normal end of `--follow`."""
    if not arguments.audit and (arguments.agent or arguments.task or arguments.denied):
        raise CommandError("--agent, --task and --denied choose among acts; say --audit too")

    async def watch(reader: Reader, interrupts: Interrupts) -> Exit:
        project = reader.state.id
        show = _Acts(arguments, place, project, output) if arguments.audit else _Events(project, output)
        # An act is told with what was asked for before it.
        since = await _print_all(reader, 0 if arguments.audit else arguments.since, output, interrupts, show)
        while arguments.follow and not _ended(interrupts, output):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(interrupts.first.wait(), POLL)
            until, since = since, await _print_all(reader, since, output, interrupts, show)
            if until == since and await _is_abandoned(reader):
                output.note(STOPPED)
                break
        return Exit.OK if arguments.follow or not interrupts.first.is_set() else Exit.INTERRUPTED

    return await watching(place, output, watch)


async def _is_abandoned(reader: Reader) -> bool:
    """Whether the log says that somebody works, and nobody does: whoever it was ended without a word."""
    before = await reader.refresh()
    if not is_going_on(before) or await reader.writer() is not None:
        return False
    # Whoever ended or began in between has written something.
    return (await reader.refresh()).seq == before.seq


async def _print_all(reader: Reader, since: int, output: Output, interrupts: Interrupts, show: Show) -> int:
    """Prints page by page; the number of the last event printed."""
    await show.look()
    while not _ended(interrupts, output):
        page = await reader.events(since, PAGE)
        for published in page:
            show.heard(published)
            since = published.seq
        if len(page) < PAGE:
            show.rest()
            break
    return since


class _Events:
    """All of them."""

    def __init__(self, project: ProjectId, output: Output) -> None:
        self._project = project
        self._output = output

    def heard(self, published: Published) -> None:
        """Each is a line, with the id that the project had then: a copy has another one from its first opening on."""
        if isinstance(published.event, ProjectOpened):
            self._project = published.event.project
        if self._output.as_json:
            from specloom.cli.views.event_json import event_json

            self._output.json(event_json(published, self._project))
        else:
            self._output.line(event_text(published))

    async def look(self) -> None:
        """There is nothing but the log."""

    def rest(self) -> None:
        """There is nothing but the log."""


class _Acts:
    """What somebody is to answer for: from the log, and in between, by their time, changes that stand in no log."""

    def __init__(self, arguments: argparse.Namespace, place: Place, project: ProjectId, output: Output) -> None:
        self._arguments = arguments
        self._place = place
        self._project = project
        self._output = output
        self._trail = Trail()
        self._waiting: list[ProjectAct] = []
        self._seen: set[ProjectAct] = set()
        self._heard = 0

    def heard(self, published: Published) -> None:
        """What was done before this event stands before it."""
        self._tell_waiting(published.at)
        self._heard = published.seq
        if isinstance(published.event, ProjectOpened):
            self._project = published.event.project
        act = self._trail.of(published)
        if act is not None:
            self._tell(Entry(published.seq, published.at, published.by, act))

    async def look(self) -> None:
        """First, so that no change is told before an older event."""
        from specloom.store.projects import project_registry

        acts = await asyncio.to_thread(project_registry(self._place.environment).acts, self._project)
        self._waiting = [act for act in acts if act not in self._seen]

    def rest(self) -> None:
        """Changes since the newest event."""
        self._tell_waiting(None)

    def _tell_waiting(self, until: str | None) -> None:
        while self._waiting and (until is None or self._waiting[0].at <= until):
            act = self._waiting.pop(0)
            self._seen.add(act)
            self._tell(entry_of(act))

    def _tell(self, entry: Entry) -> None:
        # What stands in no log is as old as the event before it; asked for from the beginning, nothing is too old.
        after = self._heard if entry.seq is None else entry.seq - 1
        if after < self._arguments.since or not self._is_wanted(entry):
            return
        if self._output.as_json:
            self._output.json(audit_json(entry))
        else:
            self._output.line(audit_line(entry))

    def _is_wanted(self, entry: Entry) -> bool:
        arguments, act = self._arguments, entry.act
        return (
            (not arguments.agent or entry.agent == arguments.agent)
            and (not arguments.task or act.task == arguments.task)
            and (not arguments.denied or act.allowed is False)
        )


def _ended(interrupts: Interrupts, output: Output) -> bool:
    return interrupts.first.is_set() or output.closed.is_set()
