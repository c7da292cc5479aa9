"""Opens the log for the commands that only read. Refuses to wait for whoever writes."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from specloom.cli.output import Output
from specloom.cli.ports import Place, Reader
from specloom.domain.problem import Problem
from specloom.domain.project import ProjectState

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


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a project without hosting it."""

    state: ProjectState
    problems: tuple[Problem, ...]
    """Of the documents."""
    from_log: bool
    """False: nothing was planned or run yet, and this is what the documents say."""


async def told(place: Place, output: Output) -> Told:
    """The log's projection; where nothing was planned or run yet, that of the documents as they stand."""
    async with opened_reader(place, output) as reader:
        state = reader.state if reader is not None else None
    if state is not None and (state.plan.specs or state.planning is not None):
        inside = (problem for path in sorted(state.plan.specs) for problem in state.plan.specs[path].problems)
        return Told(state, (*inside, *state.plan.problems), from_log=True)
    seen = await place.composition.preview(place.root, place.environment)
    if seen.has_log and state is not None:
        return Told(state, (), from_log=True)
    problems = (problem for path in sorted(seen.problems) for problem in seen.problems[path])
    return Told(seen.state, tuple(problems), from_log=False)
