"""Tasks and requirements are found again after an edit."""

import random

from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.documents.matching import match_requirements, match_tasks
from specloom.domain.documents.requirements import parse_requirements
from specloom.domain.documents.specs import parse_spec

WORDS = [
    "create",
    "store",
    "session",
    "token",
    "table",
    "expire",
    "measure",
    "render",
    "export",
    "parse",
    "write",
    "read",
]


def match(old: str, new: str) -> dict[str, str]:
    found = match_tasks(parse_spec("specs/01-a.md", old).tasks, parse_spec("specs/01-a.md", new).tasks)
    return {a.removeprefix("01/"): b.removeprefix("01/") for a, b in found.items()}


def listing(*lines: str) -> str:
    return "".join(f"- [ ] {line}\n" for line in lines)


def test_nothing_changed() -> None:
    text = listing("1. Create the table", "2. Serve it", "Notes")
    assert match(text, text) == {"1": "1", "2": "2", "u1": "u1"}


def test_renumbered_tasks_are_found_by_their_words() -> None:
    old = listing("1. Create the table", "2. Serve it")
    new = listing("1. Draw a picture", "2. Create the table", "3. Serve it")
    assert match(old, new) == {"1": "2", "2": "3"}


def test_swapped_tasks_are_swapped() -> None:
    old = listing("1. Create the table", "2. Serve it")
    assert match(old, listing("1. Serve it", "2. Create the table")) == {"1": "2", "2": "1"}


def test_an_edited_task_keeps_its_id() -> None:
    old = listing("1. Create the session table", "2. Serve it")
    assert match(old, listing("1. Create the session table with keys", "2. Serve it")) == {"1": "1", "2": "2"}


def test_an_edited_and_renumbered_task_is_found_by_similarity() -> None:
    old = listing("1. Create the session table", "2. Serve the pages over HTTP")
    new = listing("1. Zip", "2. Create the session table with keys", "3. Serve all pages over HTTP")
    assert match(old, new) == {"1": "2", "2": "3"}


def test_a_task_that_was_written_anew_keeps_its_id() -> None:
    assert match(listing("1. Create the table"), listing("1. Zzz")) == {"1": "1"}


def test_a_deleted_task_has_no_partner() -> None:
    assert match(listing("1. Create the table", "2. Serve it"), listing("2. Serve it")) == {"2": "2"}


def test_twins_are_matched_in_order() -> None:
    old = listing("1. Same", "2. Same", "3. Other")
    assert match(old, listing("4. Same", "5. Same", "6. Other")) == {"1": "4", "2": "5", "3": "6"}


def test_a_renumbered_requirement_is_neither_lost_nor_new() -> None:
    old = parse_requirements("r.md", "- R1.1 Users sign in\n- R1.2 Users sign out\n- R1.3 Orders are kept\n")
    new = parse_requirements(
        "r.md", "- R1.1 Users sign in\n- R1.2 Bills\n- R1.3 Users sign out\n- R1.4 Orders are kept\n"
    )
    assert match_requirements(old.requirements, new.requirements) == {"R1.1": "R1.1", "R1.2": "R1.3", "R1.3": "R1.4"}


titles = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join), max_size=12)


@given(old=titles, new=titles)
def test_no_partner_is_taken_twice(old: list[str], new: list[str]) -> None:
    found = match(
        listing(*(f"{i}. {t}" for i, t in enumerate(old, 1))), listing(*(f"{i}. {t}" for i, t in enumerate(new, 1)))
    )
    assert len(set(found.values())) == len(found)
    assert len(found) <= min(len(old), len(new))


@given(old=titles, seed=st.integers())
def test_a_shuffled_list_is_matched_by_words(old: list[str], seed: int) -> None:
    before = [f"{i}. {t}" for i, t in enumerate(old, 1)]
    order = list(range(len(old)))
    random.Random(seed).shuffle(order)
    found = match(listing(*before), listing(*(f"{i}. {old[k]}" for i, k in enumerate(order, 1))))
    assert {a: old[order[int(b) - 1]] for a, b in found.items()} == {str(i): t for i, t in enumerate(old, 1)}
