"""`specloom/spec/*`. Refuses to wait for a plan: it is heard of through events."""

from lsprotocol import types

from specloom.domain.ids import SpecId
from specloom.domain.rejection import Rejected
from specloom.lsp import protocol as p
from specloom.lsp.capabilities import shows_documents
from specloom.lsp.features.orders import order_result, plan_result
from specloom.lsp.ordered import overrides_of
from specloom.lsp.serving import Hosted

SHOW_DEADLINE = 10.0


async def generate(hosted: Hosted, params: p.SpecGenerateParams) -> p.PlanResult | Rejected:
    """`specloom/spec/generate`."""
    path = None
    if params.uri is not None:
        path = hosted.path_of(params.uri)
        if path is None:
            return Rejected("outside-root", f"{params.uri} is not a file below {hosted.places.named}")
    hosted.connection.settings.ordered = overrides_of(params.model, params.base_url)
    return plan_result(
        await hosted.runtime.plan(path, params.feedback, hosted.by, params.command_id, unattended=params.unattended)
    )


async def settle(hosted: Hosted, params: p.SpecSettleParams) -> p.OrderResult | Rejected:
    """`specloom/spec/settle`."""
    spec = SpecId(params.spec_id)
    return order_result(await hosted.runtime.settle_spec(spec, params.choice, hosted.by, params.command_id), "plan")


async def cancel(hosted: Hosted, params: p.SpecCancelParams) -> p.OrderResult | Rejected:
    """`specloom/spec/cancel`."""
    return order_result(await hosted.runtime.cancel_plan(hosted.by, params.command_id))


async def show(hosted: Hosted, params: p.SpecShowParams) -> p.SpecShowResult | Rejected:
    """`specloom/spec/show`."""
    spec = hosted.state.plan.specs.get(SpecId(params.spec_id))
    if spec is None:
        known = tuple(sorted(hosted.state.plan.specs.keys()))
        return Rejected("unknown-spec", f"There is no spec {params.spec_id!r}", known[:5])
    uri = hosted.places.uri_of(spec.path)
    shown = False
    if shows_documents(hosted.connection.outgoing.capabilities):
        asked = types.ShowDocumentParams(uri, take_focus=True)
        answer = await hosted.connection.outgoing.request(types.WINDOW_SHOW_DOCUMENT, asked, SHOW_DEADLINE)
        shown = getattr(answer, "success", False) is True
    return p.SpecShowResult(uri=uri, shown=shown)
