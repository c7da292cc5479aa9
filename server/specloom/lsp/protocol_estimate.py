"""What a run would probably take, as it goes over the wire. Refuses to guess: the engine does."""

from typing import Literal

from specloom.lsp.protocol import Count, Params, Scope, Wire


class RunEstimateParams(Params):
    """What a run of a scope would probably take; nothing is started."""

    scope: Scope


class Span(Wire):
    """Probably `likely`, seldom outside of `low` and `high`."""

    low: float
    likely: float
    high: float


class RunEstimateResult(Wire):
    """Rests on what done tasks took."""

    scope: Scope
    tasks: Count
    """That the run will work on."""
    held: Count
    """Failed or blocked ones in scope, which it leaves alone."""
    rechecked: Count
    """Done ones in scope whose doubtful proof it verifies again, which asks no model."""
    unplanned: Count
    """Specs that a plan left without tasks: what they take comes on top."""
    planned: bool
    """False: there are no tasks yet. Their number is a guess from the requirements, and planning is included."""
    basis: Literal["history", "examples"]
    """`examples`: too little was done here, so the tasks of the shipped examples stand in."""
    samples: Count
    """How many done tasks it rests on."""
    model: str
    turns: Span
    input: Span
    """Tokens of all requests, cached ones included."""
    output: Span
    cached: float
    """The share of `input` that a cache answers, from 0 to 1."""
    cost_usd: Span | None
    """`null`: the price of the model is unknown."""
