"""Keys are found where they stand in the text."""

import json
import time
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.problem import NOWHERE, Span
from specloom.settings.locate import locate


def marked(text: str, span: Span) -> str:
    return text.split("\n")[span.start_line][span.start_column : span.end_column]


@pytest.mark.parametrize(
    ("text", "path", "key", "value"),
    [
        ("a = 1", ("a",), "a", "1"),
        ("[t]\na = 1", ("t", "a"), "a", "1"),
        ("[t.u]\na = 1", ("t", "u", "a"), "a", "1"),
        ("t.u.a = 1", ("t", "u", "a"), "a", "1"),
        ("[t]\nu . a = 1", ("t", "u", "a"), "a", "1"),
        ('[prices."gpt 5.1"]\ninput = 2', ("prices", "gpt 5.1", "input"), "input", "2"),
        ("[prices.'m']\ninput = 2", ("prices", "m"), "'m'", "'m'"),
        ("t = { a = 1 }", ("t", "a"), "t", "{ a = 1 }"),
        ("[t]\n[u]\na = 1", ("t", "a"), "t", "t"),
        ("\ta = 1\r\nb = 2\r\n", ("a",), "a", "1"),
        ('b = """\na = 0\n"""\na = 1', ("a",), "a", "1"),
        ("b = '''\n[a]\n'''\na = 1", ("a",), "a", "1"),
        ("\"'''\" = 0\na = 1", ("a",), "a", "1"),
        ('b = 0 # """\na = 1', ("a",), "a", "1"),
        ('b = """x\\"""\na = 0\n"""\na = 1', ("a",), "a", "1"),
        ('b = """x""" # """\na = 1', ("a",), "a", "1"),
        ('verify = [\n  "A = 1 x",\n]\na = 1', ("a",), "a", "1"),
    ],
)
def test_a_key_is_found_with_its_value(text: str, path: tuple[str, ...], key: str, value: str) -> None:
    at_key, at_value = locate(text, path)
    assert (marked(text, at_key), marked(text, at_value)) == (key, value)


def test_what_does_not_stand_in_the_text_is_nowhere() -> None:
    assert locate("a = 1", ("b",)) == (NOWHERE, NOWHERE)


names = st.text(min_size=1, max_size=6).filter(str.isprintable) | st.sampled_from(["a", "a.b", 'q"', "#", "[x]"])


@given(st.dictionaries(names, st.dictionaries(names, st.integers(), max_size=3), max_size=3))
def test_every_key_of_every_table_is_found(tables: dict[str, dict[str, int]]) -> None:
    lines: list[str] = []
    for table, entries in tables.items():
        lines.append(f"[ {_quoted(table)} ] # comment")
        lines += [f"{_quoted(key)} = {value}" for key, value in entries.items()]
    text = "\n".join(lines)
    parsed: dict[str, Any] = tomllib.loads(text)
    assert parsed == tables
    for table, entries in tables.items():
        for key, value in entries.items():
            at_key, at_value = locate(text, (table, key))
            assert (marked(text, at_key), marked(text, at_value)) == (_quoted(key), str(value))


def _quoted(key: str) -> str:
    """A TOML basic string; for printable text it is that of JSON."""
    return json.dumps(key, ensure_ascii=False)


@pytest.mark.parametrize(
    "text",
    [
        'a = "' + '\\"' * 20_000,
        "a =" + " " * 20_000 + "x" + " " * 20_000 + "y",
        '"' * 20_000,
        "'" * 20_001,
        'a = """' + '\\"' * 10_000 + "\n" + '""x' * 10_000,
    ],
)
def test_a_hostile_line_is_looked_through_once(text: str) -> None:
    # Each of these took minutes when a failed match was begun again at every character.
    start = time.process_time()
    locate(text, ("a", "b"))
    assert time.process_time() - start < 2
