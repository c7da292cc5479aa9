"""Places on the wire and in the domain are the same places, in every encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from specloom.domain.problem import Span
from specloom.lsp.positions import TextLines, changed, points_of, units_of
from specloom.lsp.text_edits import line_edits

ENCODINGS = ("utf-8", "utf-16", "utf-32")
# Form feed, U+0085 and U+2028 are line ends to Python, and not to the protocol.
TEXTS = st.text(st.sampled_from("ab \t\n\r\f\x85\u2028é😀"), max_size=40) | st.sampled_from(
    ["a\r\nb\r\n", "\ufeffa\n", ""]
)


@given(TEXTS, st.sampled_from(ENCODINGS))
def test_an_offset_survives_the_way_there_and_back(text: str, encoding: str) -> None:
    lines = TextLines(text, encoding)
    for offset in range(len(text) + 1):
        inside_of_line_end = 0 < offset < len(text) and text[offset - 1 : offset + 1] == "\r\n"
        if not inside_of_line_end:
            assert lines.offset(lines.position(offset)) == offset


@given(TEXTS, st.integers(0, 12), st.integers(0, 60), st.sampled_from(ENCODINGS))
def test_no_position_leads_outside_the_text(text: str, line: int, character: int, encoding: str) -> None:
    offset = TextLines(text, encoding).offset(types.Position(line, character))
    assert 0 <= offset <= len(text)


@given(TEXTS, TEXTS, st.data())
def test_a_change_replaces_what_its_range_says(text: str, new: str, data: st.DataObject) -> None:
    encoding = data.draw(st.sampled_from(ENCODINGS))
    lines = TextLines(text, encoding)
    ends = sorted((data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))))
    start, end = (lines.offset(lines.position(offset)) for offset in ends)
    place = types.Range(lines.position(start), lines.position(end))
    event = types.TextDocumentContentChangePartial(place, new)
    assert changed(text, event, encoding) == text[:start] + new + text[end:]


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 7), ("utf-16", 5), ("utf-32", 4)])
def test_an_astral_character_counts_as_its_encoding_says(encoding: str, column: int) -> None:
    line = 'x="😀"'
    assert units_of(line[:4], encoding) == column
    assert points_of(line, column, encoding) == 4


def test_a_cut_character_counts_as_before_it() -> None:
    assert points_of("a😀b", 2, "utf-16") == 1


def test_lines_end_where_the_protocol_says() -> None:
    lines = TextLines("a\fb\u2028c\r\nd\re\n")
    assert [lines.line(number) for number in range(5)] == ["a\fb\u2028c", "d", "e", "", ""]


def test_a_span_beyond_the_text_is_clamped() -> None:
    lines = TextLines("one\ntwo")
    assert lines.range(Span(1, 1, 9, 9)) == types.Range(types.Position(1, 1), types.Position(1, 3))


@given(TEXTS, TEXTS, st.sampled_from(ENCODINGS))
def test_line_edits_make_the_new_text(before: str, after: str, encoding: str) -> None:
    text = before
    edits = line_edits(TextLines(before, encoding), after)
    for edit in reversed(edits):
        text = changed(text, types.TextDocumentContentChangePartial(edit.range, edit.new_text), encoding)
    assert text == after


def test_line_edits_leave_untouched_lines_alone() -> None:
    before = "".join(f"line {number}\n" for number in range(100))
    after = before.replace("line 10\n", "line ten\n").replace("line 90\n", "")
    edits = line_edits(TextLines(before), after)
    assert [(edit.range.start.line, edit.range.end.line, edit.new_text) for edit in edits] == [
        (10, 11, "line ten\n"),
        (90, 91, ""),
    ]
