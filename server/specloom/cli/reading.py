"""Opens the log for the commands that only read. Refuses to wait for whoever writes."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from specloom.cli.failures import Exit
from specloom.cli.interrupts import Interrupts
from specloom.cli.output import Output
from specloom.cli.ports import Place, Reader
from specloom.domain.problem import Problem
from specloom.domain.project import ProjectState
from specloom.domain.runs import RunState

NOTHING_YET = "nothing planned yet; `specloom plan` turns the requirements into specs and tasks"


@asynccontextmanager
async def opened_reader(place: Place, output: Output) -> AsyncGenerator[Reader | None]:
    """The reader, or `None` where there is no log yet."""
    from specloom.store.errors import StoreMissingError

    try:
        reader = await place.composition.open_reader(place.root, place.environment)
    except StoreMissingError:
        yield None
        return
    if reader.newer is not None:
        output.note(str(reader.newer))
    try:
        yield reader
    finally:
        await reader.close()


async def watching(place: Place, output: Output, watch: Callable[[Reader, Interrupts], Awaitable[Exit]]) -> Exit:
    """What `watch` returns, which hears Ctrl-C by what it is given; where there is no log yet, that is said."""
    async with opened_reader(place, output) as reader:
        if reader is None:
            if not output.as_json:
                output.line(NOTHING_YET)
            return Exit.OK
        interrupts = Interrupts()
        with interrupts.caught():
            return await watch(reader, interrupts)


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a project without hosting it."""

    state: ProjectState
    problems: tuple[Problem, ...]
    """Of the documents."""
    from_log: bool
    """False: nothing was planned or run yet, and this is what the documents say."""
    writer: str | None = None
    """Who writes the log now."""

    @property
    def stopped(self) -> bool:
        """Whether whoever worked here ended without a word."""
        return self.writer is None and is_going_on(self.state)


def is_going_on(state: ProjectState) -> bool:
    """Whether the log says that somebody works; whoever was killed could not write otherwise."""
    run, planning = state.run, state.planning
    planned = planning is not None and planning.state == "running"
    return planned or (run is not None and run.active and run.state is not RunState.PAUSED)


async def told(place: Place, output: Output) -> Told:
    """The log's projection; where nothing was planned or run yet, that of the documents as they stand."""
    async with opened_reader(place, output) as reader:
        writer = await reader.writer() if reader is not None else None
        # In this order: who ended in between has written its last word.
        state = await reader.refresh() if reader is not None else None
    if state is not None and (state.plan.specs or state.planning is not None):
        inside = (problem for path in sorted(state.plan.specs) for problem in state.plan.specs[path].problems)
        return Told(state, (*inside, *state.plan.problems), from_log=True, writer=writer)
    seen = await place.composition.preview(place.root, place.environment)
    if seen.has_log and state is not None:
        return Told(state, (), from_log=True, writer=writer)
    problems = (problem for path in sorted(seen.problems) for problem in seen.problems[path])
    return Told(seen.state, tuple(problems), from_log=False)
