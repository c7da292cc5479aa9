"""Calls that belong to one place of the house: the environment, the clock, chance, standard output."""

import ast
from pathlib import Path

import pytest

from tests.repo.tree import PACKAGE, name_of, syntax_of, tracked

CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
ENVIRONMENT = {"os.environ", "os.getenv", "os.putenv", "os.environb"}

MAY: dict[str, set[str]] = {
    "print": {"cli/", "__main__.py"},
    "environment": {"compose", "cli/", "daemon/", "__main__.py"},
    "clock": {"store/system.py"},
}
"""Where, relative to the package, each may stand."""


@pytest.mark.parametrize("path", tracked("server/specloom/*.py"), ids=name_of)
def test_a_floor_reaches_outside_only_where_that_is_its_job(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    found = {kind for node in ast.walk(syntax_of(path)) if (kind := reach(node))}
    assert not {kind for kind in found if not place.startswith(tuple(MAY[kind]))}


def reach(node: ast.AST) -> str:
    """What a node reaches for, empty if nothing of interest."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
        return "print"
    if not isinstance(node, ast.Attribute):
        return ""
    name = ".".join(ast.unparse(node).split(".")[-2:])
    if name in ENVIRONMENT:
        return "environment"
    return "clock" if name in CLOCK else ""
