"""What a run will probably cost: it grows with the tasks, rests on what was done here, and invents no price."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.estimates import ENOUGH, EXAMPLES, Estimate, Span, estimate
from specloom.domain.events import agents, documents, tasks
from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import AgentId, AttemptId, Digest, RequirementId, RunId, SessionId, SpecId, TaskId, task_id
from specloom.domain.prices import Price, TokenCounts, cost
from specloom.domain.project import ProjectState
from specloom.domain.requirement import Requirement
from specloom.domain.runs import Scope
from specloom.domain.spec import SpecDefinition, TaskDefinition
from specloom.domain.usage import UsageTotal

AT = "2026-11-21T10:00:00.000Z"
SPEC = SpecId("01")
COUNTS = st.integers(0, 3_000_000)
WORK = st.lists(st.tuples(st.integers(1, 60), st.builds(UsageTotal, COUNTS, COUNTS, COUNTS, COUNTS)), max_size=8)
LISTED = {
    "plain": Price(2.0, 10.0),
    "steps": Price(0.1, 0.5, above=100_000, beyond=Price(0.5, 2.5)),
}


def of_model(model: str) -> Callable[[TokenCounts], float | None]:
    """Prices its requests; of a model that is not listed nobody knows any."""
    return lambda counts: cost(counts, model, LISTED)


def project(leaves: int, done: list[tuple[int, UsageTotal]]) -> ProjectState:
    """The first tasks are done, each with so many turns that used so much together."""
    names = [str(number) for number in range(1, leaves + 1)]
    spec = SpecDefinition(SPEC, "A", "specs/01.md", tasks=tuple(TaskDefinition(task_id(SPEC, n), n, n) for n in names))
    state = evolve(EMPTY, documents.SpecRead(spec), AT, 1)
    for name, (turns, usage) in zip(names, done, strict=False):
        state = worked(state, task_id(SPEC, name), turns, usage)
    return state


def worked(state: ProjectState, task: TaskId, turns: int, usage: UsageTotal) -> ProjectState:
    """A task that an agent did."""
    session, attempt, agent = SessionId(f"s-{task}"), AttemptId(f"a-{task}"), AgentId("agent")
    proof = Evidence(EvidenceKind.COMMAND, AT, attempt, command="true", exit_code=0)
    rest = [agents.TurnFinished(session, turn, "[]", "end_turn", UsageTotal(), "m") for turn in range(2, turns + 1)]
    for event in (
        tasks.TaskStarted(task, attempt, agent, RunId("r"), 1, ("true",)),
        agents.SessionStarted(session, agent, "executor", attempt, task, "m", "", ()),
        agents.TurnFinished(session, 1, "[]", "end_turn", usage, "m"),
        *rest,
        tasks.TaskDone(task, (proof,), attempt),
    ):
        state = evolve(state, event, AT, state.seq + 1)
    return state


def spans(found: Estimate) -> list[Span]:
    """All figures."""
    return [found.turns, found.input, found.output, *([found.usd] if found.usd is not None else [])]


@given(WORK, st.integers(1, 6), st.integers(0, 6), st.sampled_from(list(LISTED)))
def test_more_tasks_never_cost_less_and_nothing_is_negative(
    done: list[tuple[int, UsageTotal]], left: int, more: int, model: str
) -> None:
    few = estimate(project(len(done) + left, done), Scope(), model, of_model(model))
    many = estimate(project(len(done) + left + more, done), Scope(), model, of_model(model))
    assert (few.tasks, many.tasks) == (left, left + more)
    for smaller, larger in zip(spans(few), spans(many), strict=True):
        assert 0 <= smaller.low <= smaller.likely <= smaller.high
        assert smaller.low <= larger.low
        assert smaller.likely <= larger.likely
        assert smaller.high <= larger.high


@given(WORK, st.integers(0, 6))
def test_a_price_that_is_unknown_stays_unknown(done: list[tuple[int, UsageTotal]], left: int) -> None:
    assert estimate(project(len(done) + left, done), Scope(), "m", of_model("m")).usd is None


def test_it_rests_on_the_done_tasks_of_the_project_as_soon_as_there_are_enough() -> None:
    took = [(turns, UsageTotal(turns * 1_000, turns * 100)) for turns in (2, 4, 6, 8)]
    few = estimate(project(10, took[: ENOUGH - 1]), Scope(), "plain", of_model("plain"))
    assert (few.basis, few.samples) == ("examples", len(EXAMPLES))
    found = estimate(project(10, took), Scope(), "plain", of_model("plain"))
    assert (found.basis, found.samples, found.tasks) == ("history", 4, 6)
    assert found.turns == Span(3.5 * 6, 5 * 6, 6.5 * 6)
    assert found.input == Span(3_500 * 6, 5_000 * 6, 6_500 * 6)
    assert found.usd is not None
    assert found.usd.likely == pytest.approx(6 * 5 * (1_000 * 2.0 + 100 * 10.0) / 1_000_000)


def test_the_price_is_that_of_the_prompt_of_one_request_and_not_of_all() -> None:
    took = [(10, UsageTotal(900_000, 0))] * ENOUGH
    found = estimate(project(ENOUGH + 1, took), Scope(), "steps", of_model("steps"))
    assert found.usd is not None
    assert found.usd.likely == pytest.approx(900_000 * 0.1 / 1_000_000)


def test_a_task_that_failed_is_left_alone_unless_it_is_named() -> None:
    state = project(ENOUGH + 2, [(3, UsageTotal(10, 10))] * ENOUGH)
    last = task_id(SPEC, str(ENOUGH + 2))
    started = tasks.TaskStarted(last, AttemptId("x"), AgentId("agent"), RunId("r"), 1, ("true",))
    for event in (started, tasks.TaskFailed(last, "no")):
        state = evolve(state, event, AT, state.seq + 1)
    whole = estimate(state, Scope(), "plain", of_model("plain"))
    named = estimate(state, Scope("task", last), "plain", of_model("plain"))
    assert (whole.tasks, whole.held, whole.samples) == (1, 1, ENOUGH)
    assert (named.tasks, named.held) == (1, 0)


def test_doubtful_proofs_are_told_and_specs_that_a_plan_left() -> None:
    state = project(ENOUGH, [(3, UsageTotal(10, 10))] * ENOUGH)
    first = task_id(SPEC, "1")
    state = evolve(state, tasks.ProofStale(first, ("a.py",)), AT, state.seq + 1)
    found = estimate(state, Scope(), "plain", of_model("plain"))
    assert (found.tasks, found.rechecked, found.unplanned) == (0, 1, 0)
    named = estimate(state, Scope("task", task_id(SPEC, "2")), "plain", of_model("plain"))
    assert named.rechecked == 0


def test_before_there_are_tasks_their_number_is_guessed_from_the_requirements_and_planning_is_part_of_it() -> None:
    wanted = tuple(Requirement(RequirementId(f"R{n}"), "x", Digest("")) for n in range(10))
    state = evolve(EMPTY, documents.RequirementsRead("requirements.md", wanted), AT, 1)
    found = estimate(state, Scope(), "plain", of_model("plain"))
    assert (found.planned, found.tasks) == (False, 6)
    planned = estimate(project(6, []), Scope(), "plain", of_model("plain"))
    assert found.turns.likely == planned.turns.likely + 6
    assert found.usd is not None
    assert planned.usd is not None
    assert found.usd.likely > planned.usd.likely
