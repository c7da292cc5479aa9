"""The picture in a terminal: task tree, what the agent does now, cost. Refuses to lose what a person must see."""

import asyncio
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.rule import Rule
from rich.text import Text

from specloom.cli.typed_line import TypedLine
from specloom.cli.views.activity import Activity
from specloom.cli.views.endings import counts_line
from specloom.cli.views.event_lines import EventLines, run_end
from specloom.cli.views.formats import elapsed, folded, one_line, usage, visible, visible_line
from specloom.cli.views.marks import MARKS, PLAIN_SPINNER, SPINNER
from specloom.cli.views.plan_lines import plan_lines
from specloom.cli.views.rows import spec_rows
from specloom.cli.views.summary import Worked, count_tasks
from specloom.cli.views.tree import Pen, fit
from specloom.cli.views.view import WAY_OUT
from specloom.domain.events.runs import RunEvent, RunResumed, RunStarted
from specloom.domain.project import ProjectState, RunRecord
from specloom.domain.runs import RunState, Scope
from specloom.domain.states import TaskState
from specloom.engine.api import OutputChunk, Published
from specloom.engine.working import at_work

HINT = "say something to the agent, or /help"
INTERVAL = 0.1
"""Seconds between two frames."""


class LiveView:
    """Redraws a few times a second; what a person must see is printed above and stays."""

    def __init__(
        self,
        console: Console,
        state: ProjectState,
        now: Callable[[], float],
        heading: str,
        *,
        way_out: str = WAY_OUT,
        stays: bool = False,
        typed: TypedLine | None = None,
    ) -> None:
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
        self._way_out = way_out
        self._typed = typed
        """Where a person may say something."""
        self._stays = stays
        """Whether it is looked at also while nothing runs: nobody else tells then how a run ended."""

    def begin_with(self, past: Iterable[Published], state: ProjectState) -> None:
        """Shows what goes on already; `past` are the events that led to `state`."""
        for published in past:
            self._activity.hear(published, state)
            self._lines.of(published, state)
        self._worked.join(state)
        if state.run is not None and state.run.active:
            self._take_up(state.run)

    def _take_up(self, run: RunRecord) -> None:
        self._scope, self._started = run.scope, self._now() - run.spent.seconds

    def focus(self, scope: Scope) -> None:
        """The tree shows this scope alone."""
        self._scope = scope

    def hear(self, published: Published, state: ProjectState) -> None:
        """Takes in an event; important ones are printed above the picture."""
        self._state = state
        self._activity.hear(published, state)
        self._worked.hear(published)
        if self._stays and isinstance(published.event, RunStarted | RunResumed) and state.run is not None:
            self._take_up(state.run)
        ending = self._stays and isinstance(published.event, RunEvent)
        for line in self._lines.of(published, state):
            if line.weight < 2 and not ending:
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
        if self._typed is not None:
            self._typed.open()

    def _end(self) -> None:
        if self._typed is not None:
            self._typed.close()
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
        plan = self._state.running_plan
        if plan is not None:
            return plan_lines(self._state, plan, pen, height)
        return fit(spec_rows(self._state, self._scope), pen, height)

    def _frame(self, plain: bool) -> str:
        frames = PLAIN_SPINNER if plain else SPINNER
        if not at_work(self._state) and (self._stays or self._paused()):
            mark = MARKS[TaskState.IN_PROGRESS]
            return mark.plain if plain else mark.symbol
        return frames[int((self._now() - self._started) / INTERVAL) % len(frames)]

    def _paused(self) -> bool:
        run = self._state.run
        return run is not None and run.state is RunState.PAUSED

    def _below(self, width: int) -> list[Text]:
        lines = [self._who(), self._words(width), self._totals()]
        if self._typed is not None:
            lines.append(self._said(self._typed.text, width))
        for line in lines:
            line.no_wrap = True
            line.truncate(width, overflow="ellipsis")
        return lines

    def _who(self) -> Text:
        now = self._activity
        if not now.step:
            told = self._stays or self._paused()
            return Text(f"{self._heading}: {self._standing()}" if told else self._heading, style="dim")
        actor = " ".join(part for part in (now.role, now.task or "") if part)
        step = f"{now.step}; {self._way_out}" if self._waiting else now.step
        return Text.assemble((f"{actor}  " if actor else "", "bold"), (visible_line(step), "cyan"))

    def _standing(self) -> str:
        run = self._state.run
        if run is None:
            return "nothing was run yet"
        return visible_line(run_end(run.outcome, "") if run.outcome else run.state.value)

    def _seconds(self) -> float:
        """Of work, where it is looked at also while nothing runs."""
        run = self._state.run
        resting = self._stays and run is not None and not at_work(self._state)
        return run.spent.seconds if run is not None and resting else self._now() - self._started

    def _words(self, width: int) -> Text:
        if self._waiting:
            return Text(visible_line(self._waiting), style="yellow")
        words = one_line(self._activity.words, 10_000)
        return Text(words if len(words) < width else "…" + words[-(width - 2) :], style="dim italic")

    def _said(self, text: str, width: int) -> Text:
        """The end of what is being typed, which is where a person looks."""
        if not text:
            waiting = len(self._state.prompts)
            heard = f"{waiting} not heard yet · " if waiting else ""
            return Text.assemble(("> ", "bold"), (f"{heard}{HINT}", "dim"))
        room = max(1, width - 4)
        shown = text if cell_len(text) <= room else "…" + set_cell_size(text[::-1], room - 1)[::-1]
        return Text.assemble(("> ", "bold"), visible_line(shown), ("▏", "bold"))

    def _planning(self) -> str:
        """How many of the texts that the outline asks for are written."""
        plan = self._state.planning
        return f"planning, {plan.steps_done} of {plan.steps} texts" if plan is not None and plan.steps else "planning"

    def _totals(self) -> Text:
        counts = count_tasks(self._state, self._scope)
        parts = [counts_line(counts)] if counts.total else [self._planning()]
        parts += [usage(self._worked.spent(self._state).usage), elapsed(self._seconds())]
        return Text(" · ".join(parts), style="bold")
