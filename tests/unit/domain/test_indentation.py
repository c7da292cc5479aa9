"""The indentation of a new text when its anchors were stated with another one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.edits import EditRefusal, FaultKind, LineEdit, ResolvedBatch, resolve
from specloom.domain.indentation import reindented

BLOCK = ["class A:", "    def b(self):", "        if self.c:", "            d()", "        return self.c"]
TABS = [line.replace("    ", "\t") for line in BLOCK]
NARROW = [line.replace("    ", "  ") for line in BLOCK]


def shifted(lines: list[str], put: str, take: int = 0) -> list[str]:
    return [put + line[take:] for line in lines]


@pytest.mark.parametrize(
    ("file", "stated"),
    [
        (BLOCK, shifted(BLOCK[2:4], "    ")),
        (BLOCK, shifted(BLOCK[2:4], "", 8)),
        (BLOCK, shifted(BLOCK[2:4], "", 3)),
        (BLOCK, TABS[2:4]),
        (TABS, BLOCK[2:4]),
        (TABS, NARROW[2:4]),
        (NARROW, TABS[2:4]),
        (TABS, shifted(TABS[2:4], "", 1)),
    ],
)
def test_uniform_shift_moves_the_whole_new_text(file: list[str], stated: list[str]) -> None:
    unit = file[3][len(file[2]) - len(file[2].lstrip()) :].partition("d")[0]
    step = stated[1][: len(stated[1]) - len(stated[1].lstrip())][len(stated[0]) - len(stated[0].lstrip()) :]
    front, there = (text[: len(text) - len(text.lstrip())] for text in (stated[0], file[2]))
    new = f"{front}if self.e:\n{front}{step}f()\n\n{front}{step}{step}g()\n"
    edit = LineEdit(3, stated[0], 4, stated[1], new)
    batch = resolve("\n".join(file) + "\n", [edit])
    assert isinstance(batch, ResolvedBatch), batch.faults
    assert batch.text.split("\n")[2:6] == [f"{there}if self.e:", f"{there}{unit}f()", "", f"{there}{unit}{unit}g()"]


@pytest.mark.parametrize(
    ("stated", "new_text"),
    [
        (["    if self.c:", "          d()"], "    if self.e:\n          f()"),
        (["\tif self.c:", "            d()"], "\tif self.e:\n            f()"),
        (["      if self.c:", "            d()"], "      f()\n            d()"),
    ],
)
def test_shift_of_different_amounts_is_refused_with_both(stated: list[str], new_text: str) -> None:
    refusal = resolve("\n".join(BLOCK) + "\n", [LineEdit(3, stated[0], 4, stated[1], new_text)])
    assert isinstance(refusal, EditRefusal), refusal.text
    (fault,) = refusal.faults
    assert fault.kind is FaultKind.INDENTATION
    assert "stated for 8 spaces" in fault.message


def test_repeated_line_tells_that_the_new_text_stands_where_the_anchors_do() -> None:
    assert reindented("    more()\n}\n", ("}", "    }"), ("}", "    }"), ["    }"]) == "        more()\n    }\n"


def test_repeated_line_tells_that_the_new_text_stands_where_the_file_does() -> None:
    assert reindented("        x\n    }\n", ("}", "    }"), ("}", "    }"), ["    }"]) == "        x\n    }\n"


def test_repeated_lines_that_tell_both_are_refused() -> None:
    told = ("a", "    a"), ("b", "    b")
    assert reindented("a\n    b\n", *told, ["    a", "    b"]) is None


def test_empty_first_line_tells_nothing_of_the_first_line_of_the_new_text() -> None:
    assert reindented("x\n", ("", ""), ("b", "    b"), ["", "    b"]) is None
    assert reindented("    x\n", ("", ""), ("b", "    b"), ["", "    b"]) == "    x\n"
    assert reindented("x\nb\n", ("", ""), ("b", "    b"), ["", "    b"]) == "    x\n    b\n"


def test_tabs_that_may_be_of_two_widths_are_refused() -> None:
    """Four spaces for two tabs are a width of two, unless the block is also one step too far left."""
    assert reindented("    a\n        b\n", ("    a", "\t\ta"), ("    a", "\t\ta")) is None


def test_spaces_that_are_no_whole_tabs_are_refused() -> None:
    assert reindented("    x\n      y\n", ("    a", "\ta"), ("    a", "\ta")) is None


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["x", "y(", ""])), min_size=1, max_size=6),
    st.integers(0, 3),
    st.integers(1, 3),
)
def test_a_shift_and_its_way_back_are_one(lines: list[tuple[int, str]], depth: int, by: int) -> None:
    text = "".join("    " * (depth + more) + word + "\n" if word else "\n" for more, word in [(0, "first"), *lines])
    moved = "".join("    " * by + line if line.strip() else line for line in text.splitlines(keepends=True))
    here, there = "    " * depth + "anchor", "    " * (depth + by) + "anchor"
    assert reindented(text, (here, there), (here, there)) == moved
    assert reindented(moved, (there, here), (there, here)) == text
