"""What `edit_file` makes of several edits and several calls of one turn, and what its refusals cost."""

import pytest

from specloom.domain.edits import LineEdit
from specloom.tools.edit_file import EditFile
from specloom.tools.writing import LARGE
from tests.unit.tools.conftest import Hands

TEN = "".join(f"line {number}\n" for number in range(1, 11))


def edit(number: int, text: str, new_text: str, last: int = 0, last_text: str = "") -> dict[str, object]:
    last, last_text = last or number, last_text or text
    return {"start_line": number, "start_text": text, "end_line": last, "end_text": last_text, "new_text": new_text}


def lines(*numbers: int) -> list[dict[str, object]]:
    return [edit(number, f"line {number}", f"new {number}") for number in numbers]


@pytest.fixture
async def opened(hands: Hands) -> Hands:
    """Hands that have read a file of ten lines and then begun a turn."""
    hands.grow({"a.txt": TEN})
    await hands.text("read_file", path="a.txt")
    hands.context.memory.next_turn()
    return hands


def there(hands: Hands) -> str:
    return (hands.root / "a.txt").read_bytes().decode()


async def test_edits_beyond_the_cap_are_named_and_the_call_is_kept_as_it_was_made(opened: Hands) -> None:
    sent = [edit(2, "line 3", "three\nand more"), *lines(5, 6), edit(7, "line 7", "", 8, "line 8"), *lines(10)]
    outcome = await opened.use("edit_file", path="a.txt", edits=sent)
    assert not outcome.is_error
    assert outcome.text.startswith(
        "a.txt: the first 3 of 5 edits made\n"
        "Not made: edit 4 (lines 7-8), edit 5 (line 10). A call takes 3: "
        "send the others again, with their present numbers\n"
    )
    assert "Old lines 7-10 → 8-11" in outcome.text
    assert outcome.corrected == {"path": "a.txt", "edits": [edit(3, "line 3", "three\nand more"), *lines(5, 6)]}
    assert there(opened) == TEN.replace("line 3", "three\nand more").replace("line 5", "new 5").replace(
        "line 6", "new 6"
    )


async def test_edits_on_both_sides_of_the_first_ones_may_be_left_out(opened: Hands) -> None:
    outcome = await opened.use("edit_file", path="a.txt", edits=lines(9, 7, 5, 1, 10))
    assert "Not made: edit 4 (line 1), edit 5 (line 10)" in outcome.text
    assert outcome.corrected == {"path": "a.txt", "edits": lines(9, 7, 5)}


async def test_edits_among_the_first_ones_are_not_left_out(opened: Hands) -> None:
    refusal = await opened.refusal("edit_file", path="a.txt", edits=lines(1, 5, 9, 3, 10))
    assert refusal == (
        "a.txt: none of the 5 edits was made: a call takes 3, and edit 4 (line 3) stands between the first ones. "
        "Send at most 3 a call, from the last line to the first"
    )
    assert there(opened) == TEN


@pytest.mark.parametrize("bad", [edit(10, "nothing like it", "x"), edit(2, "line 2", "x", 3, "line 3")])
async def test_fault_beyond_the_cap_refuses_the_whole_call(opened: Hands, bad: dict[str, object]) -> None:
    assert "none of the 4 edits was made" in await opened.refusal(
        "edit_file", path="a.txt", edits=[*lines(1, 2, 4), bad]
    )
    assert there(opened) == TEN


async def test_edit_that_only_a_left_out_one_puts_beyond_doubt_is_made(hands: Hands) -> None:
    hands.grow({"a.txt": "head\na\n}\nb\n}\nc\n"})
    await hands.text("read_file", path="a.txt")
    sent = [edit(1, "head", "head\nand\nmore"), edit(5, "}", "end"), edit(6, "c", "C")]
    assert "edit 3 (line 6)" in await hands.changed(edits_per_call=2).text("edit_file", path="a.txt", edits=sent)
    assert there(hands) == "head\nand\nmore\na\n}\nb\nend\nc\n"


async def test_left_out_edits_leave_the_end_of_the_file_as_it_was(hands: Hands) -> None:
    hands.grow({"a.txt": "a\nb\nc\nd"})
    await hands.text("read_file", path="a.txt")
    sent = [edit(2, "b", "B"), edit(4, "d", "D"), edit(5, "", "e")]
    await hands.changed(edits_per_call=2).text("edit_file", path="a.txt", edits=sent)
    assert there(hands) == "a\nB\nc\nD"


async def test_cap_is_a_setting(opened: Hands) -> None:
    assert "the first 1 of 2 edits made" in await opened.changed(edits_per_call=1).text(
        "edit_file", path="a.txt", edits=lines(1, 2)
    )
    wide = opened.changed(edits_per_call=9)
    assert "9 edits made" in await wide.text("edit_file", path="a.txt", edits=lines(*range(2, 11)))


