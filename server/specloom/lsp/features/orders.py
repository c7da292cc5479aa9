"""What every order has in common: how it is answered. Refuses to judge: the engine does."""

from specloom.domain.rejection import Rejected
from specloom.engine.api import Accepted
from specloom.lsp import protocol as p

REUSED = Rejected(
    "command-id-used",
    "This `commandId` was given to another order before, so nothing was done; take a fresh one for each order",
)
KINDS = frozenset(("run", "plan", "prompt"))
"""Of what orders start; an id begins with its kind."""


def started(answer: Accepted | Rejected, kind: str) -> Accepted | Rejected:
    """The same; refused where the order that was given with this `commandId` before started nothing of the kind."""
    anothers = isinstance(answer, Accepted) and answer.repeated and _kind(answer) != kind
    return REUSED if anothers else answer


def _kind(answer: Accepted) -> str:
    return answer.id.partition("-")[0]


def order_result(answer: Accepted | Rejected, kind: str = "") -> p.OrderResult | Rejected:
    """The answer to an order that starts nothing with an id of its own; `kind`: what it may go on with."""
    if isinstance(answer, Rejected):
        return answer
    if answer.repeated and _kind(answer) in KINDS - {kind}:
        return REUSED
    return p.OrderResult(seq=answer.seq, repeated=answer.repeated)


def plan_result(answer: Accepted | Rejected) -> p.PlanResult | Rejected:
    """The answer to an order that starts a plan."""
    taken = started(answer, "plan")
    if isinstance(taken, Rejected):
        return taken
    return p.PlanResult(seq=taken.seq, repeated=taken.repeated, plan_id=taken.id)
