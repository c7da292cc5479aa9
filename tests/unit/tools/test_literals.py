"""What a sieve may rely on: the texts told of a pattern stand in everything that it matches."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.tools.literals import required

ATOMS = st.sampled_from(
    [
        "ab",
        "foo",
        "K",
        "é",
        r"\.",
        r"\w",
        r"\d",
        ".",
        "^",
        "$",
        r"\b",
        "[ab]",
        "[^a]",
        "[]x]",
        r"\\",
        "ſ",
        " ",
        "-",
        "{",
        "x41",
    ]
)
QUANTITIES = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{0,2}", "??", "*?", "+?", "++", "{,2}"])
GROUPS = st.sampled_from(
    ["({})", "(?:{})", "(?P<n>{})", "(?={})", "(?!{})", "(?<!ab{})", "({}|zz)", "(|{})", "{}|{}", "(?i){}"]
)


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """Regular expressions of the kind that people search with, and odd ones."""
    parts: list[str] = []
    for _ in range(draw(st.integers(1, 5))):
        atom = draw(ATOMS)
        if draw(st.booleans()):
            atom = draw(GROUPS).replace("{}", atom)
        parts.append(atom + draw(QUANTITIES))
    return "".join(parts)


@given(patterns(), st.text("abfoK kKſıİiIs.-{x41AZ zé\\3", max_size=30), st.booleans())
def test_a_match_holds_all_texts_of_a_group_in_order(pattern: str, line: str, ignore_case: bool) -> None:
    try:
        compiled = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except re.error:
        return
    groups = required(pattern, ignore_case=ignore_case)
    if groups and compiled.search(line):
        joined = "|".join(".*".join(map(re.escape, texts)) for texts in groups)
        assert re.search(joined, line, re.IGNORECASE if ignore_case else 0)


@pytest.mark.parametrize(
    ("pattern", "groups"),
    [
        ("foo", (("foo",),)),
        ("def foo|class Foo", (("def foo",), ("class Foo",))),
        (r"order.*999[0-9]\)", (("order", "999"),)),
        (r"foo\.bar\(", (("foo.bar(",),)),
        ("colou?r", (("colo",),)),
        ("fo+bar", (("fo", "bar"),)),
        ("(ab|cd)ef", (("ef",),)),
        (r"\bword\b", (("word",),)),
    ],
)
def test_texts_of_common_patterns_are_found(pattern: str, groups: tuple[tuple[str, ...], ...]) -> None:
    assert required(pattern) == groups


@pytest.mark.parametrize(
    "pattern", ["(?i)abc", r"\x41bc", r"(ab)\1cd", "abc|d", "a|(?:bcd)", "[[:alpha:]]xyz", r"\w+", "(?(1)ab|cd)ef"]
)
def test_a_pattern_that_is_not_understood_sieves_nothing(pattern: str) -> None:
    assert required(pattern) == ()


def test_letters_with_other_forms_are_no_text_where_case_is_ignored() -> None:
    assert required("kiss me", ignore_case=True) == ((" me",),)
