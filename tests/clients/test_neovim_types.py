"""The wire types of the Neovim plugin are annotations and nothing else: a line of anything else is no Lua."""

from pathlib import Path

TYPES = Path(__file__).parents[2] / "clients" / "neovim" / "lua" / "specloom" / "protocol.gen.lua"


def test_every_line_of_the_generated_types_is_a_comment() -> None:
    lines = TYPES.read_text(encoding="utf-8").splitlines()
    assert len(lines) > 1000
    assert [line for line in lines if line and not line.startswith("--")] == []