async def test_neighbouring_lines_may_be_edited_by_two_calls_of_one_turn(opened: Hands) -> None:
    await opened.text("edit_file", path="a.txt", edits=[edit(4, "line 4", "four\nfour and a half")])
    told = await opened.text("edit_file", path="a.txt", edits=[edit(5, "line 5", "five")])
    assert "others" not in told
    assert "4 | four\n5 | four and a half\n6 | five\nOld lines 6-10 → 7-11" in told
    assert there(opened) == TEN.replace("line 4", "four\nfour and a half").replace("line 5", "five")


async def test_calls_of_one_turn_add_at_one_place_in_their_order(opened: Hands) -> None:
    for word in ("eleven", "twelve"):
        await opened.text("edit_file", path="a.txt", edits=[edit(11, "", word)])
    assert there(opened) == f"{TEN}eleven\ntwelve\n"


async def test_same_lines_edited_twice_in_one_turn_are_refused_with_what_stands_there(opened: Hands) -> None:
    await opened.text("edit_file", path="a.txt", edits=[edit(4, "line 4", "four")])
    refusal = await opened.refusal("edit_file", path="a.txt", edits=[edit(4, "line 4", "FOUR")])
    assert "changed by an earlier call of this turn" in refusal
    assert "4 | four" in refusal
    assert there(opened) == TEN.replace("line 4", "four")


async def test_same_call_twice_in_one_turn_is_made_once(opened: Hands) -> None:
    values = {"path": "a.txt", "edits": [edit(11, "", "eleven")]}
    await opened.text("edit_file", **values)
    assert "nothing was changed" in await opened.text("edit_file", **values)
    assert there(opened) == f"{TEN}eleven\n"


async def test_deleted_twin_does_not_draw_the_next_edit_of_the_turn_to_another(hands: Hands) -> None:
    """A comparison of the two texts cannot tell which of the equal lines went; the turn knows."""
    hands.grow({"a.txt": "a\n}\n}\nb\n"})
    await hands.text("read_file", path="a.txt")
    hands.context.memory.next_turn()
    await hands.text("edit_file", path="a.txt", edits=[edit(2, "}", "")])
    told = await hands.text("edit_file", path="a.txt", edits=[edit(3, "}", "end")])
    assert "2 | end" in told
    assert there(hands) == "a\nend\nb\n"


async def test_typing_between_two_calls_of_one_turn_is_kept(opened: Hands) -> None:
    await opened.text("edit_file", path="a.txt", edits=[edit(2, "line 2", "two\nmore")])
    opened.grow({"a.txt": there(opened).replace("line 9", "typed")})
    told = await opened.text("edit_file", path="a.txt", edits=[edit(6, "line 6", "six")])
    assert "it had changed since you last saw it" in told
    assert there(opened) == TEN.replace("line 2", "two\nmore").replace("line 9", "typed").replace("line 6", "six")


async def test_typing_at_the_lines_of_the_second_call_refuses_it(opened: Hands) -> None:
    await opened.text("edit_file", path="a.txt", edits=[edit(2, "line 2", "two\nmore")])
    opened.grow({"a.txt": there(opened).replace("line 6", "typed")})
    assert "changed by others" in await opened.refusal("edit_file", path="a.txt", edits=[edit(6, "line 6", "six")])
    assert "typed" in there(opened)


async def test_text_that_the_model_wrote_is_the_base_of_later_edits_in_the_turn(opened: Hands) -> None:
    await opened.text("write_file", path="a.txt", content="}\nx\n}\ny\nline 5\n")
    await opened.text("edit_file", path="a.txt", edits=[edit(3, "}", "end")])
    await opened.text("edit_file", path="a.txt", edits=[edit(5, "line 5", "five")])
    assert there(opened) == "}\nx\nend\ny\nfive\n"


async def test_whole_text_after_an_edit_in_the_turn_repeats_none_of_it(opened: Hands) -> None:
    await opened.text("edit_file", path="a.txt", edits=[edit(11, "", "eleven")])
    await opened.refusal("write_file", path="a.txt", content=f"{TEN}eleven\ntwelve\n")
    assert there(opened) == f"{TEN}eleven\n"
    await opened.text("write_file", path="a.txt", content=TEN.replace("line 2", "two") + "eleven\n")
    assert there(opened) == TEN.replace("line 2", "two") + "eleven\n"


