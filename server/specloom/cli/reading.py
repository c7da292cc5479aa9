"""Opens the log for the commands that only read. Refuses to wait for whoever writes."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from specloom.cli.failures import Exit
from specloom.cli.interrupts import Interrupts
from specloom.cli.output import Output
from specloom.cli.ports import Place, Reader
from specloom.domain.ids import spec_of
from specloom.domain.problem import Problem, in_order
from specloom.domain.project import ProjectState
from specloom.domain.runs import RunState

NOTHING_YET = "nothing planned yet; `specloom plan` turns the requirements into specs and tasks"

OF_TASKS = ("task-failed", "verification-failed", "task-blocked", "proof-stale", "proof-outdated", "edit-refused")
"""Problems that repeat what the state of a task says."""


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
    now: ProjectState | None = None
    """What documents and files make of that since; `None`: nobody looked, or whoever writes does."""

    @property
    def stopped(self) -> bool:
        """Whether whoever worked here ended without a word."""
        return self.writer is None and is_going_on(self.state)


def is_going_on(state: ProjectState) -> bool:
    """Whether the log says that somebody works; whoever was killed could not write otherwise."""
    run = state.run
    return state.running_plan is not None or (run is not None and run.active and run.state is not RunState.PAUSED)


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
    return Told(seen.state, in_order(seen.problems), from_log=False)


async def looked(known: Told, place: Place) -> Told:
    """The same with a look at documents and files, where nobody works here who would have told of a change."""
    if not known.from_log or known.writer is not None:
        return known
    seen = await place.composition.preview(place.root, place.environment, log=known.state)
    found = tuple(item for item in in_order(seen.problems) if item.code not in OF_TASKS)
    return replace(known, problems=found, now=seen.state)


def changed_since(known: Told) -> tuple[str, ...]:
    """Documents that read otherwise than the log says."""
    log, now = known.state, known.now
    if now is None:
        return ()
    before, after = log.requirements, now.requirements
    paths = {path for path in (*before, *after) if before.get(path) != after.get(path)}
    moved = {spec_of(task) for task in now.graph.order if log.state_of(task) is not now.state_of(task)}
    for name in (*log.plan.specs, *now.plan.specs):
        was, spec = log.plan.specs.get(name), now.plan.specs.get(name)
        if was != spec or name in moved:
            paths |= {each.path for each in (was, spec) if each is not None}
    return tuple(sorted(paths))
