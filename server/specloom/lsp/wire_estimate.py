"""An estimate as a wire shape. Refuses to round: clients do."""

from specloom.domain import estimates
from specloom.lsp.protocol_estimate import RunEstimateResult, Span
from specloom.lsp.wire_events import wire_scope


def wire_estimate(found: estimates.Estimate) -> RunEstimateResult:
    """All of it."""
    return RunEstimateResult(
        scope=wire_scope(found.scope),
        tasks=found.tasks,
        held=found.held,
        rechecked=found.rechecked,
        unplanned=found.unplanned,
        planned=found.planned,
        basis=found.basis,
        samples=found.samples,
        model=found.model,
        turns=_span(found.turns),
        input=_span(found.input),
        output=_span(found.output),
        cached=found.cached,
        cost_usd=None if found.usd is None else _span(found.usd),
    )


def _span(span: estimates.Span) -> Span:
    return Span(low=span.low, likely=span.likely, high=span.high)
