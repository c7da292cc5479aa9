"""Estimates a run with the models and prices of a root. Refuses to ask a model, and to start anything."""

from specloom.agent.roles import RoleName
from specloom.domain.decide import check_scope
from specloom.domain.estimates import Estimate, estimate
from specloom.domain.prices import TokenCounts
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Scope
from specloom.engine.options import EngineOptions
from specloom.llm.messages import Usage


def estimate_run(options: EngineOptions, state: ProjectState, scope: Scope) -> Estimate | Rejected:
    """What the executor's model will probably be asked and paid; a project without tasks is estimated with its plan."""
    fault = check_scope(state, scope)
    if fault is not None and not (fault.code == "no-tasks" and scope.kind == "project" and state.requirements):
        return fault
    model = options.roles[RoleName.EXECUTOR].model

    def cost(counts: TokenCounts) -> float | None:
        usage = Usage(counts.input, counts.output, counts.cache_read, counts.cache_write)
        return options.pricing.total(model, usage).cost_usd

    return estimate(state, scope, model, cost)
