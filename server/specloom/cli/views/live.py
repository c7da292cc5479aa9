"""The picture in a terminal: task tree, what the agent does now, cost. Refuses to lose what a person must see."""

import asyncio
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.rule import Rule
from rich.text import Text

from specloom.cli.views.activity import Activity
from specloom.cli.views.endings import counts_line
from specloom.cli.views.event_lines import EventLines
from specloom.cli.views.formats import elapsed, folded, one_line, usage, visible, visible_line
from specloom.cli.views.marks import PLAIN_SPINNER, SPINNER
from specloom.cli.views.plan_lines import plan_lines
from specloom.cli.views.rows import spec_rows
from specloom.cli.views.summary import Worked, count_tasks
from specloom.cli.views.tree import Pen, fit
from specloom.domain.events.runs import RunStarted
from specloom.domain.project import ProjectState
from specloom.domain.runs import Scope
from specloom.engine.api import OutputChunk, Published

INTERVAL = 0.1
"""Seconds between two frames."""


class LiveView:
    """Redraws a few times a second; what a person must see is printed above and stays."""

    def __init__(self, console: Console, state: ProjectState, now: Callable[[], float], heading: str) -> None:
        self._console = console
        self._state = state
        self._now = now
        self._started = now()
        self._heading = heading
        self._scope = Scope()
        self._activity = Activity()
        self._lines = EventLines()
        self._worked = Worked()
        self._live: Live | None = None
        self._waiting = ""

    def begin_with(self, past: Iterable[Published], state: ProjectState) -> None:
        """Shows what goes on already; `past` are the events that led to `state`."""
        for published in past:
            self._activity.hear(published, state)
            self._lines.of(published, state)
        self._worked.join(state)
        run = state.run
        self._scope = run.scope if run is not None and run.active else Scope()

    def focus(self, scope: Scope) -> None:
        """The tree shows this scope alone."""
        self._scope = scope

    def hear(self, published: Published, state: ProjectState) -> None:
        """Takes in an event; important ones are printed above the picture."""
        self._state = state
        self._activity.hear(published, state)
        self._worked.hear(published)
        if isinstance(published.event, RunStarted):
            self._scope = published.event.scope
        for line in self._lines.of(published, state):
            if line.weight < 2:
                continue
            text = folded(f"{'  ' * line.indent}{visible(line.text)}", self._console.width)
            self._console.print(Text(text, style=line.style))

    def hear_output(self, chunk: OutputChunk) -> None:
        """Takes in a piece of the stream."""
        self._activity.hear_output(chunk)

    def note(self, text: str) -> None:
        """Above the picture."""
        self._console.print(Text(visible(text)))

    def waiting(self, text: str, seconds: float) -> None:
        """In the place of the model's words, which there are none of."""
        del seconds
        self._waiting = text

    @contextmanager
    def running(self) -> Generator[None]:
        """Draws while the context is open, and leaves nothing behind: the command prints the end itself."""
        self._begin()
        ticking = asyncio.get_running_loop().create_task(self._tick())
        try:
            yield
        finally:
            ticking.cancel()
            self._end()

    @contextmanager
    def paused(self) -> Generator[None]:
        """Takes the picture away for a question, which stays in sight."""
        self._end()
        try:
            yield
        finally:
            self._begin()

    def _begin(self) -> None:
        # A new one each time: a picture that was stopped would be drawn over what was printed since.
        self._live = Live(self, console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def _end(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            if self._live is not None:
                self._live.refresh()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One frame, never higher than the terminal."""
        width, height = options.max_width, console.size.height
        below = self._below(width)
        pen = Pen(width, options.ascii_only, self._frame(options.ascii_only))
        yield from self._above(pen, max(height - len(below) - 2, 1))
        yield Rule(style="dim", characters="-" if options.ascii_only else "─")
        yield from below

    def _above(self, pen: Pen, height: int) -> list[Text]:
        planning = self._state.planning
        if planning is not None and planning.state == "running":
            return plan_lines(self._state, planning, pen, height)
        return fit(spec_rows(self._state, self._scope), pen, height)

    def _frame(self, plain: bool) -> str:
        frames = PLAIN_SPINNER if plain else SPINNER
        return frames[int((self._now() - self._started) / INTERVAL) % len(frames)]

    def _below(self, width: int) -> list[Text]:
        lines = [self._who(), self._words(width), self._totals()]
        for line in lines:
            line.no_wrap = True
            line.truncate(width, overflow="ellipsis")
        return lines

    def _who(self) -> Text:
        now = self._activity
        if not now.step:
            return Text(self._heading, style="dim")
        actor = " ".join(part for part in (now.role, now.task or "") if part)
        step = f"{now.step}; Ctrl-C stops" if self._waiting else now.step
        return Text.assemble((f"{actor}  " if actor else "", "bold"), (visible_line(step), "cyan"))

    def _words(self, width: int) -> Text:
        if self._waiting:
            return Text(visible_line(self._waiting), style="yellow")
        words = one_line(self._activity.words, 10_000)
        return Text(words if len(words) < width else "…" + words[-(width - 2) :], style="dim italic")

    def _planning(self) -> str:
        """How many of the texts that the outline asks for are written."""
        plan = self._state.planning
        return f"planning, {plan.steps_done} of {plan.steps} texts" if plan is not None and plan.steps else "planning"

    def _totals(self) -> Text:
        counts = count_tasks(self._state, self._scope)
        parts = [counts_line(counts)] if counts.total else [self._planning()]
        parts += [usage(self._worked.spent(self._state).usage), elapsed(self._now() - self._started)]
        return Text(" · ".join(parts), style="bold")
