"""What is taken out of an answer, whole or half."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.planning.answers import body_of, list_of, whole_blocks
from tests.unit.planning.planning_scripts import STORE_BODY, STORE_TASKS

LINES = st.lists(
    st.sampled_from(
        [
            "",
            "text",
            "# Title",
            "## Purpose",
            "- item",
            "  more",
            "- [ ] 1 Task",
            "  - [ ] 1.1 Leaf",
            "    - detail",
            "```",
        ]
    ),
    max_size=20,
)


@given(LINES)
def test_whole_blocks_are_whole_lines_from_the_start(lines: list[str]) -> None:
    text = "\n".join(lines)
    shown = whole_blocks(text)
    assert text.startswith(shown)
    assert not shown or shown.endswith("\n")


@given(LINES, st.integers(min_value=0, max_value=200))
def test_what_was_shown_once_is_never_taken_back(lines: list[str], cut: int) -> None:
    text = "\n".join(lines)
    assert whole_blocks(text).startswith(whole_blocks(text[:cut]))


@given(st.text())
def test_any_text_is_an_answer(text: str) -> None:
    assert body_of(text) in text
    list_of(text)
    assert text.startswith(whole_blocks(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a paragraph\nof two lines", ""),
        ("a paragraph\n\n", "a paragraph\n\n"),
        ("a paragraph\n\nanother", "a paragraph\n\n"),
        ("## Purpose\nKeeps", "## Purpose\n"),
        ("- one\n  more\n- tw", "- one\n  more\n"),
        ("- [ ] 1 A\n  - detail\n  - [ ] 1.1 ", "- [ ] 1 A\n  - detail\n"),
        ("```\ncode\n\nmore", ""),
        ("```\ncode\n```\n\nmore", "```\ncode\n```\n\n"),
    ],
)
def test_a_block_shows_once_it_is_complete(text: str, shown: str) -> None:
    assert whole_blocks(text) == shown


@pytest.mark.parametrize(
    "answer",
    [
        STORE_BODY,
        f"I looked at the code.\n\n{STORE_BODY}",
        f"---\nid: 01\n---\n\n# Store\n\n{STORE_BODY}",
        f"```md\n{STORE_BODY}```\n",
        f"Here:\n~~~~\n# Store\n{STORE_BODY}~~~~\nBye.",
    ],
)
def test_a_body_is_found_in_any_wrapping(answer: str) -> None:
    assert body_of(answer) == STORE_BODY


def test_a_fence_inside_a_body_stays() -> None:
    body = "## Purpose\n\n```python\nx = 1\n```\n"
    assert body_of(body) == body
    assert body_of(f"Intro\n```\nan example\n```\n{body}") == body


@pytest.mark.parametrize(
    "answer",
    [
        STORE_TASKS,
        f"## Tasks\n\n{STORE_TASKS}",
        f"The tasks:\n\n{STORE_TASKS}\nThis covers R1.1 and R1.2.\n",
        f"```\n{STORE_TASKS}```",
    ],
)
def test_a_task_list_is_found_in_any_wrapping(answer: str) -> None:
    assert list_of(answer) == STORE_TASKS


def test_headings_between_tasks_stay() -> None:
    tasks = "### Storage\n\n- [ ] 1 A\n\n### Rest\n\n- [ ] 2 B\n"
    assert list_of(f"## Tasks\n\n{tasks}") == tasks
