"""The terminal as a client of the runtime: it can be asked, and owns no buffers. Refuses to answer for a person."""

import asyncio
import os
import sys
from typing import Literal

from specloom.cli.views.formats import one_line, visible
from specloom.cli.views.view import View
from specloom.engine.api import Question
from specloom.workspace.ports import EditResult, FileChange, NotApplied, Refusal


class TerminalClient:
    """Implements `engine.api.Client`."""

    def __init__(self, view: View, stop: asyncio.Event, *, can_ask: bool, leaves: bool = False) -> None:
        self.id = f"cli-{os.getpid()}"
        self.final = True
        """Who does not answer here will not do so later: the command ends."""
        self._view = view
        self._stop = stop
        self._can_ask = can_ask
        self._leaves = leaves
        """Who leaves says neither yes nor no: somebody else may."""
        self._asking = asyncio.Lock()

    async def apply(self, change: FileChange) -> EditResult:
        """A terminal has no document open."""
        return NotApplied(Refusal.CLIENT_REFUSED, f"{change.path} is not open in this terminal", None)

    async def save(self, paths: tuple[str, ...], deadline: float) -> tuple[str, ...]:  # noqa: ARG002 - the port's
        """Nothing here can be saved, so everything stays as dirty as it was."""
        return paths

    async def ask(self, question: Question) -> str | None:
        """Puts the question to the person; `None` where there is none to ask."""
        if not self._can_ask:
            if self._leaves:
                # It waits in the queue of the daemon, and says nothing by itself.
                self._view.note(f"it asks: {one_line(question.subject)}; `specloom approve` lists it and answers")
            return None
        async with self._asking:
            with self._view.paused():
                return await self._unless_stopped(question)

    async def _unless_stopped(self, question: Question) -> str | None:
        """Ctrl-C at a question is a no, unless it only means to leave."""
        answering = asyncio.create_task(_put(question))
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({answering, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                return answering.result()
            return question.choices[-1] if question.choices and not self._leaves else None
        except asyncio.CancelledError:
            # Somebody else has answered: what is said next begins a line of its own.
            _print("")
            raise
        finally:
            answering.cancel()
            stopping.cancel()
            # The input is free before somebody else takes it.
            await asyncio.gather(answering, stopping, return_exceptions=True)

    async def tell(self, level: Literal["info", "warning", "error"], message: str) -> None:
        """A note in the view."""
        self._view.note(message if level == "info" else f"{level}: {message}")


def is_interactive() -> bool:
    """Whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


_TITLES = {
    "command": "The agent wants to run",
    "proposal": "This project proposes",
    "question": "The agent asks",
    "budget": "A limit is reached",
}


async def _put(question: Question) -> str | None:
    _print(f"\n{_TITLES[question.kind]}:\n\n{_indented(question.subject)}\n")
    if question.purpose:
        _print(f"  {visible(question.purpose)}\n")
    if question.kind == "question":
        return await _choose(question.choices)
    yes, no = question.choices[0], question.choices[-1]
    many = len(question.choices) > 2
    for number, choice in enumerate(question.choices, start=1) if many else ():
        _print(f"  {number}. {visible(choice)}")
    while True:
        _print(f"{yes}? {'A number / ' if many else ''}[y]es / [n]o: ", end="")
        answer = await read_line()
        if answer is None:
            return None
        if many and answer.strip() in {str(number + 1) for number in range(len(question.choices))}:
            return question.choices[int(answer) - 1]
        if answer.strip().lower() in ("y", "yes"):
            return yes
        if answer.strip().lower() in ("n", "no"):
            return no


async def _choose(choices: tuple[str, ...]) -> str | None:
    for number, choice in enumerate(choices, start=1):
        _print(f"  {number}. {visible(choice)}")
    _print("Your answer (a number, or words): " if choices else "Your answer: ", end="")
    answer = await read_line()
    if not answer:
        return None
    chosen = answer.strip()
    if chosen.isdecimal() and 1 <= int(chosen) <= len(choices):
        return choices[int(chosen) - 1]
    return chosen or None


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in visible(text).splitlines())


def _print(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


async def read_line() -> str | None:
    """The next line of standard input, `None` at its end; cancelling leaves the input untouched."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()
    descriptor = sys.stdin.fileno()

    def ready() -> None:
        loop.remove_reader(descriptor)
        if not line.done():
            # The terminal hands over whole lines, so this does not wait.
            line.set_result(os.read(descriptor, 4096).decode(errors="replace"))

    loop.add_reader(descriptor, ready)
    try:
        return await line or None
    finally:
        loop.remove_reader(descriptor)
