"""Both clients count time of work up to the same events as the server."""

import re
from pathlib import Path
from typing import get_args

import pytest

from specloom.domain.evolve_spending import Timed

CLIENTS = Path(__file__).parents[2] / "clients"


def timed() -> set[str]:
    """What takes time, as the wire calls it."""
    found: set[str] = set()
    waiting: list[object] = [Timed]
    while waiting:
        one = waiting.pop()
        waiting += get_args(one)
        if isinstance(one, type):
            found.add(one.__name__[0].lower() + one.__name__[1:])
    return found


def counted(text: str, name: str) -> set[str]:
    """The words in a list of that name, of TypeScript or Lua."""
    found = re.search(rf"\b{name}\b[^=]*= (?:new Set\(\[|{{)(.*?)[\]}}]", text, re.DOTALL)
    assert found, f"no list {name}"
    return set(re.findall(r"\b[a-z]+[A-Z]\w*", found[1]))


def test_the_extension_counts_up_to_what_takes_time() -> None:
    text = (CLIENTS / "vscode" / "src" / "work.ts").read_text()
    assert counted(text, "TIMED") == timed()


@pytest.mark.parametrize("name", sorted(timed()))
def test_the_plugin_counts_up_to_what_takes_time(name: str) -> None:
    text = (CLIENTS / "neovim" / "lua" / "specloom" / "projection" / "work.lua").read_text()
    assert name in counted(text, "TIMED") or re.match("(run|task)[A-Z]", name)


def test_the_plugin_counts_up_to_nothing_else() -> None:
    text = (CLIENTS / "neovim" / "lua" / "specloom" / "projection" / "work.lua").read_text()
    schema = (CLIENTS.parent / "docs" / "protocol.schema.json").read_text()
    told = {name for name in re.findall(r'"const": "(\w+)"', schema) if re.match("(run|task)[A-Z]", name)}
    assert told
    assert told | counted(text, "TIMED") <= timed()