async def test_file_created_in_a_turn_may_be_edited_in_it(hands: Hands) -> None:
    hands.context.memory.next_turn()
    await hands.text("write_file", path="a.txt", content=TEN)
    await hands.text("edit_file", path="a.txt", edits=lines(3))
    await hands.text("edit_file", path="a.txt", edits=lines(4))
    assert there(hands) == TEN.replace("line 3", "new 3").replace("line 4", "new 4")


async def test_written_text_that_was_merged_is_numbered_as_the_model_wrote_it(opened: Hands) -> None:
    opened.grow({"a.txt": "theirs\n" + TEN})
    await opened.text("write_file", path="a.txt", content=TEN.replace("line 8\n", ""))
    await opened.text("edit_file", path="a.txt", edits=[edit(8, "line 9", "nine")])
    assert there(opened) == "theirs\n" + TEN.replace("line 8\n", "").replace("line 9", "nine")


async def test_file_that_was_read_in_the_same_turn_may_be_edited(hands: Hands) -> None:
    hands.grow({"a.txt": TEN})
    hands.context.memory.next_turn()
    await hands.text("read_file", path="a.txt")
    await hands.text("edit_file", path="a.txt", edits=lines(3))
    assert there(hands) == TEN.replace("line 3", "new 3")


async def test_file_read_again_in_a_turn_keeps_the_base_of_the_turn(opened: Hands) -> None:
    """The calls of a turn were written before any of its results could be seen."""
    opened.grow({"a.txt": "}\n}\n" + TEN.replace("line 3", "}")})
    opened.context.memory.next_turn()
    await opened.text("read_file", path="a.txt")
    await opened.text("edit_file", path="a.txt", edits=lines(5))
    assert there(opened) == "}\n}\n" + TEN.replace("line 3", "}").replace("line 5", "new 5")


async def test_next_turn_starts_from_what_the_last_one_showed(opened: Hands) -> None:
    await opened.text("edit_file", path="a.txt", edits=[edit(1, "line 1", "one\nmore")])
    opened.context.memory.next_turn()
    outcome = await opened.use("edit_file", path="a.txt", edits=[edit(6, "line 5", "five")])
    assert outcome.corrected is None
    assert there(opened) == TEN.replace("line 1\n", "one\nmore\n").replace("line 5", "five")


async def test_lone_line_ends_that_become_one_are_numbered_as_they_stand(hands: Hands) -> None:
    hands.grow({"a.txt": "a\rx\n\nb\nc\n"})
    await hands.text("read_file", path="a.txt")
    told = await hands.text("edit_file", path="a.txt", edits=[edit(2, "x", "")])
    assert there(hands) == "a\r\nb\nc\n"
    assert "Old lines 4-5 → 2-3" in told


@pytest.mark.parametrize(
    ("data", "result"), [(b"\xef\xbb\xbfa\r\nb", b"\xef\xbb\xbfa\r\nB"), (b"\xff\xfea\0\n\0", None)]
)
async def test_bom_and_encoding_are_kept(hands: Hands, data: bytes, result: bytes | None) -> None:
    (hands.root / "a.txt").write_bytes(data)
    if (await hands.use("read_file", path="a.txt")).is_error:
        assert result is None
        return
    number, text = (2, "b") if result else (1, "a")
    await hands.text("edit_file", path="a.txt", edits=[edit(number, text, text.upper())])
    assert (hands.root / "a.txt").read_bytes() == (result or b"\xff\xfeA\0\n\0")


async def test_second_call_of_a_turn_that_counts_what_the_first_added_is_refused_at_a_twin(hands: Hands) -> None:
    hands.grow({"a.txt": "head\na\n}\nb\n}\nc\n"})
    await hands.text("read_file", path="a.txt")
    hands.context.memory.next_turn()
    await hands.text("edit_file", path="a.txt", edits=[edit(1, "head", "head\nand\nmore")])
    refusal = await hands.refusal("edit_file", path="a.txt", edits=[edit(5, "}", "end")])
    assert "line 5, and at line 3 if its number counts" in refusal
    hands.context.memory.next_turn()
    await hands.text("edit_file", path="a.txt", edits=[edit(5, "}", "end")])
    assert there(hands) == "head\nand\nmore\na\nend\nb\n}\nc\n"


async def test_line_that_was_shown_without_its_end_is_named_as_it_was_shown(hands: Hands) -> None:
    long = "x" * 3000
    hands.grow({"a.txt": f"one\n{long}\ntwo\n"})
    shown = (await hands.text("read_file", path="a.txt")).split("\n")[2].removeprefix("2 | ")
    outcome = await hands.use("edit_file", path="a.txt", edits=[edit(3, "two", "three"), edit(1, shown, "y")])
    assert outcome.corrected == {"path": "a.txt", "edits": [edit(3, "two", "three"), edit(2, shown, "y")]}
    assert there(hands) == "one\ny\nthree\n"


