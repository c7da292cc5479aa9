"""The line below the picture, key by key; a real terminal is in `test_attach`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.cli.typed_line import LONGEST, TypedLine


def typed(keys: str) -> tuple[list[str | None], str]:
    """The lines that were handed on, and what is left."""
    lines: list[str | None] = []
    line = TypedLine(lines.append)
    line.take(keys)
    return lines, line.text


@pytest.mark.parametrize(
    ("keys", "lines", "left"),
    [
        ("say hello\r", ["say hello"], ""),
        ("one\ntwo\nthree", ["one", "two"], "three"),
        ("helo\x7flo", [], "hello"),
        ("all of it\x15", [], ""),
        ("the last word\x17", [], "the last"),
        ("\x1b[A\x1b[200~past\x1bOPed\x1b[201~", [], "pasted"),
        ("\x04", [None], ""),
        ("half\x04", [], "half"),
        ("  \n\n", [], ""),
        ("\x00\x07grüß\u200bGott\n", ["grüßGott"], ""),
    ],
)
def test_keys_make_lines(keys: str, lines: list[str | None], left: str) -> None:
    assert typed(keys) == (lines, left)


@given(st.lists(st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=20), max_size=5))
def test_lines_arrive_as_they_were_typed(said: list[str]) -> None:
    assert typed("".join(f"{line}\r" for line in said)) == (list(said), "")


def test_a_line_without_end_is_bounded() -> None:
    assert typed("x" * (LONGEST + 5)) == ([], "x" * LONGEST)
