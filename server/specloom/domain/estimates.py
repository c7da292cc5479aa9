"""What a run will probably cost, by what tasks have cost so far. Refuses to promise, and to invent a price.

Where too little was done in a project, the tasks of the demo and of the web service example stand in, as their scripts
did them in November 2026: a script never looks twice, so a model takes more.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil
from statistics import fmean, median, quantiles
from typing import Literal, TypeAlias

from specloom.domain.evidence import EvidenceKind, is_verifiable
from specloom.domain.left_plans import broken_off
from specloom.domain.prices import TokenCounts
from specloom.domain.project import ProjectState, TaskRecord
from specloom.domain.runs import Scope
from specloom.domain.scope import tasks_in
from specloom.domain.states import TaskState
from specloom.domain.usage import UsageTotal

CostOf: TypeAlias = Callable[[TokenCounts], float | None]
"""USD of one request with so many tokens; `None` where the price is unknown."""

ENOUGH = 3
"""Done tasks from which a project's own history tells more than the examples."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one task took, with all its attempts and whoever worked on it."""

    turns: int
    input: int
    """Tokens that came from no cache and went to none."""
    cache_read: int
    cache_write: int
    output: int

    def cost(self, of: CostOf) -> float | None:
        """USD: so many requests of the mean size, since some prices depend on the size of the prompt."""
        if not self.turns:
            return 0.0
        counts = (self.input, self.output, self.cache_read, self.cache_write)
        each = of(UsageTotal(*(ceil(number / self.turns) for number in counts)))
        return None if each is None else each * self.turns

    @property
    def sent(self) -> int:
        """Tokens of all requests, cached ones included."""
        return self.input + self.cache_read + self.cache_write


_MEASURED = (
    *((3, 12, 11_458, 6_741, 821), (3, 12, 10_614, 6_222, 703), (3, 12, 11_282, 6_436, 577)),
    *((4, 16, 20_345, 8_276, 1_015), (3, 12, 12_763, 7_753, 930), (6, 24, 28_309, 13_958, 868)),
    *((3, 12, 12_090, 7_141, 821), (4, 16, 19_406, 8_045, 841), (3, 12, 11_723, 6_683, 555)),
    *((3, 12, 10_884, 5_977, 453), (4, 16, 21_275, 8_226, 1_025), (3, 12, 12_797, 7_601, 884)),
    *((3, 12, 11_546, 6_369, 546), (2, 8, 4_946, 5_459, 467), (3, 12, 11_026, 6_254, 501)),
    *((3, 12, 11_588, 7_712, 718), (3, 12, 12_194, 8_108, 852), (3, 12, 12_468, 8_237, 949)),
    *((4, 16, 14_639, 8_356, 1_109), (5, 20, 19_577, 11_448, 1_778), (6, 24, 22_264, 12_121, 1_977)),
)
EXAMPLES = tuple(Sample(*numbers) for numbers in _MEASURED)
"""13 tasks of the demo and 8 of the web service; turns, then tokens."""
PLANNING = Sample(turns=1, input=4, cache_read=450, cache_write=1_940, output=250)
"""What planning took for each task that came of it, in the demo and both examples."""
TASKS_PER_REQUIREMENT = 27 / 50
"""In the same three."""


