"""Every code of a problem is described once, in `domain/problem_codes.py`, with the severities it is raised with."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from specloom.domain.problem_codes import CODES, GROUPS
from tests.repo.tree import name_of, syntax_of, tracked

BY_METHOD = {"error", "warning", "information"}
COLLECTORS = {"findings", "_findings", "self"}
"""What the methods above belong to; those of a logger and of the parser of arguments are others."""
CODE = re.compile(r"[a-z]+(-[a-z]+)*")
PASSED_ON = {"server/specloom/lsp/notice.py": "not-hosted"}
"""Makes a problem of the refusal to host a root."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources() -> tuple[Path, ...]:
    """The package without the table itself."""
    return tuple(path for path in tracked("server/*.py") if path.name != "problem_codes.py")


def named(call: ast.Call) -> str:
    """The name of what is called; empty for what only shares a name with what makes problems."""
    match call.func:
        case ast.Name(name):
            return name
        # The wire has a class of the same name.
        case ast.Attribute(_, "Problem"):
            return ""
        case ast.Attribute(ast.Name(owner) | ast.Attribute(_, owner), name) if name in BY_METHOD:
            return name if owner in COLLECTORS else ""
        case ast.Attribute(_, name):
            return name
        case _:
            return ""


def forwarders(tree: ast.Module) -> dict[str, int]:
    """What makes a problem of a code that it is given, in one file, and at which place of a call the code stands."""
    found = {"Problem": 0, **dict.fromkeys(BY_METHOD, 0)}
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    while True:
        before = len(found)
        for function in functions:
            names = [argument.arg for argument in function.args.args if argument.arg != "self"]
            if "code" in names and any(is_name(code, "code") for code, _ in raised(function, found)):
                found[function.name] = names.index("code")
        if len(found) == before:
            return found


def is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def raised(tree: ast.AST, known: dict[str, int]) -> Iterator[tuple[ast.expr, ast.Call]]:
    """The expression of the code, and the call, wherever a problem is made."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and named(call) in known and len(call.args) > known[named(call)]:
            yield call.args[known[named(call)]], call


def severity(call: ast.Call) -> str:
    """As stated, else as the function is called, else an error."""
    for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
        if isinstance(argument, ast.Attribute) and is_name(argument.value, "Severity"):
            return argument.attr.lower()
    return named(call) if named(call) in BY_METHOD else "error"


def in_the_sources() -> dict[str, set[str]]:
    """Severities by code, as raised. Fails on a code that cannot be read from the source."""
    found: dict[str, set[str]] = {}
    for path in sources():
        tree = syntax_of(path)
        for code, call in raised(tree, forwarders(tree)):
            match code:
                case ast.Constant(str(text)) if CODE.fullmatch(text):
                    found.setdefault(text, set()).add(severity(call))
                case ast.Name("code"):
                    continue
                case _:
                    place = name_of(path)
                    assert place in PASSED_ON, f"{place}:{call.lineno}: write the code as a literal"
                    found.setdefault(PASSED_ON[place], set()).add(severity(call))
    return found


def test_every_code_is_described_with_the_severities_it_is_raised_with() -> None:
    described = {code: set(item.severities) for code, item in CODES.items()}
    assert described == in_the_sources()


def test_a_code_is_described_once() -> None:
    codes = [item.code for group in GROUPS for item in group.codes]
    assert len(codes) == len(set(codes))


def test_descriptions_are_whole_and_fit_into_a_table() -> None:
    for item in CODES.values():
        for text in (item.meaning, item.step):
            assert text[:1].isupper() or text[:1] in "`_*", item
            assert text == text.strip()
            assert not set("|\n") & set(text)
            assert not text.endswith("."), item
