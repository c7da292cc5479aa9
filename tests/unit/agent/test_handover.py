"""A hand-over drops nothing silently, and says what is recorded before what a model said."""

import re

from hypothesis import given
from hypothesis import strategies as st

from specloom.agent.briefing import Ran, fenced
from specloom.agent.handover import Bounds, HandOver, render
from specloom.domain.ids import SessionId

lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(str.strip)
texts = st.lists(
    st.one_of(lines, st.sampled_from(["```", "~~~", "## What remains", "- ", "````x"])), min_size=1, max_size=4
).map("\n".join)
names = st.lists(lines, max_size=5).map(lambda found: tuple(f"{at}/{name}" for at, name in enumerate(found)))
ran = st.lists(st.builds(Ran, lines, lines, texts), max_size=5).map(tuple)
hand_overs = st.builds(
    HandOver,
    task=lines,
    number=st.integers(2, 60),
    previous=lines.map(SessionId),
    because=lines,
    turns=st.integers(0, 99),
    most_turns=st.integers(1, 99),
    briefing=texts,
    before=names,
    changed=names,
    shown=names,
    not_shown=names,
    ran=ran,
    refused=names,
    problems=names,
    waiting=names,
    jobs=names,
    prose=texts | st.just(""),
)
bounds = st.builds(Bounds, st.integers(0, 10), st.integers(0, 50), st.integers(0, 50))


@given(hand_overs, bounds)
def test_the_briefing_is_whole_whatever_the_bounds(known: HandOver, most: Bounds) -> None:
    text = render(known, most)
    assert known.briefing in text
    for path in known.shown:
        assert f"- {path}" in text


@given(hand_overs)
def test_nothing_is_left_out_where_there_is_room(known: HandOver) -> None:
    text = render(known, Bounds(100, 10_000, 10_000))
    listed = (*known.before, *known.changed, *known.not_shown, *known.problems, *known.waiting, *known.jobs)
    for item in listed:
        assert f"- {item}" in text
    for command in known.ran:
        assert f"{' '.join(command.command.split())}" in text
    assert not known.prose or fenced(known.prose) in text
    assert "not shown here" not in text.replace(known.briefing, "")


@given(hand_overs, bounds)
def test_lists_keep_the_newest_and_count_the_rest(known: HandOver, most: Bounds) -> None:
    text = render(known, most)
    for items, what in ((known.changed, "files"), (known.problems, "problems"), (known.jobs, "jobs")):
        left_out = max(len(items) - most.lines, 0)
        assert all(f"- {item}" in text for item in items[left_out:])
        assert not left_out or f"… {left_out} {what} not shown here" in text


@given(hand_overs, bounds)
def test_what_a_model_said_comes_last_and_is_marked(known: HandOver, most: Bounds) -> None:
    text = render(known, most)
    marked = "Nobody has verified this. Where it differs"
    assert bool(known.prose) == (f"\n\n{marked}" in text)
    if known.prose:
        assert text.rindex(marked) > max(text.rfind(f"- {item}") for item in (*known.changed, *known.jobs, "# "))
        unsaid = max(len(known.prose) - most.prose, 0)
        assert not unsaid or text.endswith(f"[{unsaid} characters left out]\n{text.rsplit(chr(10), 1)[1]}")


@given(texts)
def test_no_text_ends_its_own_fence(text: str) -> None:
    first, *middle, last = fenced(text).split("\n")
    assert first == last
    assert "\n".join(middle) == text
    assert not any(re.fullmatch(rf"{first}`*", line) for line in middle)
