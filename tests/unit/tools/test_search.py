"""Finding files and lines: ranked, bounded, and honest about what was left out."""

import asyncio
import time
from pathlib import Path
from typing import Any, Protocol

import psutil
import pytest

from specloom.tools.grep_search import GrepSearch
from specloom.tools.registry import ToolBox
from specloom.tools.search_files import ranked
from specloom.workspace.documents import OpenDocuments
from specloom.workspace.ports import EditResult, FileChange


class Hands(Protocol):
    root: Path
    context: Any
    box: ToolBox

    async def text(self, tool: str, **values: Any) -> str: ...
    async def refusal(self, tool: str, **values: Any) -> str: ...
    def grow(self, tree: dict[str, str]) -> None: ...


TREE = {
    ".gitignore": "*.log\n",
    "src/user_model.py": "class User:\n    name = 'x'\n",
    "src/user.py": "import os\nUser = 1\n",
    "tests/test_user.py": "def test_user():\n    assert True\n",
    "docs/über.md": "grün\r\nGRÜN\r\n",
    "run.log": "User\n",
    "bin": "User\0",
}


async def test_directory_marks_kinds(hands: Hands) -> None:
    hands.grow({**TREE, ".env": "x"})
    (hands.root / "link").symlink_to("src")
    assert await hands.text("list_directory") == (
        ". (7 names)\n.gitignore  6\nbin  5\ndocs/\nlink@\nrun.log  5 (ignored)\nsrc/\ntests/"
    )
    assert await hands.text("list_directory", path="src") == "src (2 names)\nuser.py  19\nuser_model.py  27"
    assert "not below a folder" in await hands.refusal("list_directory", path="run.log")
    assert "does not exist" in await hands.refusal("list_directory", path="absent")


async def test_large_directory_is_cut(hands: Hands) -> None:
    hands.grow({f"f{number:04}": "" for number in range(1005)})
    (hands.root / "empty").mkdir()
    assert (await hands.text("list_directory")).endswith("… 6 more names left out; use search_files to find one")
    assert await hands.text("list_directory", path="empty") == "empty is empty"


async def test_files_are_found_by_letters_best_first(hands: Hands) -> None:
    hands.grow(TREE)
    assert (await hands.text("search_files", query="user")).split("\n") == [
        "src/user.py",
        "src/user_model.py",
        "tests/test_user.py",
    ]
    assert await hands.text("search_files", query="UsrMod") == "src/user_model.py"
    assert await hands.text("search_files", query="user", path="tests") == "tests/test_user.py"
    assert "no file name matches 'zzz' among 6 files" in await hands.text("search_files", query="zzz")


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("*.md", ["docs/über.md"]),
        ("**/*.py", ["src/user.py", "src/user_model.py", "tests/test_user.py"]),
        ("src/*", ["src/user.py", "src/user_model.py"]),
        ("./src/u*r.py", ["src/user.py"]),
        ("*.log", ["no file name matches '*.log' among 6 files"]),
    ],
)
async def test_files_are_found_by_glob(hands: Hands, glob: str, found: list[str]) -> None:
    hands.grow(TREE)
    assert (await hands.text("search_files", query=glob)).split("\n") == found


async def test_many_files_are_cut(hands: Hands) -> None:
    hands.grow({f"a/f{number}": "" for number in range(105)})
    assert (await hands.text("search_files", query="f")).endswith("… and 5 more files; narrow the query")


def test_fifty_thousand_names_are_ranked_at_once() -> None:
    paths = [f"src/package_{number % 100}/module_{number}.py" for number in range(50_000)]
    start = time.perf_counter()
    assert ranked(paths, "module_49999")[0] == "src/package_99/module_49999.py"
    assert time.perf_counter() - start < 2


