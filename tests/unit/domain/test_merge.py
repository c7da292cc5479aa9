"""Three-way merge, held against `git merge-file` wherever the alignment of lines is beyond doubt."""

import itertools
import subprocess
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specloom.domain.lines import Line, join_lines, split_lines
from specloom.domain.merge import Conflict, Hunk, Merged, Side, diff, merge, merge_hunks
from tests.conftest import TIER

REPETITIVE = {"test": 150, "soak": 5000}[TIER]
ANY_TEXT = st.text(st.sampled_from("ab\n\r \té"), max_size=40)


@dataclass(frozen=True)
class Versions:
    base: str
    ours: str
    theirs: str


@st.composite
def changed(draw: st.DrawFn, base: list[str], mark: str) -> str:
    """The base with lines deleted, replaced and inserted; new lines stand nowhere else, kept ones stay in order."""
    lines: list[str] = []
    for number, line in enumerate([*base, ""]):
        fresh = [f"{mark}{number}.{count}" for count in range(draw(st.sampled_from([0, 0, 0, 0, 1, 2])))]
        keep = line != "" and draw(st.sampled_from([True, True, True, True, False]))
        lines += [*fresh, *([line] if keep else [])]
    return "".join(f"{line}\n" for line in lines)


@st.composite
def versions(draw: st.DrawFn) -> Versions:
    base = [f"line {number}" for number in range(draw(st.integers(0, 12)))]
    same = draw(st.booleans())
    marks = ("new ", "new " if same else "other ")
    texts = "".join(f"{line}\n" for line in base), draw(changed(base, marks[0])), draw(changed(base, marks[1]))
    eol = draw(st.sampled_from(["\n", "\r\n"]))
    ends = draw(st.lists(st.booleans(), min_size=3, max_size=3))
    return Versions(*(ended(text, eol, whole=whole) for text, whole in zip(texts, ends, strict=True)))


def ended(text: str, eol: str, *, whole: bool) -> str:
    """With these ends of lines, and with or without the last one."""
    return (text if whole else text.removesuffix("\n")).replace("\n", eol)


def git_merge(folder: Path, given: Versions) -> str | None:
    """What git makes of it; `None` for a conflict."""
    for name, text in (("ours", given.ours), ("base", given.base), ("theirs", given.theirs)):
        (folder / name).write_bytes(text.encode())
    done = subprocess.run(
        ["git", "merge-file", "-p", "ours", "base", "theirs"], cwd=folder, capture_output=True, check=False
    )
    return done.stdout.decode() if done.returncode == 0 else None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=versions())
def test_merge_does_what_git_does(tmp_path: Path, given: Versions) -> None:
    ours = merge(given.base, given.ours, given.theirs)
    assert (ours.text if isinstance(ours, Merged) else None) == git_merge(tmp_path, given)


def repetitive(random: Random) -> list[str]:
    """Blocks with the twins of code: ends, blank lines, the same statement again and again."""
    lines: list[str] = []
    for number in range(random.randint(2, 12)):
        body = random.choices(
            ["    a();", "    b();", "    return;", "    }", f"    own({number});", ""], k=random.randint(1, 6)
        )
        lines += [f"call {random.randint(0, 6)} {{", *body, "}", ""]
    return lines


def worked_on(lines: list[str], random: Random, mark: str) -> list[str]:
    """Lines put in, taken out, replaced, and copied from beside."""
    result = list(lines)
    for number in range(random.randint(0, 4)):
        at = random.randrange(len(result) + 1)
        new = random.choice([[f"{mark} {number}"], ["}"], [""], result[at : at + 3], []])
        result[at : at + random.choice([0, 0, 1, 3])] = new
    return result


def test_merge_of_twins_does_what_git_does_or_refuses(tmp_path: Path) -> None:
    """Equal lines can be matched in several ways, so that in rare cases both are right and differ."""
    other: list[int] = []
    for seed in range(REPETITIVE):
        random = Random(seed)
        lines = repetitive(random)
        texts = [
            "\n".join(side) for side in (lines, worked_on(lines, random, "ours"), worked_on(lines, random, "theirs"))
        ]
        eol = random.choice(["\n", "\r\n"])
        given = Versions(*(ended(f"{text}\n", eol, whole=random.random() < 0.8) for text in texts))
        ours, theirs = merge(given.base, given.ours, given.theirs), git_merge(tmp_path, given)
        if isinstance(ours, Merged) and ours.text != theirs:
            other.append(seed)
    assert len(other) <= REPETITIVE / 100, other


