"""Keeps what an attempt changed as one diff, and ticks boxes in the user's files. Refuses to touch any other byte."""

from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Literal

from specloom.domain.documents.rewrite import set_checkbox
from specloom.domain.events import proof
from specloom.domain.ids import TaskId, spec_of
from specloom.domain.project import ProjectState
from specloom.domain.scope import leaves_below
from specloom.domain.states import TaskState
from specloom.engine.context import EngineContext
from specloom.engine.journal import AttemptJournal
from specloom.workspace.changeset import ChangeSet
from specloom.workspace.ports import Applied, FileChange, WorkspaceError

TRIES = 3
"""A person may type in the spec at the moment the box is ticked; the newest text is read again that often."""


async def record_change_set(engine: EngineContext, journal: AttemptJournal, task: TaskId) -> None:
    """Commits the unified diff from before the attempt to the present texts; nothing when nothing changed."""
    if not journal.before or journal.attempt is None:
        return
    changes = (await ChangeSet.between(journal.before, engine.workspace)).shown(engine.options.redact)
    if changes.paths:
        recorded = proof.ChangeSetRecorded(journal.attempt, task, changes.diff, changes.paths)
        await engine.mailbox.record(recorded)


@contextmanager
def ticking(engine: EngineContext, task: TaskId) -> Generator[None]:
    """While a state and its box are changed one after the other, their difference is no problem of anybody's."""
    leaves, library = Counter(_leaves(engine.state, task)), engine.library
    library.ticking = library.ticking + leaves
    try:
        yield
    finally:
        library.ticking = library.ticking - leaves


async def tick(engine: EngineContext, task: TaskId) -> None:
    """Makes the boxes of the task, of all below it and of its parents say what the log says."""
    spec = engine.state.plan.specs.get(spec_of(task))
    if spec is None:
        return
    for _ in range(TRIES):
        # What was read last will do where the file still says that, which is looked at as it is written.
        written = await _write(engine, spec.path, task)
        if written != "nothing":
            await engine.library.refresh()
        if written != "stale":
            break


async def tick_rest(engine: EngineContext) -> None:
    """Writes the boxes that a crash left behind: the log has a verdict, and the file was not told.

    A proof that is stale, as on another branch, ticks nothing before it was renewed.
    """
    state = engine.state
    verdicts = {TaskState.DONE: True, TaskState.FAILED: False}
    for spec in tuple(engine.library.shelf.specs.values()):
        for definition in spec.tasks:
            if (
                definition.is_leaf
                and not state.record(definition.id).stale
                and verdicts.get(state.record(definition.id).state) is (not definition.ticked)
            ):
                await tick(engine, definition.id)


async def _write(engine: EngineContext, path: str, task: TaskId) -> Literal["boxes", "nothing", "stale"]:
    """What was written; `stale`: the file says something else than when it was read."""
    wanted = boxes(engine.state, task)
    spec = engine.library.shelf.specs.get(path)
    if spec is None:
        return "stale"
    try:
        present = await engine.workspace.read(path)
    except WorkspaceError as error:
        await engine.desk.tell("warning", f"the box of {task} was not ticked: {error}")
        return "nothing"
    if present.text != engine.library.shelf.texts[path]:
        return "stale"
    text = present.text
    for definition in spec.tasks:
        if definition.id in wanted and definition.ticked != wanted[definition.id]:
            text = set_checkbox(text, definition, wanted[definition.id])
    if text == present.text:
        return "nothing"
    journal = AttemptJournal(engine.ledger, engine.ids)
    change = FileChange(path, text, present, f"Specloom: {task}")
    return "boxes" if isinstance(await engine.workspace.recorded(journal).apply(change), Applied) else "stale"


def boxes(state: ProjectState, task: TaskId) -> dict[TaskId, bool]:
    """What the boxes of a task's leaves and of the parents above should say: a parent is done when its leaves are."""
    wanted: dict[TaskId, bool] = {}
    for leaf in _leaves(state, task):
        wanted[leaf] = state.record(leaf).state is TaskState.DONE
        wanted |= {above: _all_done(state, above) for above in _parents(state, leaf) if above not in wanted}
    return wanted


def _leaves(state: ProjectState, task: TaskId) -> tuple[TaskId, ...]:
    return leaves_below(state.graph, task) if task in state.graph.tasks else ()


def _parents(state: ProjectState, task: TaskId) -> Iterator[TaskId]:
    above = state.graph.tasks[task].parent
    while above is not None:
        yield above
        above = state.graph.tasks[above].parent


def _all_done(state: ProjectState, parent: TaskId) -> bool:
    leaves = leaves_below(state.graph, parent)
    done = (state.record(leaf).state in (TaskState.DONE, TaskState.SKIPPED) for leaf in leaves)
    return bool(leaves) and all(done)


async def diff_of(engine: EngineContext, task: TaskId) -> str:
    """The unified diffs of a task's attempts, oldest first; empty when it changed nothing."""
    known = engine.state.change_sets.get(task) or ()
    pages = [await engine.ledger.read(change.seq - 1, 1) for change in known]
    events = (item.event for page in pages for item in page)
    return "".join(event.diff for event in events if isinstance(event, proof.ChangeSetRecorded))