async def test_refusal_shows_expected_and_actual_the_nearest_lines_and_what_to_do(hands: Hands) -> None:
    body = "".join(f"def call_{number}():\n    return value_{number}\n\n\n" for number in range(50))
    hands.grow({"a.py": body})
    await hands.text("read_file", path="a.py")
    far = await hands.refusal("edit_file", path="a.py", edits=[edit(14, "    return value_20", "x")])
    assert "start_line 14: expected '    return value_20' (it stands at 82), found '    return value_3'" in far
    assert "As you last saw it; state numbers and texts like this:\n12 | \n13 | def call_3():\n14 |     ret" in far
    assert far.endswith("\n15 | \n16 | ")
    misspelt = await hands.refusal("edit_file", path="a.py", edits=[edit(14, "    return valeu_3", "x")])
    assert "expected '    return valeu_3', found '    return value_3'" in misspelt
    near = await hands.refusal("edit_file", path="a.py", edits=[edit(13, "    return valeu_3", "x")])
    assert "(most like it: 14 '    return value_3' (93%)" in near
    blank = await hands.refusal("edit_file", path="a.py", edits=[edit(40, "return value_20", "x")])
    assert "it stands at 82, only the indentation differs" in blank
    twin = await hands.refusal("edit_file", path="a.py", edits=[edit(10, "", "x", 12, "")])
    assert "the stated lines do not fit for certain, and these would: 4-7, 4-8, 4-11" in twin
    near = await hands.refusal("edit_file", path="a.py", edits=[{**edit(13, "def call_3():", "x", 14), "end_text": ""}])
    assert "end_line 14 does not fit for certain, and these would: 15 '', 16 ''" in near


async def test_refusal_costs_little_however_wrong_the_call(hands: Hands) -> None:
    hands.grow({"a.txt": "".join(f"{number} {'some long text ' * 200}\n" for number in range(400))})
    await hands.text("read_file", path="a.txt")
    wrong = [
        edit(10 * number, f"{number} {'sone lung toxt ' * 200}", "y", 10 * number + 5, "z" * 500)
        for number in range(1, 40)
    ]
    refusal = await hands.refusal("edit_file", path="a.txt", edits=wrong)
    assert len(refusal) <= 8_000
    assert "not found either: edit 5, 6, 7" in refusal
    one = await hands.refusal("edit_file", path="a.txt", edits=wrong[:1])
    assert len(one) <= 2_000


async def test_large_file_is_edited_and_written_beside_the_work_of_others(hands: Hands) -> None:
    """Large texts are compared in a thread of their own."""
    text = "".join(f"a line with the number {number}\n" for number in range(1, 10_001))
    assert len(text) > LARGE
    hands.grow({"a.txt": text})
    await hands.text("read_file", path="a.txt")
    hands.grow({"a.txt": f"theirs\n{text}"})
    ours = text.replace("number 7000\n", "number seven thousand\n")
    sent = [edit(6999, "a line with the number 7000", "a line with the number seven thousand")]
    assert "it had changed since" in await hands.text("edit_file", path="a.txt", edits=sent)
    assert there(hands) == f"theirs\n{ours}"
    await hands.text("write_file", path="a.txt", content=f"theirs\n{ours}the end\n")
    assert there(hands) == f"theirs\n{ours}the end\n"


async def test_missing_end_is_refused_by_name_for_nobody_knows_how_far_it_was_meant_to_reach(opened: Hands) -> None:
    half = {"start_line": 1, "start_text": "line 1", "new_text": "x"}
    refusal = await opened.refusal("edit_file", path="a.txt", edits=[half])
    assert "'edits[0].end_line' is missing; 'edits[0].end_text' is missing" in refusal
    assert there(opened) == TEN


def test_description_tells_what_the_schema_cannot(hands: Hands) -> None:
    tool = EditFile()
    assert list(tool.input_schema["properties"]["edits"]["items"]["properties"]) == list(LineEdit.__slots__)
    for word in (
        "as you last saw",
        "plus one and empty texts",
        "without its number",
        "from the last line to the first",
    ):
        assert word in tool.description + str(tool.input_schema)
    assert len(tool.description) < 1_000


async def test_a_file_is_not_overwritten_in_the_turn_that_reads_it(hands: Hands) -> None:
    hands.grow({"a.py": "somebody's work\n"})
    hands.context.memory.next_turn()
    await hands.text("read_file", path="a.py")
    assert "not seen it yet" in await hands.refusal("write_file", path="a.py", content="mine\n")
    hands.context.memory.next_turn()
    assert "replaced" in await hands.text("write_file", path="a.py", content="mine\n")
    assert "replaced" in await hands.text("write_file", path="a.py", content="mine again\n")
