"""When a collapse pays, what it names, and that it never bets more than it may lose."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.agent.context.collection import Collector
from specloom.agent.context.entry import Entry, Kind
from specloom.agent.context.policy import RULES, Occasion, Plan, Rules, decide
from specloom.agent.context.prices import CacheTally, PromptPrices
from specloom.llm.messages import Usage

FREE = Rules(margin=0, least=1, keep_turns=2, smallest=10)
FIRST = Entry(Kind.KEPT, 3000)


def view(path: str, tokens: int, turn: int, *, whole: bool = False) -> Entry:
    return Entry(Kind.VIEW, tokens, turn, path, f"read_file {path}", whole)


def output(tokens: int, turn: int) -> Entry:
    return Entry(Kind.OUTPUT, tokens, turn, what="run_command make")


def session(*turns: list[Entry]) -> list[Entry]:
    """The first message, then an answer and its results a turn."""
    entries = [FIRST]
    for turn in turns:
        entries += [Entry(Kind.ANSWER, 50, entries[-1].turn), *turn]
    return entries


def occasion(entries: list[Entry], turns: int, **rest: object) -> Occasion:
    """Before a request; the results of the newest turn are not sent yet."""
    sent = max(at for at, entry in enumerate(entries) if entry.kind is Kind.ANSWER) + 1
    return replace(Occasion(sent, turns, 1000), **rest)  # pyright: ignore[reportArgumentType] -- fields by name


READ_TWICE = session([view("a", 4000, 1, whole=True)], [output(5, 2)], [view("a", 4000, 3, whole=True)], [])


def test_a_view_that_is_superseded_goes_when_enough_turns_are_left() -> None:
    plan = decide(READ_TWICE, {"a": 4100}, occasion(READ_TWICE, 4, left=100.0), FREE)
    assert plan is not None
    assert (plan.views, plan.outputs, plan.show) == ((2,), (), ())


def test_the_same_view_stays_when_the_session_is_about_to_end() -> None:
    assert decide(READ_TWICE, {"a": 4100}, occasion(READ_TWICE, 4, left=2.0), FREE) is None


def test_after_the_life_of_the_cache_collapsing_is_free() -> None:
    plan = decide(READ_TWICE, {"a": 4100}, occasion(READ_TWICE, 4, left=0.0, cold=True), FREE)
    assert plan is not None
    assert plan.cost < 0


def test_an_endpoint_that_bills_no_write_makes_the_same_collapse_cheaper() -> None:
    billed = decide(READ_TWICE, {"a": 4100}, occasion(READ_TWICE, 4, left=100.0), FREE)
    free = decide(READ_TWICE, {"a": 4100}, occasion(READ_TWICE, 4, left=100.0, prices=PromptPrices(write=1.0)), FREE)
    assert billed is not None
    assert free is not None
    assert free.cost < billed.cost


def test_an_edited_file_is_shown_again_in_place_of_what_was_shown_of_it() -> None:
    entries = session([view("a", 4000, 1, whole=True)], [view("a", 3000, 2)], [view("a", 3000, 3)], [])
    plan = decide(entries, {"a": 4000}, occasion(entries, 4, left=100.0), FREE)
    assert plan is not None
    assert (plan.views, plan.show) == ((2, 4, 6), ("a",))


def test_a_closed_file_is_not_shown_again() -> None:
    entries = session([view("a", 4000, 1, whole=True)], [], [])
    plan = decide(entries, {"a": None}, occasion(entries, 3, left=100.0), FREE)
    assert plan is not None
    assert (plan.views, plan.show) == ((2,), ())


def test_a_view_that_an_edit_of_its_own_turn_still_means_is_no_reason_to_drop_the_one_before() -> None:
    entries = session([view("a", 4000, 1, whole=True)], [view("a", 4000, 2, whole=True), view("a", 20, 2)], [])
    plan = decide(entries, {"a": 9000}, occasion(entries, 3, left=500.0), FREE)
    assert plan is None


@pytest.mark.parametrize(("age", "gone"), [(1, False), (2, True)])
def test_an_output_stands_for_some_turns(age: int, gone: bool) -> None:
    entries = session([output(5000, 1)], [], [])
    plan = decide(entries, {}, occasion(entries, 1 + age, left=100.0), FREE)
    assert (plan is not None) is gone


def test_a_small_prefix_is_not_cached_so_cutting_behind_it_costs_more() -> None:
    entries = READ_TWICE
    near = decide(entries, {"a": 4100}, occasion(entries, 4, left=100.0, prices=PromptPrices(smallest=0)), FREE)
    far = decide(entries, {"a": 4100}, occasion(entries, 4, left=100.0, prices=PromptPrices(smallest=10**6)), FREE)
    assert near is not None
    assert far is not None
    assert far.cost > near.cost


def test_an_endpoint_is_taken_to_cache_by_itself_when_it_bills_no_write() -> None:
    listed, tally = PromptPrices(), CacheTally()
    tally.count(Usage(input=10, cache_read=5))
    assert tally.prices(listed).write == listed.write
    tally.count(Usage(input=10, cache_read=5))
    assert tally.prices(listed).write == listed.plain
    tally.count(Usage(cache_write=1))
    assert tally.prices(listed).write == listed.write


@st.composite
def generated(draw: st.DrawFn) -> list[Entry]:
    count = draw(st.integers(1, 20))
    return session(*([_drawn(draw, turn) for _ in range(draw(st.integers(0, 3)))] for turn in range(1, count + 1)))


def _drawn(draw: st.DrawFn, turn: int) -> Entry:
    tokens = draw(st.integers(5, 6000))
    if draw(st.booleans()):
        return output(tokens, turn)
    return view(draw(st.sampled_from("abc")), tokens, turn, whole=draw(st.booleans()))


views = st.fixed_dictionaries({"a": st.integers(1, 6000), "b": st.integers(1, 6000), "c": st.none()})


@given(generated(), views, st.integers(0, 300), st.booleans())
def test_a_plan_names_only_what_was_seen_and_leaves_each_open_file_in_sight(
    entries: list[Entry], views: dict[str, int | None], left: int, cold: bool
) -> None:
    moment = occasion(entries, 20, left=float(left), cold=cold)
    plan = decide(entries, views, moment, FREE)
    if plan is None:
        return
    assert all(plan.cut <= place < moment.sent for place in (*plan.views, *plan.outputs))
    assert all(entries[place].kind is Kind.VIEW for place in plan.views)
    assert all(entries[place].kind is Kind.OUTPUT for place in plan.outputs)
    for place in plan.views:
        path = entries[place].path
        later = [other for other in entries[place + 1 :] if other.path == path and other.whole]
        assert views[path] is None or path in plan.show or later
    assert plan.saved > 0


@given(generated(), views)
def test_equal_values_give_equal_decisions(entries: list[Entry], views: dict[str, int | None]) -> None:
    moment = occasion(entries, 20, left=100.0)
    assert decide(entries, views, moment, FREE) == decide(list(entries), dict(views), moment, FREE)


@given(generated(), st.integers(1, 6000))
def test_a_short_session_never_costs_more_than_a_fiftieth_above_appending(entries: list[Entry], size: int) -> None:
    """Played request by request, by the rules of the product, wherever it may end."""
    collector, prices = Collector(replace(RULES, least=1, fresh=1, rest=1)), PromptPrices()
    appended = paid = 0.0
    saved = before = 0
    for at in [place for place, entry in enumerate(entries) if entry.kind is Kind.ANSWER][1:]:
        known, turns = entries[:at], entries[at].turn
        moment = occasion(known, turns) if any(e.kind is Kind.ANSWER for e in known) else Occasion(0, 0, 1000)
        plan: Plan | None = collector.plan(known, moment, lambda: {"a": size, "b": size, "c": size})
        new = sum(entry.tokens for entry in known) - before
        appended += prices.read * before + prices.write * new
        paid += prices.read * (before - saved) + prices.write * new + (plan.cost if plan else 0.0)
        saved += plan.saved if plan else 0
        before += new
        assert paid <= 1.02 * appended + 1
        if plan is not None:
            return
