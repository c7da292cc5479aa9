"""Edits by line anchors: accepted where there is one place, refused as a whole where there is doubt."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from specloom.domain.edits import EditRefusal, FaultKind, LineEdit, ResolvedBatch, resolve
from specloom.domain.lines import split_lines

PYTHON = """\
import os


def first(path):
    if path:
        return os.stat(path)
    return None


def second(path):
    if path:
        return os.lstat(path)
    return None
"""
EOLS = st.sampled_from(["\n", "\r\n", "\r"])


def line(number: int, text: str, new_text: str, last: int | None = None, last_text: str | None = None) -> LineEdit:
    return LineEdit(number, text, last or number, text if last_text is None else last_text, new_text)


def accepted(text: str, *edits: LineEdit) -> ResolvedBatch:
    batch = resolve(text, edits)
    assert isinstance(batch, ResolvedBatch), batch.faults
    return batch


def refused(text: str, *edits: LineEdit) -> EditRefusal:
    refusal = resolve(text, edits)
    assert isinstance(refusal, EditRefusal), refusal.text
    return refusal


@st.composite
def texts(draw: st.DrawFn) -> str:
    lines = draw(st.lists(st.text(st.sampled_from("ab {}\té"), max_size=6), max_size=12))
    eol = draw(EOLS)
    return eol.join(lines) + draw(st.sampled_from(["", eol]))


@given(texts(), st.data())
def test_stated_places_are_replaced_and_nothing_else(text: str, data: st.DataObject) -> None:
    lines = split_lines(text)
    assume(lines)
    start = data.draw(st.integers(1, len(lines)))
    end = data.draw(st.integers(start, len(lines)))
    new = data.draw(st.lists(st.sampled_from(["new", "  new", "x y"]), min_size=1, max_size=3))
    batch = accepted(text, LineEdit(start, lines[start - 1].text, end, lines[end - 1].text, "\n".join(new)))
    result = split_lines(batch.text)
    assert not batch.corrected
    assert [known.text for known in result] == [
        *(known.text for known in lines[: start - 1]),
        *new,
        *(known.text for known in lines[end:]),
    ]
    assert result[-1].eol == lines[-1].eol
    assert {known.eol for known in result[:-1]} <= {known.eol for known in lines if known.eol} | {"\n"}


@given(texts(), st.data())
def test_replacing_a_line_by_itself_changes_nothing(text: str, data: st.DataObject) -> None:
    lines = split_lines(text)
    assume(lines)
    number = data.draw(st.integers(1, len(lines)))
    own = lines[number - 1].text
    assume(own)
    assert accepted(text, line(number, own, own)).text == text


@given(texts(), st.lists(st.tuples(st.integers(0, 13), st.integers(0, 13), st.text(max_size=5)), max_size=3))
def test_nothing_is_ever_raised_and_refusals_name_each_edit(text: str, given_edits: list[tuple[int, int, str]]) -> None:
    result = resolve(text, [LineEdit(start, content, end, content, "new") for start, end, content in given_edits])
    if isinstance(result, EditRefusal):
        assert all(fault.message and 0 <= fault.index < len(given_edits) for fault in result.faults)
        assert "\n".join(known.text for known in result.lines) == "\n".join(known.text for known in split_lines(text))


@pytest.mark.parametrize("shift", [-3, -2, -1, 1, 2, 3])
def test_number_that_is_a_little_off_is_corrected(shift: int) -> None:
    batch = accepted(PYTHON, line(6 + shift, "        return os.stat(path)", "        return path"))
    assert batch.corrected
    assert batch.edits[0].start_line == batch.edits[0].end_line == 6
    assert batch.text == PYTHON.replace("return os.stat(path)", "return path")


@pytest.mark.parametrize("shift", [-5, -4, 4, 5])
def test_number_that_is_far_off_is_refused_with_the_place(shift: int) -> None:
    (fault,) = refused(PYTHON, line(6 + shift, "        return os.stat(path)", "")).faults
    assert fault.kind is FaultKind.NOT_FOUND
    assert "it stands at 6" in fault.message
    assert "expected '        return os.stat(path)'" in fault.message


def test_twin_of_the_stated_line_is_edited_where_it_is_stated() -> None:
    assert accepted(PYTHON, line(11, "    if path:", "    if not path:")).edits[0].start_line == 11


def test_twins_away_from_the_stated_place_are_refused() -> None:
    text = "{\n}\nx\n}\n"
    (fault,) = refused(text, line(3, "}", "")).faults
    assert fault.kind is FaultKind.AMBIGUOUS
    assert "2 '}', 4 '}'" in fault.message


def test_twin_at_one_end_of_a_shifted_block_is_refused() -> None:
    text = "a {\n}\nb {\n  x\n}\n}\n"
    (fault,) = refused(text, LineEdit(2, "b {", 4, "}", "")).faults
    assert fault.kind is FaultKind.AMBIGUOUS


def test_stated_place_that_fits_loosely_and_another_that_fits_exactly_is_refused() -> None:
    (fault,) = refused("  x\nx\n", line(1, "x", "y")).faults
    assert fault.kind is FaultKind.AMBIGUOUS


@pytest.mark.parametrize(
    ("stated", "start"),
    [
        ("    return None  ", 7),
        ("    return None\n", 7),
        ("    return None\r\n", 7),
        ("    return  None", 7),
        ("7 |     return None", 7),
        ("9 |     return None", 7),
        ("    return\u00a0None", 7),
    ],
)
def test_anchor_that_is_written_a_little_otherwise_is_accepted(stated: str, start: int) -> None:
    batch = accepted(PYTHON, line(start, stated, "    return 0"))
    assert batch.text.splitlines()[6] == "    return 0"
    assert batch.edits[0].start_text == "    return None"
    assert batch.corrected


@pytest.mark.parametrize(
    ("actual", "stated"), [('say("hi")', "say(“hi”)"), ("it's", "it’s"), ("a - b", "a – b"), ("ﬁx", "fix")]
)
def test_look_alike_characters_are_accepted(actual: str, stated: str) -> None:
    assert accepted(f"{actual}\n", line(1, stated, "new")).text == "new\n"


def test_numbers_of_the_viewer_are_taken_off_new_text_too() -> None:
    assert accepted("a\nb\n", line(2, "2 | b", "2 | c\n3 | d")).text == "a\nc\nd\n"


def test_numbers_in_new_text_stay_when_the_anchors_carry_none() -> None:
    assert accepted("a\nb\n", line(2, "b", "2 | c")).text == "a\n2 | c\n"


def test_line_that_looks_numbered_itself_is_taken_as_it_is() -> None:
    assert accepted("1 | a\n", line(1, "1 | a", "1 | b")).text == "1 | b\n"


def test_uniform_shift_of_indentation_moves_the_new_text() -> None:
    edit = LineEdit(5, "if path:", 6, "    return os.stat(path)", "if path is None:\n    return 1")
    assert accepted(PYTHON, edit).text == PYTHON.replace(
        "    if path:\n        return os.stat(path)", "    if path is None:\n        return 1"
    )


def test_trimmed_anchors_leave_a_new_text_with_its_own_indentation() -> None:
    edit = LineEdit(5, "if path:", 6, "return os.stat(path)", "    if path is None:\n        return 1")
    assert "    if path is None:\n        return 1\n    return None" in accepted(PYTHON, edit).text


def test_too_deep_anchors_move_the_new_text_back() -> None:
    assert "    return 1\n" in accepted(PYTHON, line(7, "        return None", "        return 1")).text


@pytest.mark.parametrize(
    "edit",
    [
        LineEdit(5, "if path:", 6, "      return os.stat(path)", "if path:\n  return 1"),
        line(7, "  return None", "      return 1"),
        line(7, "\t  return None", "\treturn 1"),
    ],
)
def test_shift_that_is_not_uniform_is_refused(edit: LineEdit) -> None:
    (fault,) = refused(PYTHON, edit).faults
    assert fault.kind is FaultKind.INDENTATION


def test_one_bad_edit_refuses_the_batch() -> None:
    refusal = refused(PYTHON, line(1, "import os", "import sys"), line(2, "nothing", ""))
    assert [fault.index for fault in refusal.faults] == [1]


def test_overlapping_edits_are_refused() -> None:
    refusal = refused("a\nb\nc\n", LineEdit(1, "a", 2, "b", "x"), LineEdit(2, "b", 3, "c", "y"))
    assert [(fault.index, fault.kind) for fault in refusal.faults] == [(1, FaultKind.OVERLAP)]


def test_neighbouring_edits_are_both_made_in_any_order() -> None:
    assert accepted("a\nb\nc\n", line(2, "b", "B"), line(1, "a", "A")).text == "A\nB\nc\n"


@pytest.mark.parametrize(
    ("text", "edit", "result"),
    [
        ("", line(1, "", "a\nb\n"), "a\nb\n"),
        ("", line(0, "", "a"), "a\n"),
        ("a\nb", line(3, "", "c"), "a\nb\nc"),
        ("a\r\nb\r\n", line(3, "", "c"), "a\r\nb\r\nc\r\n"),
        ("a\nb\n", line(0, "", "c"), "c\na\nb\n"),
        ("a\nb\n", line(2, "b", ""), "a\n"),
        ("a\nb", line(2, "b", ""), "a"),
        ("a", line(1, "a", ""), ""),
        ("a\r\nb\r\n", line(1, "a", "x\ny"), "x\r\ny\r\nb\r\n"),
        ("a\r\nb\nc\n", line(1, "a", "x\ny"), "x\r\ny\r\nb\nc\n"),
        ("a\rb\r", line(2, "b", "x\ny"), "a\rx\ry\r"),
        ("a\nb", line(2, "b", "x\ny\n"), "a\nx\ny"),
        ("a\n\n\n", line(2, "", "x"), "a\nx\n\n"),
        ("a\n", line(1, "a", "\n"), "\n"),
    ],
)
def test_ends_of_lines_and_of_files_are_kept(text: str, edit: LineEdit, result: str) -> None:
    assert accepted(text, edit).text == result


@pytest.mark.parametrize("edit", [line(0, "", "x"), line(6, "", "x")])
def test_insertion_at_an_end_is_made_although_an_empty_line_is_near(edit: LineEdit) -> None:
    text = "a\n\nb\n\nc\n"
    resolved = resolve(text, [edit])
    assert isinstance(resolved, ResolvedBatch)
    assert resolved.text == ("x\n" + text if edit.start_line == 0 else text + "x\n")


@pytest.mark.parametrize(("edit", "beside"), [(line(0, "", "x"), 1), (line(4, "", "x"), 3)])
def test_insertion_beside_an_empty_line_is_refused(edit: LineEdit, beside: int) -> None:
    (fault,) = refused("\nb\n\n", edit).faults
    assert (fault.kind, f"line {beside} is empty too" in fault.message) == (FaultKind.AMBIGUOUS, True)


@given(st.lists(st.sampled_from(["{", "}", "  x", "y", ""]), min_size=1, max_size=15), st.integers(-5, 5), st.data())
def test_wrong_number_never_edits_another_line(lines: list[str], shift: int, data: st.DataObject) -> None:
    """Unless the stated line is itself a twin of the one that was meant; the end of the file is one of empty lines."""
    meant = data.draw(st.integers(1, len(lines)))
    stated = meant + shift
    text = lines[meant - 1]
    assume(stated >= 1)
    there = lines[stated - 1] if stated <= len(lines) else "" if stated == len(lines) + 1 else None
    assume(shift == 0 or there is None or there.split() != text.split())
    sent = data.draw(st.sampled_from([text, text.strip(), f"{text}  ", f"  {text}"]))
    result = resolve("".join(f"{known}\n" for known in lines), [line(stated, sent, "new")])
    if isinstance(result, ResolvedBatch):
        assert result.edits[0].start_line == meant


def test_anchor_of_two_lines_is_refused_with_the_rule() -> None:
    (fault,) = refused("a\nb\n", line(1, "a\nb", "c")).faults
    assert "one line each" in fault.message


def test_end_before_start_is_refused() -> None:
    (fault,) = refused("a\nb\nc\nd\ne\nf\ng\nh\n", LineEdit(8, "h", 1, "a", "")).faults
    assert "end_line is before start_line" in fault.message


def test_line_past_the_end_is_refused_with_the_length() -> None:
    (fault,) = refused("a\n", line(9, "x", "")).faults
    assert "no such line, the file has 1" in fault.message
