"""Pieces of an answer become one text, without a repeat and without a gap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.planning.joining import go_on, joined
from tests.unit.planning.planning_scripts import STORE_BODY, STORE_TASKS


@pytest.mark.parametrize("text", [STORE_BODY, STORE_TASKS])
@given(data=st.data())
def test_a_text_cut_anywhere_is_whole_again_however_it_goes_on(text: str, data: st.DataObject) -> None:
    end = data.draw(st.integers(1, len(text) - 1))
    before = text[:end]
    kept = before.rstrip()
    if not kept:
        return
    line = kept.rfind("\n") + 1
    if not line:
        # A piece of one line that is repeated is the same as an answer that starts anew.
        assert joined(before, text) == text
        return
    as_told = text[line:]
    assert joined(before, as_told) == text
    assert joined(before, as_told.lstrip()) == text


@given(st.integers(40, len(STORE_BODY) - 1), st.integers(24, 39))
def test_what_is_repeated_of_the_end_stands_there_once(end: int, repeated: int) -> None:
    assert joined(STORE_BODY[:end], STORE_BODY[end - repeated :]) == STORE_BODY


def test_an_answer_that_starts_anew_stands_alone() -> None:
    assert joined(STORE_BODY[:100], STORE_BODY) == STORE_BODY


def test_a_piece_that_goes_on_within_the_word_is_joined_within_the_word() -> None:
    assert joined("## Purpose\n\nKeeps no", "tes in a file.\n") == "## Purpose\n\nKeeps notes in a file.\n"


def test_a_new_item_after_a_whole_line_stands_on_a_line_of_its_own() -> None:
    before = "- [ ] 1 Save\n  - _Requirements: R1.1_"
    assert joined(before, "- [ ] 2 Load\n") == f"{before}\n- [ ] 2 Load\n"


def test_nothing_joins_with_everything() -> None:
    assert joined("", "text") == "text"
    assert joined("text", " \n") == "text"


def test_the_planner_is_shown_the_line_that_it_goes_on_with() -> None:
    assert "\n\n  - `notes/st\n\n" in go_on("- [ ] 1 Save\n  - `notes/st")
    assert "Answer again" in go_on("\n")
