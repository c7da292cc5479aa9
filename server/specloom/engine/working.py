"""What goes on in a project, told from its state. Refuses to count a paused run: it goes on when somebody says so."""

from specloom.domain.project import ProjectState
from specloom.domain.runs import RunState


def at_work(state: ProjectState) -> tuple[str, ...]:
    """The run and the plan that go on, in words for people; empty: nothing does."""
    run, plan = state.run, state.planning
    found: list[str] = []
    if run is not None and run.state in (RunState.RUNNING, RunState.PAUSING, RunState.CANCELLING):
        found.append(f"run {run.id} ({run.state})")
    if plan is not None and plan.state == "running":
        found.append(f"plan {plan.id}")
    return tuple(found)
