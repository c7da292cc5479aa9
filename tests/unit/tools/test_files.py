"""Reading, writing and editing files as a model does it, with others at work on the same files."""

import base64
from pathlib import Path
from typing import Any, Protocol

import pytest

from specloom.tools.tool import ToolOutcome

TEN = "".join(f"line {number}\n" for number in range(1, 11))
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg=="
)


class Hands(Protocol):
    root: Path
    context: Any

    async def use(self, tool: str, **values: Any) -> ToolOutcome: ...
    async def text(self, tool: str, **values: Any) -> str: ...
    async def refusal(self, tool: str, **values: Any) -> str: ...
    def changed(self, **values: Any) -> "Hands": ...
    def grow(self, tree: dict[str, str]) -> None: ...


def edit(number: int, text: str, new_text: str, last: int = 0, last_text: str = "") -> dict[str, object]:
    return {
        "start_line": number,
        "start_text": text,
        "end_line": last or number,
        "end_text": last_text or text,
        "new_text": new_text,
    }


async def test_read_shows_numbered_lines(hands: Hands) -> None:
    hands.grow({"a.txt": "one\r\n\ttwo\r\n\r\nfour"})
    assert await hands.text("read_file", path="a.txt") == (
        "a.txt (4 lines, no newline at the end)\n1 | one\n2 | \ttwo\n3 | \n4 | four"
    )


async def test_read_shows_a_range(hands: Hands) -> None:
    hands.grow({"a.txt": TEN})
    shown = await hands.text("read_file", path="a.txt", start_line="4", end_line=5)
    assert shown == "a.txt (10 lines)\n4 | line 4\n5 | line 5"
    assert "10 lines; there is nothing to show from line 11" in await hands.refusal(
        "read_file", path="a.txt", start_line=11
    )
    assert "lines 5 to 4" in await hands.refusal("read_file", path="a.txt", start_line=5, end_line=4)


async def test_long_file_is_cut_and_says_how_to_go_on(hands: Hands) -> None:
    hands.grow({"a.txt": "".join(f"{number}\n" for number in range(1, 5001)), "wide.txt": "x" * 5000 + "\n"})
    shown = await hands.text("read_file", path="a.txt")
    assert shown.endswith("2000 | 2000\n… lines 2001 to 5000 left out; go on with start_line=2001")
    assert (await hands.text("read_file", path="a.txt", start_line=4999)).endswith("5000 | 5000")
    assert "… (3,000 more characters in this line)" in await hands.text("read_file", path="wide.txt")
    hands.grow({"a.txt": ("y" * 1000 + "\n") * 100})
    assert "left out; go on with start_line=60" in await hands.text("read_file", path="a.txt")


async def test_empty_missing_binary_and_closed_files_are_told_apart(hands: Hands) -> None:
    hands.grow({"empty": "", "binary": "\0\1", "folder/x": "", ".env": "KEY=1"})
    assert await hands.text("read_file", path="empty") == "empty is empty"
    assert "does not exist" in await hands.refusal("read_file", path="absent")
    assert "is a binary file" in await hands.refusal("read_file", path="binary")
    assert "is a folder" in await hands.refusal("read_file", path="folder")
    assert "closed to tools" in await hands.refusal("read_file", path=".env")
    assert "holds '..'" in await hands.refusal("read_file", path="../x")


async def test_file_of_that_name_elsewhere_and_a_similar_one_beside_are_offered(hands: Hands) -> None:
    hands.grow({"src/app.py": "", "src/models.py": "", "other/app.py": ""})
    elsewhere = await hands.refusal("read_file", path="app.py")
    assert elsewhere.endswith("(did you mean 'other/app.py' or 'src/app.py'?)")
    assert (await hands.refusal("read_file", path="src/model.py")).endswith("(did you mean 'src/models.py'?)")
    assert "did you mean" not in await hands.refusal("read_file", path="src/nothing-like-it.rs")


async def test_image_is_shown_as_an_image(hands: Hands) -> None:
    (hands.root / "a.png").write_bytes(PNG)
    outcome = await hands.use("read_file", path="a.png")
    assert outcome.image == ("image/png", base64.b64encode(PNG).decode())
    assert not outcome.is_error


async def test_write_creates_a_file_with_its_folders(hands: Hands) -> None:
    assert await hands.text("write_file", path="a/b/c.txt", content="one\ntwo\n") == "a/b/c.txt created, 2 lines"
    assert (hands.root / "a/b/c.txt").read_text() == "one\ntwo\n"


