"""Lines that are added at the end of a text, in a form that every editor makes the same text of."""

import pytest

from specloom.lsp.positions import TextLines
from specloom.lsp.text_edits import line_edits


@pytest.mark.parametrize(
    ("before", "after", "edit"),
    [
        ("one\n", "one\ntwo\n", ((0, 3), (0, 3), "\ntwo")),
        ("one\r\n", "one\r\ntwo\r\n", ((0, 3), (0, 3), "\r\ntwo")),
        ("one\n", "one\n\n", ((0, 3), (0, 3), "\n")),
        ("one\n", "one\ntwo", ((0, 3), (1, 0), "\ntwo")),
        ("one", "one\ntwo", ((0, 0), (0, 3), "one\ntwo")),
        ("", "one\n", ((0, 0), (0, 0), "one\n")),
    ],
)
def test_lines_are_added_behind_the_last_content(
    before: str, after: str, edit: tuple[tuple[int, int], tuple[int, int], str]
) -> None:
    (made,) = line_edits(TextLines(before), after)
    start, end = made.range.start, made.range.end
    assert ((start.line, start.character), (end.line, end.character), made.new_text) == edit
