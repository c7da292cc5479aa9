"""`specloom/run/*`. Refuses to wait for a run: it is heard of through events."""

from specloom.domain.permissions.rules import Profile
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, Scope
from specloom.lsp import protocol as p
from specloom.lsp.features.orders import order_result, started
from specloom.lsp.ordered import overrides_of
from specloom.lsp.protocol_estimate import RunEstimateParams, RunEstimateResult
from specloom.lsp.serving import Hosted
from specloom.lsp.wire_estimate import wire_estimate


async def start(hosted: Hosted, params: p.RunStartParams) -> p.RunStartResult | Rejected:
    """`specloom/run/start`."""
    scope = _scope(params.scope)
    budget = Budget(**params.budget.model_dump())
    profile = None if params.profile is None else Profile(params.profile)
    hosted.connection.settings.ordered = overrides_of(params.model, params.base_url)
    accepted = await hosted.runtime.start_run(
        scope, budget, hosted.by, params.command_id, unattended=params.unattended, profile=profile
    )
    answer = started(accepted, "run")
    if isinstance(answer, Rejected):
        return answer
    return p.RunStartResult(seq=answer.seq, repeated=answer.repeated, run_id=answer.id)


async def estimate(hosted: Hosted, params: RunEstimateParams) -> RunEstimateResult | Rejected:
    """`specloom/run/estimate`."""
    found = hosted.runtime.estimate(_scope(params.scope))
    return found if isinstance(found, Rejected) else wire_estimate(found)


def _scope(wanted: p.Scope) -> Scope:
    return Scope() if isinstance(wanted, p.ProjectScope) else Scope(wanted.kind, wanted.id)


async def pause(hosted: Hosted, params: p.RunPauseParams) -> p.OrderResult | Rejected:
    """`specloom/run/pause`."""
    now, later = params.when == "now", params.when == "afterTask"
    return order_result(await hosted.runtime.pause(hosted.by, params.command_id, at_once=now, after_task=later))


async def resume(hosted: Hosted, params: p.RunResumeParams) -> p.OrderResult | Rejected:
    """`specloom/run/resume`."""
    profile = None if params.profile is None else Profile(params.profile)
    hosted.connection.settings.ordered = overrides_of(params.model, params.base_url)
    answer = await hosted.runtime.resume(hosted.by, params.command_id, unattended=params.unattended, profile=profile)
    return order_result(answer, "run")


async def cancel(hosted: Hosted, params: p.RunOrderParams) -> p.OrderResult | Rejected:
    """`specloom/run/cancel`."""
    return order_result(await hosted.runtime.cancel(hosted.by, params.command_id))
