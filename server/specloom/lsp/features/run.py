"""`specloom/run/*`. Refuses to wait for a run: it is heard of through events."""

from specloom.domain.permissions.rules import Profile
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, Scope
from specloom.lsp import protocol as p
from specloom.lsp.features.orders import order_result
from specloom.lsp.serving import Hosted


async def start(hosted: Hosted, params: p.RunStartParams) -> p.RunStartResult | Rejected:
    """`specloom/run/start`."""
    wanted = params.scope
    scope = Scope() if isinstance(wanted, p.ProjectScope) else Scope(wanted.kind, wanted.id)
    budget = Budget(**params.budget.model_dump())
    profile = None if params.profile is None else Profile(params.profile)
    answer = await hosted.runtime.start_run(scope, budget, hosted.by, params.command_id, profile=profile)
    if isinstance(answer, Rejected):
        return answer
    return p.RunStartResult(seq=answer.seq, repeated=answer.repeated, run_id=answer.id)


async def pause(hosted: Hosted, params: p.RunOrderParams) -> p.OrderResult | Rejected:
    """`specloom/run/pause`."""
    return order_result(await hosted.runtime.pause(hosted.by, params.command_id))


async def resume(hosted: Hosted, params: p.RunOrderParams) -> p.OrderResult | Rejected:
    """`specloom/run/resume`."""
    return order_result(await hosted.runtime.resume(hosted.by, params.command_id))


async def cancel(hosted: Hosted, params: p.RunOrderParams) -> p.OrderResult | Rejected:
    """`specloom/run/cancel`."""
    return order_result(await hosted.runtime.cancel(hosted.by, params.command_id))
