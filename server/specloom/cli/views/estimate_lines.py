"""An estimate as people and programs read it. Refuses more digits than it is worth."""

from collections.abc import Callable, Iterator

from specloom.cli.views.event_lines import scope_name
from specloom.cli.views.formats import count, money, tokens
from specloom.domain.estimates import ENOUGH, Estimate, Span


def estimate_lines(found: Estimate) -> Iterator[str]:
    """The figures, then what they rest on."""
    yield f"{scope_name(found.scope)}: {_tasks(found)}"
    if not found.tasks:
        return
    yield f"  turns   {_spanned(found.turns, _whole)}"
    yield f"  tokens  {_spanned(found.input, _tokens)} in, {_spanned(found.output, _tokens)} out"
    yield f"  cost    {_cost(found)}"
    yield f"  from    {_because(found)}"


def _tasks(found: Estimate) -> str:
    told = count(found.tasks, "task")
    if not found.planned:
        return f"about {told} after planning, as the requirements look; planning is included"
    first = f"{told} left" if found.tasks else "" if found.rechecked or found.unplanned else "nothing left to do"
    again = f"{count(found.rechecked, 'proof')} to verify again" if found.rechecked else ""
    more = f"{count(found.unplanned, 'spec')} without tasks yet, which come on top" if found.unplanned else ""
    held = f"{found.held} failed or blocked, left alone" if found.held else ""
    return "; ".join(part for part in (first, again, more, held) if part)


def _cost(found: Estimate) -> str:
    if found.usd is None:
        return f'unknown: no price is known for {found.model}; put it under [prices."{found.model}"] in your settings'
    return f"{_spanned(found.usd, money)} with {found.model}"


def _because(found: Estimate) -> str:
    cached = f"a cache answers {found.cached:.0%} of what is sent"
    if found.basis == "history":
        return f"{count(found.samples, 'task')} done here (their median; their quartiles are the spread); {cached}"
    return (
        f"{count(found.samples, 'task')} of the shipped examples, as fewer than {ENOUGH} were done here: a script did "
        f"them, which never looks twice, so expect a model to take several times as much; {cached}"
    )


def _spanned(span: Span, told: Callable[[float], str]) -> str:
    low, likely, high = told(span.low), told(span.likely), told(span.high)
    return likely if low == high else f"{likely} ({low} to {high})"


def _whole(number: float) -> str:
    return f"{number:.0f}"


def _tokens(number: float) -> str:
    return tokens(round(number))


def estimate_json(found: Estimate) -> dict[str, object]:
    """The one line of `run --estimate --json`."""
    return {
        "type": "estimate",
        "scope": {"kind": found.scope.kind, "id": found.scope.id},
        "tasks": found.tasks,
        "held": found.held,
        "rechecked": found.rechecked,
        "unplanned": found.unplanned,
        "planned": found.planned,
        "basis": found.basis,
        "samples": found.samples,
        "model": found.model,
        "turns": _span_json(found.turns),
        "input": _span_json(found.input),
        "output": _span_json(found.output),
        "cached": round(found.cached, 3),
        "costUsd": None if found.usd is None else _span_json(found.usd),
    }


def _span_json(span: Span) -> dict[str, float]:
    return {"low": round(span.low, 6), "likely": round(span.likely, 6), "high": round(span.high, 6)}
