"""What no checker of Lua that installs everywhere looks at: globals, names across modules, and types in annotations."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.editors.nvim_client.person import DEADLINE, PLUGIN

pytestmark = pytest.mark.editor

VIEWS = Path(__file__).parent / "nvim_views"
LUA = {path.relative_to(PLUGIN).as_posix(): path.read_text() for path in sorted(PLUGIN.rglob("*.lua"))}
GLOBALS = frozenset(
    re.findall(
        r"\w+",
        """vim require package debug math os table assert error ipairs next pairs pcall select setmetatable tonumber
        tostring type unpack xpcall""",
    )
)
NOTE = re.compile(r"--\s?@(?:class|alias|field|param|return|type|cast|as)\b(.*)")
NAMED = re.compile(r"--\s?@(?:class|alias|enum)\s+(?:\([\w, ]+\)\s*)?([\w.]+)")
TYPE = re.compile(r"\b((?:specloom|lsp|vim)\.[\w.]*\w)(?![\w(]|\.\w)")


def test_no_file_of_the_plugin_has_a_global_of_its_own(neovim: Callable[[str], Path], tmp_path: Path) -> None:
    program = neovim("trixie")
    jit = program.parents[1] / "share" / "luajit-2.1"
    if not jit.is_dir():
        pytest.skip(f"needs LuaJIT's own modules in {jit}")
    ran = subprocess.run(
        [program, "--headless", "-u", "NONE", "-l", VIEWS / "globals.lua", *(PLUGIN / name for name in LUA)],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "STORY_JIT": str(jit)},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    found = (ran.stdout + ran.stderr).split()
    assert len(found) > 100
    assert [each for each in found if each.rpartition(":")[2] not in GLOBALS] == []


def used(text: str) -> Iterator[tuple[str, str]]:
    """Modules of the plugin and what a file takes from them."""
    yield from re.findall(r'require\("(specloom[\w.]*)"\)\.(\w+)', text)
    for alias, module in re.findall(r'local (\w+) = require\("(specloom[\w.]*)"\)\n', text):
        yield from ((module, name) for name in re.findall(rf"(?<![\w.:]){alias}\.(\w+)", text))


def test_what_a_file_takes_from_another_one_is_there() -> None:
    exported: dict[str, set[str]] = {}
    for path, text in LUA.items():
        module = path.removeprefix("lua/").removesuffix(".lua").removesuffix("/init").replace("/", ".")
        exported[module] = set(re.findall(r"^(?:function )?M\.(\w+)", text, re.MULTILINE))
    taken = [(path, *each) for path, text in LUA.items() for each in used(text)]
    assert len(taken) > 100
    assert [each for each in taken if each[2] not in exported[each[1]]] == []


def test_every_type_that_an_annotation_names_exists(neovim: Callable[[str], Path]) -> None:
    runtime = neovim("forky").parents[1] / "share" / "nvim" / "runtime" / "lua" / "vim"
    known = {name for path in runtime.rglob("*.lua") for name in NAMED.findall(path.read_text())}
    if not known:
        pytest.skip(f"needs Neovim's own types in {runtime}")
    known |= {name for text in LUA.values() for name in NAMED.findall(text)}
    named = {
        (path, name)
        for path, text in LUA.items()
        for note in NOTE.findall(text)
        for name in TYPE.findall(note.partition(" # ")[0])
    }
    assert len(named) > 100
    assert sorted(each for each in named if each[1] not in known) == []
