"""`specloom events`: what happened, from the log; also while somebody else writes it."""

import argparse
import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeAlias

from specloom.cli.failures import CommandError, Exit
from specloom.cli.interrupts import Interrupts
from specloom.cli.output import Output
from specloom.cli.ports import Place, Reader
from specloom.cli.reading import NOTHING_YET, is_going_on, opened_reader
from specloom.cli.views.audit import Act, Trail, audit_json, audit_line
from specloom.cli.views.event_text import event_text
from specloom.domain.ids import ProjectId
from specloom.engine.api import Published

PAGE = 500
Show: TypeAlias = Callable[[Published], None]
STOPPED = "stopped; `specloom run` goes on where it was"
POLL = 0.3
"""Seconds between two looks for new events."""


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Returns the exit status; an end by Ctrl-C is the normal end of `--follow`."""
    if not arguments.audit and (arguments.agent or arguments.task or arguments.denied):
        raise CommandError("--agent, --task and --denied choose among acts; say --audit too")
    async with opened_reader(place, output) as reader:
        if reader is None:
            if not output.as_json:
                output.line(NOTHING_YET)
            return Exit.OK
        interrupts = Interrupts()
        with interrupts.caught():
            # An act is told with what was asked for before it.
            show = _acts(arguments, output) if arguments.audit else _events(reader.state.id, output)
            since = await _print_all(reader, 0 if arguments.audit else arguments.since, output, interrupts, show)
            while arguments.follow and not _ended(interrupts, output):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(interrupts.first.wait(), POLL)
                until, since = since, await _print_all(reader, since, output, interrupts, show)
                if until == since and await _is_abandoned(reader):
                    output.note(STOPPED)
                    break
        return Exit.OK if arguments.follow or not interrupts.first.is_set() else Exit.INTERRUPTED


async def _is_abandoned(reader: Reader) -> bool:
    """Whether the log says that somebody works, and nobody does: whoever it was ended without a word."""
    before = await reader.refresh()
    if not is_going_on(before) or await reader.writer() is not None:
        return False
    # Whoever ended or began in between has written something.
    return (await reader.refresh()).seq == before.seq


async def _print_all(reader: Reader, since: int, output: Output, interrupts: Interrupts, show: Show) -> int:
    """Prints page by page; the number of the last event printed."""
    while not _ended(interrupts, output):
        page = await reader.events(since, PAGE)
        for published in page:
            show(published)
            since = published.seq
        if len(page) < PAGE:
            break
    return since


def _events(project: ProjectId, output: Output) -> Show:
    def show(published: Published) -> None:
        if output.as_json:
            from specloom.cli.views.event_json import event_json

            output.json(event_json(published, project))
        else:
            output.line(event_text(published))

    return show


def _acts(arguments: argparse.Namespace, output: Output) -> Show:
    trail = Trail()

    def show(published: Published) -> None:
        act = trail.of(published)
        if act is None or published.seq <= arguments.since or not _is_wanted(arguments, published, act):
            return
        if output.as_json:
            output.json(audit_json(published, act))
        else:
            output.line(audit_line(published, act))

    return show


def _is_wanted(arguments: argparse.Namespace, published: Published, act: Act) -> bool:
    agent = published.by.agent or act.agent
    return (
        (not arguments.agent or agent == arguments.agent)
        and (not arguments.task or act.task == arguments.task)
        and (not arguments.denied or act.allowed is False)
    )


def _ended(interrupts: Interrupts, output: Output) -> bool:
    return interrupts.first.is_set() or output.closed.is_set()
