"""What people are shown of an edit: the removed lines as they were, at the places where they were, within bounds."""

import re

from hypothesis import given
from hypothesis import strategies as st
from unidiff.patch import PatchSet

from specloom.domain.shown_edit import LONGEST_LINE, MOST_LINES, MOST_TEXT, shown_edit

LINES = st.lists(st.sampled_from("abc"), max_size=12).map(lambda lines: "".join(f"{line}\n" for line in lines))


def test_removed_lines_are_shown_as_they_were() -> None:
    before = "one\ntwo\nthree\nfour\nfive\nsix\n"
    after = "one\n2\nfive\nsix\nseven\n"
    assert shown_edit(before, after) == "@@ -2,3 +2,1 @@\n-two\n-three\n-four\n+2\n@@ -6,0 +5,1 @@\n+seven"
    assert shown_edit(before, before) == ""


@given(LINES, LINES)
def test_hunks_say_where_the_lines_stood_and_stand(before: str, after: str) -> None:
    old, new = before.splitlines(), after.splitlines()
    made: list[str] = []
    done = 0
    for hunk in PatchSet(f"--- a\n+++ b\n{shown_edit(before, after)}\n")[0] if before != after else ():
        removed = [line.value.rstrip("\n") for line in hunk if line.is_removed]
        added = [line.value.rstrip("\n") for line in hunk if line.is_added]
        start = hunk.source_start - bool(removed)
        assert old[start : start + len(removed)] == removed
        made += old[done:start]
        assert len(made) == hunk.target_start - bool(added)
        made += added
        done = start + len(removed)
    assert [*made, *old[done:]] == new


def test_long_edits_say_how_much_is_left_out() -> None:
    many = "".join(f"line {number}\n" for number in range(1000))
    shown = shown_edit(many, "x" * 10_000 + "\n").split("\n")
    assert shown[1 + MOST_LINES] == f"\\ {1000 - MOST_LINES} more lines"
    assert shown[-1] == "+" + "x" * LONGEST_LINE + " …"
    everywhere = shown_edit(many, re.sub(r"line (\d*[02468])\n", r"other \1\n", many))
    assert len(everywhere) < MOST_TEXT + 200
    assert re.search(r"\n\\ \d+ more places$", everywhere)
