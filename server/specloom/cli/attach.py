"""`specloom attach`: watches what the daemon does in a project, answers its questions, and talks to its agents.

Refuses to stop work by leaving: the first Ctrl-C detaches, and only `/pause` and `/cancel` are orders.
"""

import argparse
import asyncio
import os
from contextlib import ExitStack

from specloom.cli.failures import Exit
from specloom.cli.interrupts import Interrupts
from specloom.cli.output import Output
from specloom.cli.ports import Place, Reader
from specloom.cli.reading import watching
from specloom.cli.remote import RemoteRuntime, joined, leaving
from specloom.cli.status import run_text
from specloom.cli.steering import Steering
from specloom.cli.terminal_client import TerminalClient, is_interactive
from specloom.cli.typed_line import TypedLine
from specloom.cli.views.attached import AttachedJsonView
from specloom.cli.views.endings import counts_line
from specloom.cli.views.summary import count_tasks
from specloom.cli.views.view import LEAVES, LineView, View
from specloom.domain.project import ProjectState
from specloom.domain.runs import RunState, Scope
from specloom.engine.working import at_work
from specloom.store.errors import WATCH

ELSEWHERE = "detached; the run goes on where it was started: `specloom attach` shows it again, Ctrl-C there pauses it"
PAST = 300
"""Events before the present that a picture is made from."""


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:  # noqa: ARG001 - one form for all
    """Returns the exit status; to leave by Ctrl-C is the normal end."""

    async def watch(reader: Reader, interrupts: Interrupts) -> Exit:
        async with joined(place, start=True) as runtime:
            await _watch(place, output, runtime, reader, interrupts)
            left = ELSEWHERE if runtime.refusal and at_work(runtime.state) else leaving(runtime.state)
        output.note(left)
        return Exit.OK

    return await watching(place, output, watch)


async def _watch(place: Place, output: Output, runtime: RemoteRuntime, reader: Reader, interrupts: Interrupts) -> None:
    steering = Steering(runtime, runtime.say)
    can_ask = not output.as_json and is_interactive()
    typed = TypedLine(steering.take) if can_ask and output.is_terminal else None
    view = await _view(place, output, runtime, reader, typed)
    runtime.notes(lambda text: view.note(text.replace(WATCH, "what it does is shown from its log")))
    client = TerminalClient(view, interrupts.first, can_ask=can_ask, leaves=True)
    with ExitStack() as stack:
        stack.enter_context(runtime.listen(view.hear))
        stack.enter_context(runtime.watch_output(view.hear_output))
        stack.enter_context(view.running())
        stack.enter_context(runtime.attach(client))
        serving = asyncio.create_task(steering.serve(), name="steering")
        stack.callback(serving.cancel)
        await _until(serving, interrupts.first, output.closed, steering.left)


async def _until(serving: asyncio.Task[None], *events: asyncio.Event) -> None:
    """Returns when one of the events is set. Raises what ended the serving."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait((serving, *waits), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
    finally:
        for wait in waits:
            wait.cancel()


async def _view(place: Place, output: Output, runtime: RemoteRuntime, reader: Reader, typed: TypedLine | None) -> View:
    state = runtime.state
    if output.as_json:
        output.json({"type": "attached", "root": str(place.root), "seq": state.seq, "pid": os.getpid()})
        return AttachedJsonView(output)
    if not output.is_terminal:
        output.line(_standing(state))
        return LineView(output, way_out=LEAVES)
    from rich.console import Console

    from specloom.cli.views.live import LiveView

    now, heading = asyncio.get_running_loop().time, f"attached to {state.name or place.root.name}"
    view = LiveView(Console(file=output.stdout), state, now, heading, way_out=LEAVES, stays=True, typed=typed)
    view.begin_with(await reader.events(max(0, state.seq - PAST), PAST), state)
    return view


def _standing(state: ProjectState) -> str:
    """`attached: running, the whole project, …; 1/2 done`."""
    run = run_text(state.run) if state.run is not None else "nothing was run yet"
    scope = state.run.scope if state.run is not None and state.run.state is not RunState.FINISHED else Scope()
    counts = count_tasks(state, scope)
    return f"attached: {run}" + (f"; {counts_line(counts)}" if counts.total else "")