async def test_lines_are_found_with_their_numbers(hands: Hands) -> None:
    hands.grow(TREE)
    assert await hands.text("grep_search", pattern="User") == (
        "2 matches in 2 files\nsrc/user.py\n2 | User = 1\nsrc/user_model.py\n1 | class User:"
    )
    assert await hands.text("grep_search", pattern=r"^\s+assert", path="tests") == (
        "1 match in 1 file\ntests/test_user.py\n2 |     assert True"
    )
    assert await hands.text("grep_search", pattern="grün", ignore_case=True, include=["*.md"]) == (
        "2 matches in 1 file\ndocs/über.md\n1 | grün\n2 | GRÜN"
    )
    assert "no line matches 'User' in 4 files" in await hands.text("grep_search", pattern="User", exclude=["src/"])
    assert "1 match" in await hands.text("grep_search", pattern="User", path="run.log")


async def test_line_numbers_are_those_of_read_file(hands: Hands) -> None:
    hands.grow({"a.txt": "one\rtwo\u2028still two\fhere\r\nthree"})
    assert "3 | three" in await hands.text("read_file", path="a.txt")
    assert "3 | three" in await hands.text("grep_search", pattern="three")


async def test_unsaved_text_is_searched_instead_of_the_file(hands: Hands) -> None:
    class Editor:
        async def apply(self, change: FileChange) -> EditResult:
            raise AssertionError(change.path)

        async def save(self, paths: tuple[str, ...], deadline: float) -> tuple[str, ...]:
            raise AssertionError((paths, deadline))

    hands.grow({"a.txt": "on disk\n"})
    documents: OpenDocuments = hands.context.files.documents
    documents.open("a.txt", "in buffer\n", 1, Editor())
    assert "1 | in buffer" in await hands.text("grep_search", pattern="in|on")
    assert "unsaved changes" in await hands.text("read_file", path="a.txt")


async def test_many_and_long_matches_are_cut(hands: Hands) -> None:
    hands.grow({"a.txt": "hit\n" * 250, "b.txt": "x" * 1000 + "hit" + "y" * 1000 + "\n"})
    told = await hands.text("grep_search", pattern="hit")
    assert told.startswith("251 matches in 2 files\na.txt\n1 | hit\n")
    assert told.endswith("… 51 matches left out; narrow the pattern, the path or include")
    told = await hands.text("grep_search", pattern="hit", path="b.txt")
    assert "xhity" in told
    assert len(told) < 600


async def test_bad_pattern_is_explained(hands: Hands) -> None:
    assert "no regular expression: missing )" in await hands.refusal("grep_search", pattern="f(")


async def test_lines_around_a_match_are_shown_once_and_marked(hands: Hands) -> None:
    hands.grow({"a.txt": "a\nhit 2\nb\nhit 4\nhit 5\nc\nd\ne\nf\nhit 10\n"})
    assert await hands.text("grep_search", pattern="hit", context=2) == (
        "4 matches in 1 file\na.txt\n1 - a\n2 | hit 2\n3 - b\n4 | hit 4\n5 | hit 5\n"
        "6 - c\n7 - d\n8 - e\n9 - f\n10 | hit 10"
    )
    assert await hands.text("grep_search", pattern="hit 5", context=1) == (
        "1 match in 1 file\na.txt\n4 - hit 4\n5 | hit 5\n6 - c"
    )


async def test_pattern_that_explodes_is_ended_and_nothing_stands_still(hands: Hands) -> None:
    hands.grow({"a.txt": "a" * 40 + "!\n"})
    hands.box = ToolBox([GrepSearch(seconds=0.5)])
    search = asyncio.create_task(hands.refusal("grep_search", pattern="(a+)+$"))
    beats = 0
    while not search.done():
        await asyncio.sleep(0.01)
        beats += 1
    assert "longer than 0.5 s" in await search
    assert beats > 10


async def test_cancelled_search_leaves_no_process(hands: Hands) -> None:
    hands.grow({"a.txt": "a" * 40 + "!\n"})
    search = asyncio.create_task(hands.text("grep_search", pattern="(a+)+$"))
    await asyncio.sleep(0)

    def working() -> bool:
        return any("grep_worker" in " ".join(child.cmdline()) for child in psutil.Process().children())

    async with asyncio.timeout(10):
        while not await asyncio.to_thread(working):
            assert not search.done()
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    assert not await asyncio.to_thread(working)
