"""`specloom events`: what happened, from the log; also while somebody else writes it."""

import argparse
import asyncio
import contextlib

from specloom.cli.failures import Exit
from specloom.cli.interrupts import Interrupts
from specloom.cli.output import Output
from specloom.cli.ports import Place, Reader
from specloom.cli.reading import NOTHING_YET, is_going_on, opened_reader
from specloom.cli.views.event_text import event_text
from specloom.domain.ids import ProjectId
from specloom.engine.api import Published

PAGE = 500
STOPPED = "stopped; `specloom run` goes on where it was"
POLL = 0.3
"""Seconds between two looks for new events."""


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Returns the exit status; an end by Ctrl-C is the normal end of `--follow`."""
    async with opened_reader(place, output) as reader:
        if reader is None:
            if not output.as_json:
                output.line(NOTHING_YET)
            return Exit.OK
        interrupts = Interrupts()
        with interrupts.caught():
            since = await _print_all(reader, arguments.since, output, interrupts)
            while arguments.follow and not _ended(interrupts, output):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(interrupts.first.wait(), POLL)
                until, since = since, await _print_all(reader, since, output, interrupts)
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


async def _print_all(reader: Reader, since: int, output: Output, interrupts: Interrupts) -> int:
    """Prints page by page; the number of the last event printed."""
    while not _ended(interrupts, output):
        page = await reader.events(since, PAGE)
        for published in page:
            _print(published, reader.state.id, output)
            since = published.seq
        if len(page) < PAGE:
            break
    return since


def _print(published: Published, project: ProjectId, output: Output) -> None:
    if output.as_json:
        from specloom.cli.views.event_json import event_json

        output.json(event_json(published, project))
    else:
        output.line(event_text(published))


def _ended(interrupts: Interrupts, output: Output) -> bool:
    return interrupts.first.is_set() or output.closed.is_set()