async def test_existing_file_must_be_read_before_it_is_changed(hands: Hands) -> None:
    hands.grow({"a.txt": TEN})
    found = await hands.text("grep_search", pattern="line 1", path="a.txt")
    assert "1 | line 1" in found
    assert "read it first with read_file" in await hands.refusal("write_file", path="a.txt", content="new")
    refusal = await hands.refusal("edit_file", path="a.txt", edits=[edit(1, "line 1", "x")])
    assert "read a.txt first with read_file (search results do not count)" in refusal
    assert (hands.root / "a.txt").read_text() == TEN


async def test_written_file_counts_as_read(hands: Hands) -> None:
    await hands.text("write_file", path="a.txt", content="one\n")
    assert await hands.text("write_file", path="a.txt", content="two\n") == "a.txt replaced, 1 line"
    assert "nothing was changed" in await hands.text("write_file", path="a.txt", content="two\n")


async def test_whole_text_takes_the_line_ends_of_its_file(hands: Hands) -> None:
    hands.grow({"a.txt": "one\r\ntwo\r\n"})
    await hands.text("read_file", path="a.txt")
    await hands.text("write_file", path="a.txt", content="one\nthree\n")
    assert (hands.root / "a.txt").read_bytes() == b"one\r\nthree\r\n"


async def test_write_keeps_what_others_changed_elsewhere(hands: Hands) -> None:
    hands.grow({"a.txt": TEN})
    await hands.text("read_file", path="a.txt")
    hands.grow({"a.txt": TEN.replace("line 9", "theirs")})
    told = await hands.text("write_file", path="a.txt", content=TEN.replace("line 2", "ours"))
    assert "others made since you read it were kept" in told
    assert (hands.root / "a.txt").read_text() == TEN.replace("line 2", "ours").replace("line 9", "theirs")


async def test_write_over_changes_of_others_is_refused(hands: Hands) -> None:
    hands.grow({"a.txt": TEN})
    await hands.text("read_file", path="a.txt")
    hands.grow({"a.txt": TEN.replace("line 2", "theirs")})
    told = await hands.refusal("write_file", path="a.txt", content="ours\n")
    assert "2 | theirs" in told
    assert "theirs" in (hands.root / "a.txt").read_text()


async def test_edit_tells_changed_lines_and_the_shift_of_the_rest(hands: Hands) -> None:
    hands.grow({"a.txt": TEN})
    await hands.text("read_file", path="a.txt")
    edits = [edit(2, "line 2", "two\ntwo and a half"), edit(5, "line 5", "", 6, "line 6")]
    assert await hands.text("edit_file", path="a.txt", edits=edits) == (
        "a.txt: 2 edits made\n2 | two\n3 | two and a half\nold lines 5-6 deleted\n"
        "Old lines 3-4 → 4-5\nOld lines 7-10 → 6-9"
    )
    assert (hands.root / "a.txt").read_text().split("\n")[:6] == [
        "line 1",
        "two",
        "two and a half",
        "line 3",
        "line 4",
        "line 7",
    ]


async def test_edit_far_off_is_refused_with_the_lines_around(hands: Hands) -> None:
    hands.grow({"a.txt": TEN})
    await hands.text("read_file", path="a.txt")
    outcome = await hands.use("edit_file", path="a.txt", edits=[edit(1, "line 1", "one"), edit(2, "line 9", "x")])
    assert outcome.is_error
    assert outcome.text == (
        "a.txt: none of the 2 edits was made\n"
        "edit 2: start_line 2: expected 'line 9' (it stands at 9), found 'line 2'\n"
        "As you last saw it; state numbers and texts like this:\n1 | line 1\n2 | line 2\n3 | line 3\n4 | line 4"
    )
    assert (hands.root / "a.txt").read_text() == TEN


async def test_edit_with_other_numbers_is_handed_back_corrected(hands: Hands) -> None:
    hands.grow({"a.txt": TEN})
    await hands.text("read_file", path="a.txt")
    outcome = await hands.use("edit_file", path="a.txt", edits=[edit(4, "line 5", "five")])
    assert outcome.corrected == {"path": "a.txt", "edits": [edit(5, "line 5", "five")]}
    exact = await hands.use("edit_file", path="a.txt", edits=[edit(5, "five", "FIVE")])
    assert exact.corrected is None


async def test_edit_is_merged_with_what_others_changed(hands: Hands) -> None:
    hands.grow({"a.txt": TEN})
    await hands.text("read_file", path="a.txt")
    hands.grow({"a.txt": "new first\n" + TEN.replace("line 9\n", "")})
    told = await hands.text("edit_file", path="a.txt", edits=[edit(5, "line 5", "five")])
    assert told == (
        "a.txt: 1 edit made; it had changed since you last saw it\n6 | five\n"
        "Changed since you last saw it, and kept:\n1 | new first\nold line 9 deleted\n"
        "Old lines 1-4 → 2-5\nOld lines 6-8 → 7-9"
    )
    assert (hands.root / "a.txt").read_text() == "new first\n" + TEN.replace("line 9\n", "").replace("line 5", "five")


