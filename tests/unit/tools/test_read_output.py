"""An output that became one line comes back as it was, in parts where it is long."""

from specloom.tools.read_output import ReadOutput
from specloom.tools.registry import ToolBox
from specloom.tools.view import MAX_CHARACTERS
from tests.unit.tools.conftest import Hands

TEXT = "exit code 1\n" + "\n".join(f"line {number}" for number in range(2, 101))


def with_outputs(hands: Hands, outputs: dict[int, str]) -> Hands:
    hands.box = ToolBox([ReadOutput()])
    return hands.changed(outputs=outputs)


async def test_an_output_comes_back_whole(hands: Hands) -> None:
    shown = await with_outputs(hands, {17: TEXT}).text("read_output", output=17)
    assert shown == f"output 17, lines 1 to 100 of 100, as it was:\n{TEXT}"


async def test_some_lines_of_it_can_be_asked_for(hands: Hands) -> None:
    shown = await with_outputs(hands, {17: TEXT}).text("read_output", output=17, start_line=99, end_line=200)
    assert shown.splitlines()[1:] == ["line 99", "line 100"]


async def test_a_long_one_says_how_to_go_on(hands: Hands) -> None:
    long = "\n".join("x" * 1000 for _ in range(200))
    shown = await with_outputs(hands, {3: long}).text("read_output", output=3)
    assert len(shown) < MAX_CHARACTERS + 200
    assert shown.endswith("go on with start_line=60") or "go on with start_line=" in shown.splitlines()[-1]


async def test_a_number_that_is_not_kept_names_those_that_are(hands: Hands) -> None:
    assert "there are: 3, 17" in await with_outputs(hands, {17: "a", 3: "b"}).refusal("read_output", output=4)
    assert "none yet" in await with_outputs(hands, {}).refusal("read_output", output=4)


async def test_lines_that_it_does_not_have_are_refused(hands: Hands) -> None:
    refusal = await with_outputs(hands, {17: TEXT}).refusal("read_output", output=17, start_line=101)
    assert "has 100 lines" in refusal
