"""Circles are found whatever they consist of, and nobody who works, looks or waits is taken for one of them."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.ids import Digest
from specloom.domain.no_progress import (
    CallSeen,
    Circle,
    Patience,
    TurnSeen,
    changed,
    circling,
    quiet,
    waits,
)

STATUS = CallSeen("run_command", "git status", "clean")


def run(command: str, result: str = "exit code 0") -> TurnSeen:
    return TurnSeen((CallSeen("run_command", command, quiet(result), waits=waits("run_command", command, result)),))


def read(path: str, digest: str = "0") -> TurnSeen:
    return TurnSeen((CallSeen("read_file", path, digest, ((path, Digest(digest)),)),))


def edit(path: str, digest: str) -> TurnSeen:
    return TurnSeen((CallSeen("edit_file", f"{path} to {digest}", "applied", ((path, Digest(digest)),), writes=True),))


def poll(result: str = "job 1 (`make`) running: nothing printed so far") -> TurnSeen:
    return TurnSeen((CallSeen("command_jobs", "read 1", result, waits=waits("command_jobs", "read 1", result)),))


EMPTY = TurnSeen()
CIRCLES: dict[str, tuple[Sequence[TurnSeen], Circle]] = {
    "one command": ([run("ls")] * 5, Circle.REPEATS),
    "a test without edits, its duration aside": (
        [run("pytest", f"1 failed in {number}.1s") for number in range(5)],
        Circle.REPEATS,
    ),
    "three commands in turn": ([run("a"), run("b"), run("c")] * 3, Circle.REPEATS),
    "a search for words about waiting": (
        [run('grep -rn "sleep\\|wait" src tests/until && ls wait')] * 5,
        Circle.REPEATS,
    ),
    "a look at jobs that have ended": ([poll("job 1 (`make running`): exited with exit code 0")] * 5, Circle.REPEATS),
    "an edit that is always refused": (
        [TurnSeen((CallSeen("edit_file", "x", "refused", writes=True),))] * 5,
        Circle.REPEATS,
    ),
    "the same text again and again": ([edit("a", "1")] * 5, Circle.REPEATS),
    "a text and back": ([read("a", "A"), *[edit("a", "B"), edit("a", "A")] * 3], Circle.PING_PONG),
    "a text and back, each tested": (
        [read("a", "A"), *[edit("a", "B"), run("t", "B"), edit("a", "A"), run("t", "A")] * 3],
        Circle.PING_PONG,
    ),
    "three texts in a ring": ([edit("a", "A"), edit("a", "B"), edit("a", "C")] * 3, Circle.PING_PONG),
    "nothing at all": ([read("a"), EMPTY, EMPTY, EMPTY], Circle.EMPTY),
    "nothing, and now and then a look": ([read("a"), *[EMPTY, read("a")] * 4], Circle.REPEATS),
}
WORK: dict[str, Sequence[TurnSeen]] = {
    "reading many files": [read(f"f{number}") for number in range(40)],
    "reading one file in parts": [TurnSeen((CallSeen("read_file", f"a {part}", f"{part}"),)) for part in range(20)],
    "a job that builds": [run("make", "job 1 was started"), *[poll()] * 20],
    "the second of two jobs builds": [poll("job 1 (`a`): exited with exit code 0\njob 2 (`b`): running")] * 20,
    "waiting in other words": [
        run(command, "not yet")
        for command in ("python -c 'import time; time.sleep(5)'", "make & wait", "kubectl wait --for=x y")
        for _ in range(6)
    ],
    "sleep while something builds": [run("sleep 30; gh run view", "in progress")] * 20,
    "a command that takes too long": [run("make", "not done after 120 s (timeout): it goes on as job 1")] * 9,
    "a test after each edit": [
        turn for number in range(12) for turn in (edit("a", f"{number}"), run("pytest", "1 failed"))
    ],
    "git status between edits": [
        turn for number in range(12) for turn in (edit("a", f"{number}"), TurnSeen((STATUS,)))
    ],
    "four checks after an edit, as before it": [
        turn for number in range(4) for turn in (edit("a", f"{number}"), *(run(name) for name in "abcd"))
    ],
    "trying one thing after another, each undone": [
        turn for number in range(8) for turn in (edit("a", f"{number}"), run("t", f"{number}"), edit("a", "A"))
    ],
    "three looks at what is known": [run("ls")] * 4,
    "two turns without a call": [read("a"), EMPTY, EMPTY],
}


@pytest.mark.parametrize("name", CIRCLES)
def test_circle_is_found_and_not_before_patience_ends(name: str) -> None:
    turns, circle = CIRCLES[name]
    found = circling(turns)
    assert found is not None
    assert found.circle is circle
    assert circling(turns, patience=Patience(99, 99, 99)) is None


@pytest.mark.parametrize("name", WORK)
def test_work_is_left_alone_at_every_turn(name: str) -> None:
    turns = WORK[name]
    assert [number for number in range(len(turns) + 1) if circling(turns[:number])] == []


def test_who_was_told_gets_as_long_again() -> None:
    turns = [run("ls")] * 5
    assert circling(turns, 5) is None
    assert circling([*turns, *[run("ls")] * 3], 5) is None
    assert circling([*turns, *[run("ls")] * 4], 5) is not None


def test_who_was_told_of_texts_back_and_forth_gets_as_long_again_also_before_its_next_turn() -> None:
    turns = [read("a", "A"), *[edit("a", "B"), edit("a", "A")] * 3]
    assert circling(turns, len(turns)) is None
    assert circling([*turns, edit("a", "B"), edit("a", "A"), edit("a", "B")], len(turns)) is None


calls = st.builds(
    CallSeen,
    st.sampled_from(["run_command", "read_file", "grep_search"]),
    st.sampled_from("abc"),
    st.sampled_from("xyz"),
)
turns_of = st.lists(st.builds(TurnSeen, st.lists(calls, max_size=3).map(tuple)), max_size=12)


@given(turns_of, st.integers(1, 6))
def test_whatever_is_said_over_and_over_is_found(before: list[TurnSeen], repeats: int) -> None:
    again = TurnSeen((CallSeen("run_command", "z", "z"),))
    turns = [*before, again, *[again] * repeats]
    found = circling(turns, len(before), Patience(repeats, 99, 99))
    assert found is not None
    assert circling(turns, len(before), Patience(repeats + 1, 99, 99)) is None


@given(turns_of, st.integers(0, 40))
def test_a_new_text_of_a_file_ends_every_circle(before: list[TurnSeen], number: int) -> None:
    assert circling([*before, edit("a", f"new {number}")]) is None


@given(turns_of)
def test_waiting_is_no_circle(before: list[TurnSeen]) -> None:
    assert circling([*before, *[poll()] * 30]) is None


@given(turns_of, st.data())
def test_names_mean_nothing(before: list[TurnSeen], data: st.DataObject) -> None:
    names = dict(zip("xyz", data.draw(st.permutations("xyz")), strict=True))
    renamed = [
        TurnSeen(tuple(CallSeen(call.name, call.input, names[call.result]) for call in turn.calls)) for turn in before
    ]
    assert circling(renamed) == circling(before)
    assert changed(renamed, 0) == changed(before, 0)


def test_looking_changes_nothing_and_editing_and_other_test_results_do() -> None:
    assert not changed([read("a"), run("ls"), run("ls")], 0)
    assert changed([read("a"), edit("a", "1")], 0)
    assert changed([run("t", "1 failed"), run("t", "2 failed")], 0)
    assert not changed([edit("a", "1"), run("ls")], 1)
    assert not changed([edit("a", "1")], 1)
