"""Gathers what an attempt's first message holds. Refuses to leave out what the task names: missing ids are told."""

from specloom.agent.briefing import Briefing, Proof
from specloom.domain.ids import TaskId, spec_of
from specloom.domain.project import ProjectState
from specloom.domain.spec import TaskDefinition
from specloom.engine.context import EngineContext
from specloom.workspace.ports import WorkspaceError

INSTRUCTIONS = "AGENTS.md"


async def brief(engine: EngineContext, task: TaskDefinition, verify: tuple[str, ...]) -> Briefing:
    """The briefing of the attempt in flight for `task`."""
    state = engine.state
    spec = state.plan.specs[spec_of(task.id)]
    named = {name: engine.library.requirement(name) for name in task.requirements}
    files = await engine.workspace.walk()
    shown = engine.options.limits.files_shown
    return Briefing(
        task=task,
        number=state.record(task.id).attempts,
        spec_path=spec.path,
        spec_text=engine.library.shelf.texts.get(spec.path, ""),
        requirements=tuple(item for item in named.values() if item is not None),
        missing=tuple(name for name, item in named.items() if item is None),
        dependencies=tuple(proof_of(state, name) for name in state.graph.depends.get(task.id, ())),
        verify=verify,
        feedback=state.record(task.id).feedback,
        instructions=await instructions(engine),
        files=files[:shown],
        files_left_out=max(len(files) - shown, 0),
    )


def proof_of(state: ProjectState, task: TaskId) -> Proof:
    """What is known of a task that another depends on."""
    sets = state.change_sets.get(task) or ()
    paths = tuple(dict.fromkeys(path for change in sets for path in change.paths))
    record = state.record(task)
    return Proof(task, state.graph.tasks[task].title, record.state.value, record.evidence, paths)


async def instructions(engine: EngineContext) -> tuple[tuple[str, str], ...]:
    """The root's AGENTS.md, if there is one that can be read."""
    try:
        return ((INSTRUCTIONS, (await engine.workspace.read(INSTRUCTIONS)).text),)
    except WorkspaceError:
        return ()
