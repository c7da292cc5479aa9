"""A plan that ended before each of its specs had its tasks. Refuses to take specs that people wrote for one."""

from specloom.domain.ids import SpecId
from specloom.domain.project import PlanRecord, ProjectState
from specloom.domain.spec import SpecStatus


def left_plan(state: ProjectState) -> PlanRecord | None:
    """The newest plan, if it has `broken_off` and no run goes on since."""
    run = state.run
    return state.planning if broken_off(state) and (run is None or not run.active) else None


def broken_off(state: ProjectState) -> tuple[SpecId, ...]:
    """What the newest plan left where it failed or was cut off: specs without tasks, or whose text is not finished."""
    plan = state.planning
    if plan is None or plan.state != "failed" or plan.path not in state.requirements:
        return ()
    specs = (state.plan.specs[name] for name in sorted(state.plan.specs))
    return tuple(spec.id for spec in specs if not spec.tasks or spec.status is SpecStatus.GENERATING)
