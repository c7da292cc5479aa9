"""What every order has in common: how it is answered. Refuses to judge: the engine does."""

from specloom.domain.rejection import Rejected
from specloom.engine.api import Accepted
from specloom.lsp import protocol as p


def order_result(answer: Accepted | Rejected) -> p.OrderResult | Rejected:
    """The answer to an order that starts nothing with an id of its own."""
    if isinstance(answer, Rejected):
        return answer
    return p.OrderResult(seq=answer.seq, repeated=answer.repeated)


def plan_result(answer: Accepted | Rejected) -> p.PlanResult | Rejected:
    """The answer to an order that starts a plan."""
    if isinstance(answer, Rejected):
        return answer
    return p.PlanResult(seq=answer.seq, repeated=answer.repeated, plan_id=answer.id)
