"""Gathers what an attempt's first message holds. Refuses to leave out what the task names: missing ids are told."""

from pathlib import PurePosixPath

from specloom.agent.briefing import Briefing, LastAttempt, Proof
from specloom.agent.spec_text import whole_spec
from specloom.domain.ids import TaskId, spec_of
from specloom.domain.project import ProjectState
from specloom.domain.spec import Layout, TaskDefinition
from specloom.domain.states import TaskState
from specloom.engine.context import EngineContext
from specloom.engine.past_sessions import PastSessions
from specloom.workspace.ports import WorkspaceError

INSTRUCTIONS = "AGENTS.md"


async def brief(engine: EngineContext, task: TaskDefinition, verify: tuple[str, ...]) -> Briefing:
    """The briefing of the attempt in flight for `task`."""
    state = engine.state
    path, text = spec_shown(engine, task.id)
    named = {name: engine.library.requirement(name, spec_of(task.id)) for name in task.requirements}
    files = await engine.workspace.walk()
    shown = engine.options.limits.files_shown
    return Briefing(
        task=task,
        number=state.record(task.id).attempts,
        spec_path=path,
        spec_text=text,
        requirements=tuple(item for item in named.values() if item is not None),
        missing=tuple(name for name, item in named.items() if item is None),
        dependencies=earlier(state, task.id),
        verify=verify,
        last=await last_attempt(engine, task.id),
        instructions=await instructions(engine),
        files=files[:shown],
        files_left_out=max(len(files) - shown, 0),
        words=state.record(task.id).words,
    )


def spec_shown(engine: EngineContext, task: TaskId) -> tuple[str, str]:
    """The path of a task's spec, and its text as sessions that work on the task are shown it."""
    spec, texts = engine.state.plan.specs[spec_of(task)], engine.library.shelf.texts
    folder = PurePosixPath(spec.path).parent
    own = spec.layout is Layout.SPECLOOM
    paths = [] if own else [path for path in texts if path != spec.path and PurePosixPath(path).parent == folder]
    return spec.path, whole_spec(texts.get(spec.path, ""), tuple((path, texts[path]) for path in paths))


def earlier(state: ProjectState, task: TaskId) -> tuple[Proof, ...]:
    """What the task depends on, and what else of its spec is done; each once, in work order."""
    depends = frozenset(state.graph.depends.get(task, ()))
    same = (item.id for item in state.plan.specs[spec_of(task)].tasks if item.is_leaf and item.id != task)
    wanted = depends.union(name for name in same if state.record(name).state is TaskState.DONE)
    return tuple(proof_of(state, name, heard=name in depends) for name in state.graph.order if name in wanted)


def proof_of(state: ProjectState, task: TaskId, *, heard: bool) -> Proof:
    """What is known of an earlier task, with the words of its executor if they are to be `heard`."""
    record = state.record(task)
    title, claim = state.graph.tasks[task].title, record.claim if heard else ""
    return Proof(task, title, record.state.value, record.evidence, changed_paths(state, task), claim)


def changed_paths(state: ProjectState, task: TaskId) -> tuple[str, ...]:
    """The files in the change sets of a task, in the order of their first change."""
    sets = state.change_sets.get(task) or ()
    return tuple(dict.fromkeys(path for change in sets for path in change.paths))


async def last_attempt(engine: EngineContext, task: TaskId) -> LastAttempt | None:
    """What an attempt is told of those before it, whether they failed or ended without a verdict."""
    record = engine.state.record(task)
    known = record.past
    if known is None or not (record.feedback or known.released):
        return None
    events = await engine.ledger.read(known.began - 1, known.ended - known.began + 1)
    past = PastSessions.of(known.id, (item.event for item in events))
    said = past.claim or (past.last_words if known.released else "")
    return LastAttempt(record.feedback, said, changed_paths(engine.state, task), known.released, past.ran)


async def instructions(engine: EngineContext) -> tuple[tuple[str, str], ...]:
    """The root's AGENTS.md, if there is one that can be read."""
    try:
        return ((INSTRUCTIONS, (await engine.workspace.read(INSTRUCTIONS)).text),)
    except WorkspaceError:
        return ()
