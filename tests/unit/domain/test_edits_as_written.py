"""Edits as models really write them: copied line numbers, typography, numbers of another text, ends of lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.edits import EditRefusal, FaultKind, LineEdit, ResolvedBatch, resolve
from specloom.domain.lines import split_lines

CODE = "def first():\n    a = 1\n    return a\n\n\ndef second():\n    b = 2\n    return b\n"
VIEWERS = [
    "{n} | {t}",
    "{n:>6}\t{t}",
    "{n}→{t}",
    "{n:>5}→{t}",
    "{n}: {t}",
    "{n}:\t{t}",
    "{n}:{t}",
    "{n}|{t}",
    "{n} │ {t}",
]
EOLS = ["\n", "\r\n", "\r"]


def line(number: int, text: str, new_text: str, last: int | None = None, last_text: str | None = None) -> LineEdit:
    return LineEdit(number, text, last or number, text if last_text is None else last_text, new_text)


def made(text: str, *edits: LineEdit) -> str:
    batch = resolve(text, edits)
    assert isinstance(batch, ResolvedBatch), batch.faults
    return batch.text


def fault(text: str, *edits: LineEdit) -> tuple[FaultKind, str]:
    refusal = resolve(text, edits)
    assert isinstance(refusal, EditRefusal), refusal.text
    assert len(refusal.faults) == 1
    return refusal.faults[0].kind, refusal.faults[0].message


@pytest.mark.parametrize("form", VIEWERS)
@pytest.mark.parametrize("numbered_text", [True, False])
def test_line_numbers_of_any_viewer_are_taken_off(form: str, *, numbered_text: bool) -> None:
    new = ["    a = 2", "", "    if a:", "        return a"]
    sent = [form.format(n=number, t=text) for number, text in enumerate(new, 2)] if numbered_text else new
    edit = line(2, form.format(n=2, t="    a = 1"), "\n".join(sent), 3, form.format(n=3, t="    return a"))
    expected = CODE.replace("    a = 1\n    return a\n", "\n".join(new) + "\n")
    assert made(CODE, edit) == expected


def test_only_one_numbered_anchor_is_found_too_but_the_new_text_is_left_alone() -> None:
    edit = line(2, "2 | " + "    a = 1", "2 | x", 3, "    return a")
    assert made(CODE, edit) == CODE.replace("    a = 1\n    return a", "2 | x")


@pytest.mark.parametrize(
    "new_text", ["2 |     a = 2\n    return a", "9 |     a = 2", "3 |     a = 2\n2 |     return a"]
)
def test_new_text_whose_numbers_do_not_count_is_refused(new_text: str) -> None:
    assert fault(CODE, line(2, "2 |     a = 1", new_text)) == (
        FaultKind.NOT_FOUND,
        "some lines of new_text begin with a line number; send the text without numbers",
    )


def test_text_that_looks_numbered_is_no_number_of_a_viewer() -> None:
    ports = "ports:\n  80: web\n  81: api\n"
    assert made(ports, line(2, "  80: web", "  90: web\n  91: admin")) == ports.replace(
        "  80: web", "  90: web\n  91: admin"
    )
    assert made(ports, line(2, "2 |   80: web", "  90: web")) == ports.replace("80", "90")


def test_copied_number_beats_a_counted_one_that_does_not_fit() -> None:
    text = "}\nx\n}\ny\n}\nz\n"
    assert made(text, line(4, "3 | }", "end")) == "}\nx\nend\ny\n}\nz\n"


def test_copied_number_and_counted_one_that_both_fit_elsewhere_are_refused() -> None:
    kind, message = fault("}\nx\n}\ny\n", line(3, "1 | }", "end"))
    assert kind is FaultKind.AMBIGUOUS
    assert "3 '}', 1 '}'" in message


@pytest.mark.parametrize(
    ("actual", "stated"),
    [
        ('say("hi")', "say(„hi”)"),
        ("it's", "it′s"),
        ("a - b", "a − b"),
        ("a - b", "a\u00a0-\u202fb"),
        ("abc", "a\u200bb\u2060c"),
        ("abc", "\ufeffabc"),
        ("ｘ = 1", "x = 1"),
        ("Ω", "\u2126"),
        ("wait...", "wait…"),
        ("é", "e\u0301"),
    ],
)
def test_look_alikes_are_found_where_they_are_the_only_ones(actual: str, stated: str) -> None:
    assert made(f"first\n{actual}\n", line(2, stated, "new")) == "first\nnew\n"
    kind, _ = fault(f"{actual}\nx\n{actual}\n", line(2, stated, "new"))
    assert kind is FaultKind.AMBIGUOUS


def test_look_alike_at_the_stated_place_yields_to_the_exact_line_near() -> None:
    kind, _ = fault('say("hi")\nsay(“hi”)\n', line(1, "say(“hi”)", "new"))
    assert kind is FaultKind.AMBIGUOUS


def test_new_text_gets_the_characters_that_its_anchors_had_replaced() -> None:
    assert made('say("hi")\n', line(1, "say(“hi”)", "say(“ho”)")) == 'say("ho")\n'
    assert made("a “b” - c\n", line(1, "a “b” – c", "a “d” – c")) == "a “d” - c\n"
    assert made('say("hi")\n', line(1, 'say("hi")', "say(“ho”)")) == "say(“ho”)\n"


def test_blanks_beside_a_look_alike_are_no_look_alikes() -> None:
    assert made("a -b\n", line(1, "a– b", "c – d")) == "c – d\n"


def test_numbers_that_count_the_edits_before_them_are_refused_where_they_fit_a_twin() -> None:
    text = "head\na\n}\nb\n}\nc\n"
    edits = [line(1, "head", "head\nand\nmore"), line(5, "}", "end")]
    kind, message = fault(text, *edits)
    assert kind is FaultKind.AMBIGUOUS
    assert "line 5, and at line 3 if its number counts" in message
    assert made(text, *reversed(edits)) == "head\nand\nmore\na\n}\nb\nend\nc\n"


def test_another_edit_of_the_call_tells_how_its_numbers_count() -> None:
    text = "head\na\n}\nb\n}\nc\n"
    edits = [line(1, "head", "head\nand\nmore"), line(5, "}", "end"), line(6, "c", "C")]
    assert made(text, *edits) == "head\nand\nmore\na\n}\nb\nend\nC\n"


def test_numbers_far_off_that_count_the_edits_before_them_do_not_reach_a_twin_near() -> None:
    text = "head\n}\n" + "".join(f"{number}\n" for number in range(10)) + "}\n"
    added = "\n".join(["head", *"abcdefghi"])
    kind, _ = fault(text, line(1, "head", added), line(11, "}", "end"))
    assert kind is FaultKind.AMBIGUOUS


def test_append_that_counts_the_lines_deleted_before_it_is_refused() -> None:
    text = "a\nb\n\nc\nd\n"
    kind, _ = fault(text, LineEdit(1, "a", 3, "", ""), line(3, "", "e"))
    assert kind is FaultKind.OVERLAP
    kind, _ = fault("a\nb\nc\n\nd\n", LineEdit(1, "a", 2, "b", ""), line(4, "", "e"))
    assert kind is FaultKind.AMBIGUOUS


def test_block_of_which_one_end_moved_is_found() -> None:
    assert made(CODE, line(2, "    a = 1", "    return 1", 4, "    return a")) == CODE.replace(
        "    a = 1\n    return a", "    return 1"
    )
    assert made(CODE, line(5, "def second():", "", 7, "    b = 2")) == CODE.replace("def second():\n    b = 2\n", "")


@pytest.mark.parametrize(
    "edit",
    [
        LineEdit(3, "    return a", 2, "    a = 1", "x"),
        LineEdit(3, "    a = 1", 2, "    return a", "x"),
        LineEdit(3, "}", 2, "b {", "x"),
    ],
)
def test_swapped_ends_are_never_taken_for_another_block(edit: LineEdit) -> None:
    text = "a {\n}\nb {\n}\n" if edit.start_text == "}" else CODE
    result = resolve(text, [edit])
    assert isinstance(result, EditRefusal) or result.text == CODE.replace("    a = 1\n    return a", "x")


@pytest.mark.parametrize("eol", EOLS)
@pytest.mark.parametrize("end", [True, False])
def test_inserting_at_both_ends_keeps_ends_of_lines(eol: str, *, end: bool) -> None:
    text = eol.join(["a", "b"]) + (eol if end else "")
    edits = [LineEdit(0, "", 0, "", "x\ny"), LineEdit(3, "", 3, "", "z\r\n"), line(2, "b", "B")]
    assert made(text, *edits) == eol.join(["x", "y", "a", "B", "z"]) + (eol if end else "")


@pytest.mark.parametrize("numbers", [(0, 0), (1, 1), (1, 0), (0, 1)])
def test_empty_file_takes_its_first_lines(numbers: tuple[int, int]) -> None:
    assert made("", LineEdit(numbers[0], "", numbers[1], "", "a\nb")) == "a\nb\n"
    kind, message = fault("", LineEdit(1, "a", 1, "a", "b"))
    assert (kind, "the file is empty" in message) == (FaultKind.NOT_FOUND, True)


@pytest.mark.parametrize("text", ["a\n", "a", "a\nb", "a\r\nb\r\n", "\n", "a\n\n"])
def test_everything_may_be_deleted(text: str) -> None:
    lines = split_lines(text)
    assert made(text, LineEdit(1, lines[0].text, len(lines), lines[-1].text, "")) == ""


def test_adding_nothing_past_the_end_is_refused() -> None:
    assert fault("a\n", LineEdit(2, "", 2, "", "")) == (FaultKind.NOT_FOUND, "no line 2 to delete")


@pytest.mark.parametrize("blank", ["\f", "\u2028", "\u2029", "\x85", "\v", "\x1c"])
def test_characters_that_are_no_ends_of_lines_stay_in_theirs(blank: str) -> None:
    text = f"a{blank}b\nc\n"
    assert len(split_lines(text)) == 2
    assert made(text, line(2, "c", f"d{blank}e")) == f"a{blank}b\nd{blank}e\n"
    assert made(text, line(1, f"a{blank}b", "x")) == "x\nc\n"


def test_each_line_of_a_mixed_file_keeps_its_own_end() -> None:
    text = "a\r\nb\nc\rd"
    assert made(text, line(1, "a", "A")) == "A\r\nb\nc\rd"
    assert made(text, line(2, "b", "B\nB2")) == "a\r\nB\nB2\nc\rd"
    assert made(text, LineEdit(2, "b", 3, "c", "x\ny")) == "a\r\nx\ny\rd"
    assert made(text, line(4, "d", "")) == "a\r\nb\nc"


@st.composite
def texts(draw: st.DrawFn) -> str:
    count = draw(st.integers(1, 8))
    ends = draw(st.lists(st.sampled_from(EOLS), min_size=count, max_size=count))
    if draw(st.booleans()):
        ends[-1] = ""
    return "".join(f"line {number}{eol}" for number, eol in enumerate(ends, 1))


@given(texts(), st.data())
def test_any_edits_that_do_not_overlap_make_the_lines_meant_and_keep_the_end(text: str, data: st.DataObject) -> None:
    old = [known.text for known in split_lines(text)]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(old)), max_size=6)))
    edits: list[LineEdit] = []
    expected = list(old)
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    for number, (start, end) in enumerate(reversed(spans)):
        new = [f"new {number}.{count}" for count in range(data.draw(st.integers(0, 2)))]
        edits.append(LineEdit(start + 1, old[start], end, old[end - 1], "\n".join(new)))
        expected[start:end] = new
    for number in range(data.draw(st.integers(0, 2))):
        edits.append(LineEdit(len(old) + 1, "", len(old) + 1, "", f"tail {number}"))
        expected.append(f"tail {number}")
    result = made(text, *edits)
    assert [known.text for known in split_lines(result)] == expected
    if result and edits:
        assert bool(split_lines(result)[-1].eol) == bool(split_lines(text)[-1].eol)