@dataclass(frozen=True, slots=True)
class Span:
    """Probably `likely`, seldom outside of `low` and `high`."""

    low: float
    likely: float
    high: float

    def __add__(self, other: "Span") -> "Span":
        return Span(self.low + other.low, self.likely + other.likely, self.high + other.high)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will probably take."""

    scope: Scope
    tasks: int
    """That it will work on."""
    held: int
    """Failed or blocked ones in scope, which it leaves alone."""
    rechecked: int
    """Done ones in scope whose doubtful proof it verifies again, which asks no model."""
    unplanned: int
    """Specs that a plan left without tasks: what they take comes on top."""
    planned: bool
    """False: there are no tasks yet. Their number is a guess from the requirements, and planning is included."""
    basis: Literal["history", "examples"]
    samples: int
    """How many done tasks it rests on."""
    model: str
    turns: Span
    input: Span
    """Tokens of all requests, cached ones included."""
    output: Span
    cached: float
    """The share of `input` that a cache answers, from 0 to 1; of an endpoint that caches."""
    usd: Span | None
    """`None`: the price of the model is unknown."""


def estimate(state: ProjectState, scope: Scope, model: str, cost_of: CostOf) -> Estimate:
    """For the tasks in scope that are left; `cost_of` prices one request of `model`."""
    planned = bool(state.graph.tasks)
    tasks, held = _left(state, scope) if planned else (_expected(state), 0)
    own = history(state)
    samples = own if len(own) >= ENOUGH else EXAMPLES
    costs = [sample.cost(cost_of) for sample in samples]
    known = [cost for cost in costs if cost is not None]
    before = 0 if planned else tasks
    planning = PLANNING.cost(cost_of)
    unknown = len(known) < len(costs) or planning is None
    sent = sum(sample.sent for sample in samples)
    return Estimate(
        scope,
        tasks,
        held,
        _doubtful(state, scope),
        len(broken_off(state)) if scope == Scope() else 0,
        planned,
        "history" if samples is own else "examples",
        len(samples),
        model,
        turns=_span((sample.turns for sample in samples), tasks, PLANNING.turns * before),
        input=_span((sample.sent for sample in samples), tasks, PLANNING.sent * before),
        output=_span((sample.output for sample in samples), tasks, PLANNING.output * before),
        cached=sum(sample.cache_read for sample in samples) / sent if sent else 0.0,
        usd=None if unknown else _span(known, tasks, (planning or 0.0) * before),
    )


def history(state: ProjectState) -> tuple[Sample, ...]:
    """What the done tasks of a project took, as far as an agent did them."""
    records = (state.record(task) for task in state.graph.order)
    return tuple(_sample(record) for record in records if record.turns and _is_done_here(record))


def _is_done_here(record: TaskRecord) -> bool:
    by_agents = (EvidenceKind.COMMAND, EvidenceKind.REVIEWER)
    return record.state is TaskState.DONE and any(item.kind in by_agents for item in record.evidence)


def _sample(record: TaskRecord) -> Sample:
    used = record.usage
    return Sample(record.turns, used.input, used.cache_read, used.cache_write, used.output)


def _left(state: ProjectState, scope: Scope) -> tuple[int, int]:
    """How many tasks a run works on, and how many it leaves alone: only who names a failed one has it tried again."""
    states = [state.state_of(task) for task in tasks_in(state.graph, scope)]
    held = [TaskState.BLOCKED] if scope.kind == "task" else [TaskState.BLOCKED, TaskState.FAILED]
    settled = (*held, TaskState.DONE, TaskState.SKIPPED)
    return sum(item not in settled for item in states), sum(item in held for item in states)


def _doubtful(state: ProjectState, scope: Scope) -> int:
    records = (state.record(task) for task in tasks_in(state.graph, scope))
    done = (record for record in records if record.state is TaskState.DONE and (record.stale or record.outdated))
    return sum(is_verifiable(record.evidence) for record in done)


def _expected(state: ProjectState) -> int:
    return ceil(sum(map(len, state.requirements.values())) * TASKS_PER_REQUIREMENT)


def _span(values: Iterable[float], times: int, more: float) -> Span:
    """The quartiles of one task, and its mean where that is above them, for so many; `more` on top of each."""
    each = list(values)
    low, _, high = quantiles(each, n=4, method="inclusive")
    likely = median(each)
    # Many small tasks and a huge one come to more than many medians.
    spread = Span(min(low, likely), likely, max(high, likely, fmean(each)))
    return Span(spread.low * times, spread.likely * times, spread.high * times) + Span(more, more, more)
