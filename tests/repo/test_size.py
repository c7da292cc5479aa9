"""The budget that keeps every file readable in one sitting, and the words that hide a missing name."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.repo.tree import MOST_LINES, name_of, sources, syntax_of, tracked

MOST_FUNCTION_LINES = 40
LONGER: dict[str, str] = {}
"""`file:function` → why it reads better whole. Entries that fit again must go."""

BANNED_NAMES = re.compile(r"^(utils?|helpers?|manager|common|misc|stuff)$|_(utils?|helpers?|manager)$")
REMINDERS = re.compile(r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b")
UNCODED_IGNORE = re.compile(r"#\s*type:\s*i[g]nore|#\s*pyright:\s*i[g]nore(?!\[)|#\s*pyright:\s*b[a]sic")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_a_file_is_short_described_and_well_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES, "split it along its second job"
    assert not BANNED_NAMES.search(path.stem), "name it after what it does"
    assert not REMINDERS.search(text), "do it, or write an issue"
    assert not UNCODED_IGNORE.search(text), "use pyright: ignore[rule] with a reason"
    if text.strip():
        assert ast.get_docstring(syntax_of(path)), "say in 1-5 lines what the module does and what it refuses"


@pytest.mark.parametrize("path", tracked("clients/*.ts", "clients/*.lua", "scripts/*", ".ci/*"), ids=name_of)
def test_a_file_of_another_language_is_short(path: Path) -> None:
    if ".gen." not in path.name:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_every_function_is_short(path: Path) -> None:
    long = {name: lines for name, lines in functions(path) if lines > MOST_FUNCTION_LINES}
    assert not {name: lines for name, lines in long.items() if name not in LONGER}


def test_the_list_of_exceptions_only_shrinks() -> None:
    lines = dict(pair for path in sources() for pair in functions(path))
    assert not [name for name in LONGER if lines.get(name, 0) <= MOST_FUNCTION_LINES]


@cache
def functions(path: Path) -> tuple[tuple[str, int], ...]:
    """`file:function` and its lines, docstring left out."""
    return tuple(_functions(path))


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(syntax_of(path)):
        if isinstance(node, Function):
            first = node.body[0]
            described = ast.get_docstring(node, clean=False) is not None
            docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if described else 0
            yield f"{name_of(path)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1 - docstring