@pytest.mark.parametrize("whole", [False, True])
async def test_a_change_that_others_made_already_tells_how_numbers_moved(hands: Hands, whole: bool) -> None:
    hands.grow({"a.txt": TEN})
    await hands.text("read_file", path="a.txt")
    hands.context.memory.next_turn()
    hands.grow({"a.txt": "new first\n" + TEN.replace("line 5", "five")})
    if whole:
        told = await hands.text("write_file", path="a.txt", content=TEN.replace("line 5", "five"))
    else:
        told = await hands.text("edit_file", path="a.txt", edits=[edit(5, "line 5", "five")])
    assert told == (
        "a.txt already reads like this; nothing was changed; it had changed since you last saw it\n6 | five\n"
        "Changed since you last saw it, and kept:\n1 | new first\nOld lines 1-4 → 2-5\nOld lines 6-10 → 7-11"
    )
    hands.context.memory.next_turn()
    assert await hands.text("edit_file", path="a.txt", edits=[edit(6, "five", "5")]) == "a.txt: 1 edit made\n6 | 5"


async def test_edit_of_lines_that_others_changed_is_refused_and_can_be_made_again(hands: Hands) -> None:
    hands.grow({"a.txt": TEN})
    await hands.text("read_file", path="a.txt")
    hands.grow({"a.txt": TEN.replace("line 5", "theirs\nmore")})
    told = await hands.refusal("edit_file", path="a.txt", edits=[edit(5, "line 5", "ours")])
    assert "5 | theirs\n6 | more\nOld lines 6-10 → 7-11" in told
    await hands.text("edit_file", path="a.txt", edits=[edit(7, "line 6", "six")])
    assert (hands.root / "a.txt").read_text() == TEN.replace("line 5", "theirs\nmore").replace("line 6", "six")


async def test_twin_lines_behind_a_moved_file_are_edited_where_they_were_meant(hands: Hands) -> None:
    """On the present text the stated number would land on a twin; in the text that was shown it does not."""
    text = "".join(f"def f{number}():\n    pass\n" for number in range(5))
    hands.grow({"a.py": text})
    await hands.text("read_file", path="a.py")
    hands.grow({"a.py": "import os\nimport sys\n" + text})
    await hands.text("edit_file", path="a.py", edits=[edit(4, "    pass", "    return 1")])
    assert (hands.root / "a.py").read_text() == "import os\nimport sys\n" + text.replace(
        "f1():\n    pass", "f1():\n    return 1"
    )


async def test_all_edits_of_a_turn_count_in_the_text_before_it(hands: Hands) -> None:
    hands.grow({"a.txt": TEN})
    await hands.text("read_file", path="a.txt")
    hands.context.memory.next_turn()
    await hands.text("edit_file", path="a.txt", edits=[edit(1, "line 1", "one\nand\na\nhalf\nmore")])
    await hands.text("edit_file", path="a.txt", edits=[edit(8, "line 8", "eight")])
    hands.context.memory.next_turn()
    await hands.text("edit_file", path="a.txt", edits=[edit(14, "line 10", "ten")])
    expected = TEN.replace("line 10", "ten").replace("line 1\n", "one\nand\na\nhalf\nmore\n").replace("line 8", "eight")
    assert (hands.root / "a.txt").read_text() == expected


@pytest.mark.parametrize("path", ["specs/01-a.md", "specloom.toml", "./specloom.toml", "uv.lock", "alias/01-a.md"])
async def test_read_only_paths_are_refused_to_writing_tools(hands: Hands, path: str) -> None:
    hands.grow({"specs/01-a.md": "x\n", "specloom.toml": "", "uv.lock": ""})
    (hands.root / "alias").symlink_to("specs")
    await hands.text("read_file", path=path)
    assert "not yours to write" in await hands.refusal("write_file", path=path, content="y")
    assert "not yours to write" in await hands.refusal("edit_file", path=path, edits=[edit(1, "x", "y")])


@pytest.mark.parametrize("path", [".env", "../out.txt", ".git/hooks/pre-commit", "/tmp/x", "keys/id_rsa"])
async def test_closed_paths_are_refused_to_writing_tools(hands: Hands, path: str) -> None:
    await hands.refusal("write_file", path=path, content="y")
    assert list(hands.root.iterdir()) == []


async def test_other_name_of_a_read_file_counts_as_read(hands: Hands) -> None:
    hands.grow({"a.txt": TEN})
    (hands.root / "link.txt").symlink_to("a.txt")
    await hands.text("read_file", path="link.txt")
    await hands.text("edit_file", path=f"{hands.root}/a.txt", edits=[edit(1, "line 1", "one")])
    assert (hands.root / "a.txt").read_text() == TEN.replace("line 1\n", "one\n")