@given(ANY_TEXT, ANY_TEXT)
def test_one_changed_side_is_the_result(base: str, other: str) -> None:
    for result in (merge(base, other, base), merge(base, base, other), merge(base, other, other)):
        assert isinstance(result, Merged)
        assert result.text == other


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_sides_may_be_swapped(base: str, ours: str, theirs: str) -> None:
    one, other = merge(base, ours, theirs), merge(base, theirs, ours)
    if isinstance(one, Merged):
        assert isinstance(other, Merged)
        assert one.text == other.text
    else:
        assert isinstance(other, Conflict)
        assert [(region.start, region.end) for region in one.regions] == [(r.start, r.end) for r in other.regions]
        assert [region.ours for region in one.regions] == [region.theirs for region in other.regions]


@given(ANY_TEXT, ANY_TEXT)
def test_diff_turns_one_text_into_the_other(base: str, new: str) -> None:
    lines, hunks = split_lines(base), diff(split_lines(base), split_lines(new))
    result = merge_hunks(lines, hunks, ())
    assert isinstance(result, Merged)
    assert result.text == new
    assert all(one.end < other.start for one, other in itertools.pairwise(hunks))


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_pieces_cover_base_and_result_without_a_gap(base: str, ours: str, theirs: str) -> None:
    result = merge(base, ours, theirs)
    if isinstance(result, Conflict):
        return
    merged = split_lines(result.text)
    done_base = done = 0
    for piece in result.pieces:
        assert (piece.base_start, piece.start) == (done_base, done)
        if piece.side is Side.BASE:
            assert merged[piece.start : piece.end] == split_lines(base)[piece.base_start : piece.base_end]
        done_base, done = piece.base_end, piece.end
    assert (done_base, done) == (len(split_lines(base)), len(merged))


@given(ANY_TEXT, ANY_TEXT)
def test_insertions_and_deletions_stand_in_their_last_place(base: str, new: str) -> None:
    lines, hunks = split_lines(base), diff(split_lines(base), split_lines(new))
    for hunk, after in itertools.pairwise([*hunks, Hunk(len(lines) + 1, 0, ())]):
        if hunk.end < min(len(lines), after.start - 1) and not (hunk.lines and hunk.start < hunk.end):
            assert lines[hunk.end] != (hunk.lines[0] if hunk.lines else lines[hunk.start])


def test_same_line_put_in_beside_its_twin_by_both_counts_once() -> None:
    result = merge("a\n\nb\n", "a\n\n\nb\n", "a\n\n\nb\n")
    assert isinstance(result, Merged)
    assert result.text == "a\n\n\nb\n"


@given(ANY_TEXT)
def test_lines_joined_are_the_text(text: str) -> None:
    lines = split_lines(text)
    assert join_lines(lines) == text
    assert all(line.eol for line in lines[:-1])


def test_touching_changes_conflict_and_say_where() -> None:
    result = merge("a\nb\nc\n", "A\nb\nc\n", "a\nB\nc\n")
    assert isinstance(result, Conflict)
    (region,) = result.regions
    assert (region.start, region.end) == (0, 2)
    assert (join_lines(region.ours), join_lines(region.theirs)) == ("A\nb\n", "a\nB\n")


def test_changes_with_a_line_between_merge() -> None:
    result = merge("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n")
    assert isinstance(result, Merged)
    assert result.text == "A\nb\nC\n"


def test_neighbouring_hunks_of_one_side_keep_places_of_their_own() -> None:
    base = split_lines("a\nb\n")
    result = merge_hunks(base, (Hunk(0, 1, (Line("A", "\n"),)), Hunk(1, 2, (Line("B", "\n"),))), ())
    assert isinstance(result, Merged)
    assert [piece.start for piece in result.pieces if piece.side is Side.OURS] == [0, 1]


@pytest.mark.parametrize("text", ["}\n" * 60_000, "".join(f"{number % 7}\n" for number in range(60_000))])
def test_large_repetitive_texts_merge_in_time(text: str) -> None:
    result = merge(text, "start\n" + text, text + "end\n")
    assert isinstance(result, Merged)
    assert result.text == "start\n" + text + "end\n"


def test_distant_changes_merge_where_no_line_is_unique() -> None:
    lines = [f"{number % 7}\n" for number in range(60_000)]
    theirs = [*lines[:30_000], "theirs\n", *lines[30_001:]]
    result = merge("".join(lines), "".join(["ours\n", *lines[1:-1], "ours\n"]), "".join(theirs))
    assert isinstance(result, Merged)
    assert result.text == "".join(["ours\n", *theirs[1:-1], "ours\n"])


def test_changes_at_both_ends_of_a_large_text_are_told_apart() -> None:
    lines = [f"    value = {number % 50}\n" if number % 3 else "\n" for number in range(30_000)]
    lines[1000::1000] = [f"def function_{number}():\n" for number in range(1000, 30_000, 1000)]
    text = "".join(lines)
    both = "head\n" + text + "tail\n"
    middle = text.replace("def function_15000", "def changed")
    result = merge(text, both, middle)
    assert isinstance(result, Merged)
    assert result.text == "head\n" + middle + "tail\n"
