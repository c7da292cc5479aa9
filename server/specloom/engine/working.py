"""What goes on in a project, told from its state. Refuses to count a paused run: it goes on when somebody says so."""

from specloom.domain.project import ProjectState


def at_work(state: ProjectState) -> tuple[str, ...]:
    """The run and the plan that go on, in words for people; empty: nothing does."""
    run, plan = state.run, state.running_plan
    found: list[str] = []
    if run is not None and run.works:
        found.append(f"run {run.id} ({run.state})")
    if plan is not None:
        found.append(f"plan {plan.id}")
    return tuple(found)
