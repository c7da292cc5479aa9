"""An edit of a file with keys keeps the keys that the model never saw, or is refused."""

from typing import Any, Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.edits import applied
from specloom.domain.hidden import Masked, masked, restored
from specloom.domain.lines import Line, split_lines
from specloom.domain.merge import Hunk, diff
from specloom.domain.redact import REDACTED, Redactor
from specloom.tools.registry import ToolBox

ONE = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
TWO = "glpat-" + "Z9y8X7w6V5u4T3s2R1q0"
DASHES = "-" * 5
PEM = f"{DASHES}BEGIN PRIVATE KEY{DASHES}\nMIIEvQ\nIBADAN\n{DASHES}END PRIVATE KEY{DASHES}"
CONFIG = f"import os\nTOKEN = '{ONE}'  # of the bot\nOTHER = '{TWO}'\ntimeout = 5\n"


class Hands(Protocol):
    box: ToolBox

    async def text(self, tool: str, **values: Any) -> str: ...
    async def refusal(self, tool: str, **values: Any) -> str: ...
    def grow(self, tree: dict[str, str]) -> None: ...
    @property
    def root(self) -> Any: ...


def edit(first: int, start: str, last: int, end: str, new: str) -> list[dict[str, Any]]:
    return [{"start_line": first, "start_text": start, "end_line": last, "end_text": end, "new_text": new}]


@pytest.fixture
async def seen(hands: Hands) -> Hands:
    hands.grow({"config.py": CONFIG})
    await hands.text("read_file", path="config.py")
    return hands


async def test_line_with_a_key_is_edited_by_what_was_shown_and_keeps_the_key(seen: Hands) -> None:
    line = "TOKEN = '[redacted]'  # of the bot"
    told = await seen.text("edit_file", path="config.py", edits=edit(2, line, 2, line, "BOT = '[redacted]'  # Bot"))
    assert ONE not in told
    assert (seen.root / "config.py").read_text() == CONFIG.replace(
        f"TOKEN = '{ONE}'  # of the bot", f"BOT = '{ONE}'  # Bot"
    )


async def test_whole_text_that_repeats_what_was_shown_keeps_every_key(seen: Hands) -> None:
    shown = Redactor()(CONFIG).replace("timeout = 5", "timeout = 9").replace("import os\n", "import os\nimport re\n")
    await seen.text("write_file", path="config.py", content=shown)
    assert (seen.root / "config.py").read_text() == CONFIG.replace("= 5", "= 9").replace("os\n", "os\nimport re\n")


async def test_keys_that_change_places_go_with_their_names(seen: Hands) -> None:
    new = "OTHER = '[redacted]'\nTOKEN = '[redacted]'"
    first, last = "TOKEN = '[redacted]'  # of the bot", "OTHER = '[redacted]'"
    await seen.text("edit_file", path="config.py", edits=edit(2, first, 3, last, new))
    assert (seen.root / "config.py").read_text() == f"import os\nOTHER = '{TWO}'\nTOKEN = '{ONE}'\ntimeout = 5\n"


async def test_mark_that_may_stand_for_either_key_is_refused_and_nothing_is_written(seen: Hands) -> None:
    first, last = "TOKEN = '[redacted]'  # of the bot", "OTHER = '[redacted]'"
    said = await seen.refusal("edit_file", path="config.py", edits=edit(2, first, 3, last, "keys('[redacted]')"))
    assert "not clear which hidden value" in said
    assert (seen.root / "config.py").read_text() == CONFIG


async def test_key_may_be_taken_out(seen: Hands) -> None:
    line = "TOKEN = '[redacted]'  # of the bot"
    await seen.text("edit_file", path="config.py", edits=edit(2, line, 2, line, "TOKEN = os.environ['TOKEN']"))
    assert ONE not in (seen.root / "config.py").read_text()
    assert TWO in (seen.root / "config.py").read_text()


async def test_key_of_several_lines_is_not_cut_in_two(hands: Hands) -> None:
    hands.grow({"key.txt": f"key:\n{PEM}\nend\n"})
    assert await hands.text("read_file", path="key.txt") == "key.txt (6 lines)\n1 | key:\n2 | [redacted]\n6 | end"
    said = await hands.refusal("edit_file", path="key.txt", edits=edit(2, REDACTED, 2, REDACTED, ""))
    assert "cut a hidden value in two" in said
    await hands.text("edit_file", path="key.txt", edits=edit(1, "key:", 2, REDACTED, "my key:\n[redacted]"))
    assert (hands.root / "key.txt").read_text() == f"my key:\n{PEM}\nend\n"
    await hands.text("read_file", path="key.txt")
    await hands.text("edit_file", path="key.txt", edits=edit(2, REDACTED, 5, REDACTED, "  [redacted]\nmore"))
    assert (hands.root / "key.txt").read_text() == f"my key:\n  {PEM}\nmore\nend\n"


async def test_mark_in_a_file_without_keys_is_a_word_like_any_other(hands: Hands) -> None:
    hands.grow({"redact.py": "x = 1\n"})
    await hands.text("read_file", path="redact.py")
    await hands.text("edit_file", path="redact.py", edits=edit(1, "x = 1", 1, "x = 1", f"x = '{REDACTED}'"))
    assert (hands.root / "redact.py").read_text() == f"x = '{REDACTED}'\n"


ROWS = st.sampled_from(["plain", "", f"A = {ONE}", f"B = {TWO}", f"C = '{REDACTED}'", f"both {ONE} {TWO}"])


@given(st.lists(ROWS, max_size=8), st.lists(st.sampled_from(["new", ""]), max_size=2), st.data())
def test_lines_that_a_new_text_repeats_are_what_they_were(rows: list[str], new: list[str], data: st.DataObject) -> None:
    text = "".join(f"{row}\n" for row in rows)
    base: Masked = masked(text, Redactor())
    assert "".join(line.whole for line in base.lines) == Redactor()(text)
    at = data.draw(st.integers(0, len(rows)))
    wanted = [*base.lines[:at], *(Line(row, "\n") for row in new), *base.lines[at:]]
    hunks = restored(base, diff(base.lines, wanted))
    assert not isinstance(hunks, str)
    kept = [*base.raw[:at], *(Line(row, "\n") for row in new), *base.raw[at:]]
    assert split_lines(applied(base.raw, hunks)) == tuple(kept)


@given(st.lists(ROWS, min_size=1, max_size=6), st.data())
def test_repeating_any_part_of_a_file_by_what_was_shown_changes_nothing_or_is_refused(
    rows: list[str], data: st.DataObject
) -> None:
    text = "".join(f"{row}\n" for row in rows)
    base = masked(text, Redactor())
    start = data.draw(st.integers(0, len(rows) - 1))
    end = data.draw(st.integers(start + 1, len(rows)))
    hunks = restored(base, [Hunk(start, end, base.lines[start:end])])
    assert isinstance(hunks, str) or applied(base.raw, hunks) == text
